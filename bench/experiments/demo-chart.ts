/** What the demo shows, averaged over its class orders, as an SVG file: the picture at the top of the README. */
import * as Plot from '@observablehq/plot';
import { demoMethods } from '../../src/cli/demo/sizes.ts';
import { mean } from '../../src/report/statistics.ts';
import type { RunResult } from './experiment.ts';
import { type Apart, apart, svgFile } from './svg-file.ts';

const colours: Readonly<Record<string, string>> = { finetune: '#7f7f7f', replay: '#ff7f0e', fdkd: '#1f77b4' };
const panels = {
  curve: 'accuracy on all classes seen so far, %',
  firstTask: 'accuracy on the first task, %',
} as const;

/** Points of axis that a line of text takes. */
const LINE = 6.5;

interface Point {
  readonly method: string;
  readonly panel: string;
  readonly task: number;
  readonly accuracy: number;
}

/** Mean curves of one size's runs, a line a method. @throws {Error} when the results hold no run of the size. */
export function demoChart(results: readonly RunResult[], size: string): string {
  const points = demoMethods.flatMap((method) => {
    const runs = results.filter(({ name }) => name.startsWith(`${size}/${method}/`));
    return Object.entries(panels).flatMap(([key, panel]) => {
      const curves = runs.map((run) => run[key as keyof typeof panels] ?? []);
      const tasks = curves[0]?.length ?? 0;
      return Array.from({ length: tasks }, (_, task): Point => {
        return { method, panel, task: task + 1, accuracy: mean(curves.map((curve) => curve[task] ?? Number.NaN)) };
      });
    });
  });
  if (points.length === 0) throw new Error(`There is no run of size ${size} in the results.`);
  const tasks = Math.max(...points.map(({ task }) => task));
  const last = Object.values(panels).flatMap((panel) =>
    apart(
      points.filter((point) => point.task === tasks && point.panel === panel),
      ({ accuracy }) => accuracy,
      LINE,
    ),
  );
  return svgFile(
    {
      width: 900,
      height: 320,
      marginLeft: 44,
      marginRight: 88,
      marginTop: 36,
      fx: { domain: Object.values(panels), label: null, padding: 0.3 },
      x: { ticks: Array.from({ length: tasks }, (_, i) => i + 1), label: 'tasks learnt', tickFormat: 'd' },
      y: { domain: [0, 100], grid: true, label: null },
      color: { domain: Object.keys(colours), range: Object.values(colours) },
      marks: [
        Plot.ruleY([0]),
        Plot.line(points, { x: 'task', y: 'accuracy', fx: 'panel', stroke: 'method', strokeWidth: 2.5 }),
        Plot.dot(points, { x: 'task', y: 'accuracy', fx: 'panel', fill: 'method', r: 3.5 }),
        Plot.text(last, {
          x: 'task',
          y: 'place',
          fx: 'panel',
          text: ({ method, accuracy }: Apart<Point>) => `${method} ${accuracy.toFixed(0)}`,
          fill: 'method',
          textAnchor: 'start',
          dx: 8,
          fontWeight: 'bold',
        }),
      ],
    },
    'Accuracy over tasks of fine-tuning, replay and dense distillation',
  );
}
