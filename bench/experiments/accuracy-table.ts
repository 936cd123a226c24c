/** The reference accuracies as a Markdown table, next to PyTorch's. */

import { mean } from '../../src/report/statistics.ts';
import { pytorch } from './accuracy-protocols.ts';
import type { RunResult } from './experiment.ts';

const percent = (value: number) => value.toFixed(1);

/** A row for each protocol that has results: means over its runs, the runs themselves, PyTorch's means. */
export function accuracyTable(results: readonly RunResult[]): string {
  const rows = Object.entries(pytorch).flatMap(([name, [average, last]]) => {
    const runs = results.filter((result) => result.name.startsWith(`${name}/`));
    if (runs.length === 0) return [];
    const each = runs.map((run) => `${percent(run.average)} / ${percent(run.last)}`).join(', ');
    const ours = `${percent(mean(runs.map((run) => run.average)))} / ${percent(mean(runs.map((run) => run.last)))}`;
    const theirs = `${average === null ? '–' : percent(average)} / ${percent(last)}`;
    return [`| ${name} | ${ours} | ${theirs} | ${each} |`];
  });
  const head = ['| protocol | average / last | PyTorch | runs |', '| --- | --- | --- | --- |'];
  return [...head, ...rows].join('\n');
}
