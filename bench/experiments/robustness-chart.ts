/** Accuracy over a number that a sweep varies (exemplars, tasks), a curve with a band for each configuration. */
import * as Plot from '@observablehq/plot';
import { type Mean, meanOf } from '../../src/report/statistics.ts';
import type { SweepResult } from '../../src/sweep/results.ts';
import { orderCount, type RecordedSweep, withoutSetting } from './recorded-sweep.ts';
import { apart, svgFile } from './svg-file.ts';

interface Point {
  readonly configuration: string;
  readonly value: number;
  readonly last: Mean;
}

const COLOURS = ['#7f7f7f', '#d62728', '#ff7f0e', '#1f77b4', '#2ca02c', '#9467bd'];

/** Share of the axis that a line of text takes. */
const LINE = 0.045;

const numberAt = ({ config }: SweepResult, key: string): number => Number((config as Record<string, unknown>)[key]);

function pointsOf(results: readonly SweepResult[], key: string): Point[] {
  const nameOf = ({ label }: SweepResult) => withoutSetting(label, key);
  const names = [...new Set(results.map(nameOf))];
  return names.flatMap((configuration) => {
    const own = results.filter((one) => nameOf(one) === configuration);
    return [...new Set(own.map((one) => numberAt(one, key)))]
      .sort((a, b) => a - b)
      .map((value) => {
        const last = own.flatMap((one) => (numberAt(one, key) === value ? [one.last] : []));
        return { configuration, value, last: meanOf(last) };
      });
  });
}

/**
 * Last accuracy up, in percent; bands are one standard error of the mean over the class orders to both sides.
 * @param key the setting that is varied.
 * @param label of its axis.
 * @returns null where fewer than two of its values were run in every order.
 */
export function robustnessChart(sweep: RecordedSweep, key: string, label: string): string | null {
  const finished = sweep.results.filter(({ stopped }) => stopped === undefined);
  // Fewer orders are other orders, and no point of the same curve.
  const orders = orderCount(sweep);
  const points = pointsOf(finished, key).filter(({ last }) => last.runs === orders);
  const values = [...new Set(points.map(({ value }) => value))].sort((a, b) => a - b);
  if (values.length < 2) return null;
  const configurations = [...new Set(points.map(({ configuration }) => configuration))];
  const banded = points.filter(({ last }) => !Number.isNaN(last.error));
  const accuracies = points.flatMap(({ last: { mean, error } }) =>
    Number.isNaN(error) ? [mean] : [mean - error, mean + error],
  );
  const ends = apart(
    configurations.flatMap((name) => points.findLast(({ configuration }) => configuration === name) ?? []),
    ({ last }) => last.mean,
    (Math.max(...accuracies) - Math.min(...accuracies)) * LINE,
  );
  const at = { x: 'value', y: ({ last }: Point) => last.mean };
  return svgFile(
    {
      ...{ width: 760, height: 380, marginLeft: 48, marginBottom: 44, marginRight: 96, marginTop: 28 },
      x: { type: 'log', label, ticks: values, tickFormat: 'd' },
      y: { label: 'last accuracy, %', grid: true },
      color: { domain: configurations, range: COLOURS },
      marks: [
        Plot.areaY(banded, {
          x: 'value',
          y1: ({ last }: Point) => last.mean - last.error,
          y2: ({ last }: Point) => last.mean + last.error,
          fill: 'configuration',
          fillOpacity: 0.15,
        }),
        Plot.line(points, { ...at, stroke: 'configuration', strokeWidth: 2 }),
        Plot.dot(points, { ...at, fill: 'configuration', r: 3.5 }),
        Plot.text(ends, {
          x: 'value',
          y: 'place',
          text: 'configuration',
          fill: 'configuration',
          dx: 8,
          textAnchor: 'start',
          fontWeight: 'bold',
        }),
      ],
    },
    `Last accuracy over ${label}, a curve for each configuration`,
  );
}
