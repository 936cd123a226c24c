/** The demo's two curves in the terminal. */
import picocolors from 'picocolors';
import type { MethodResult } from '../../report/comparison.ts';
import { besides, type ChartLine, terminalChart } from '../../report/terminal-chart.ts';

/** Columns of a chart that has another one beside it. */
const WIDTH = 38;

const styles: Readonly<Record<string, Pick<ChartLine, 'marker' | 'paint'>>> = {
  finetune: { marker: 'x', paint: picocolors.yellow },
  replay: { marker: 'o', paint: picocolors.cyan },
  fdkd: { marker: '*', paint: picocolors.magenta },
};

/** Both curves next to each other, or one above the other where the terminal is narrow. */
export function demoCharts(results: readonly MethodResult[], columns: number): string {
  const ticks = (results[0]?.seen ?? []).map((_, task) => `${task + 1}`);
  const wide = columns >= 2 * WIDTH + 2;
  const width = wide ? WIDTH : columns;
  const chart = (title: string, values: (result: MethodResult) => readonly number[]) =>
    terminalChart({
      title: picocolors.bold(title.padEnd(width)),
      ticks,
      lines: results.map((result) => ({ label: result.method, values: values(result), ...styles[result.method]! })),
      width,
      height: 10,
    });
  const pair = [
    chart('% right on all classes seen', ({ seen }) => seen),
    chart('% right on the first task', ({ firstTask }) => firstTask),
  ];
  const rows = wide ? besides(pair, '  ') : [...pair[0]!, '', ...pair[1]!];
  return `${rows.map((row) => row.trimEnd()).join('\n')}\n${picocolors.dim('     after each task')}`;
}
