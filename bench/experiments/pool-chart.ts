/** Pools as curves over the weight of their distillation: what average accuracy costs in last accuracy, and the other way round. */
import * as Plot from '@observablehq/plot';
import { type Mean, meanOf } from '../../src/report/statistics.ts';
import { poolResults } from './pool-comparison.ts';
import { orderCount, type RecordedSweep } from './recorded-sweep.ts';
import { svgFile } from './svg-file.ts';

interface Point {
  readonly panel: string;
  readonly pool: string;
  readonly weight: number;
  readonly average: Mean;
  readonly last: Mean;
}

/** Of a Plot's default `observable10`, in an order in which neighbours differ in lightness too. */
const COLOURS = ['#d62728', '#ff7f0e', '#1f77b4', '#17becf', '#2ca02c'];

/** Of what distils, weights of which every order is there: fewer orders are other orders, and no point of the same curve. */
function pointsOf(sweep: RecordedSweep, panel: string): Point[] {
  const orders = orderCount(sweep);
  return poolResults(sweep.results)
    .filter(({ weight, results: own }) => weight !== null && own.length === orders)
    .map(({ pool, weight, results: own }) => ({
      ...{ panel, pool, weight: weight as number },
      average: meanOf(own.map(({ average }) => average)),
      last: meanOf(own.map(({ last }) => last)),
    }));
}

/**
 * Average accuracy across, last accuracy up, a curve a pool through its weights λ and a panel a sweep.
 * @param sweeps by the heading of their panel.
 * @returns null where no weight of a pool is complete yet.
 */
export function poolChart(sweeps: ReadonlyMap<string, RecordedSweep>): string | null {
  const points = [...sweeps].flatMap(([panel, sweep]) => pointsOf(sweep, panel));
  if (points.length === 0) return null;
  const pools = [...new Set(points.map(({ pool }) => pool))];
  const place = { fx: 'panel', x: ({ average }: Point) => average.mean, y: ({ last }: Point) => last.mean };
  const key = pools.map((pool, at) => ({ pool, at, panel: points[0]!.panel }));
  return svgFile(
    {
      ...{ width: 900, height: 440, marginLeft: 48, marginBottom: 44, marginTop: 40, insetRight: 24, insetTop: 12 },
      fx: { label: null, padding: 0.12 },
      x: { label: 'average accuracy, %', grid: true },
      y: { label: 'last accuracy, %', grid: true },
      color: { domain: pools, range: COLOURS },
      symbol: { domain: pools },
      marks: [
        Plot.line(points, { ...place, z: 'pool', stroke: 'pool', strokeWidth: 2, sort: 'weight' }),
        Plot.dot(points, { ...place, stroke: 'pool', fill: 'pool', symbol: 'pool', r: 4.5 }),
        Plot.text(points, {
          ...place,
          text: ({ weight }: Point) => `${weight}`,
          fill: 'pool',
          stroke: 'white',
          dx: 9,
          dy: -7,
          fontSize: 11,
        }),
        ...key.map(({ pool, at, panel }) =>
          Plot.text([{ pool, panel }], {
            fx: 'panel',
            text: 'pool',
            fill: 'pool',
            frameAnchor: 'top-left',
            dx: 10,
            dy: 8 + 17 * at,
            fontWeight: 'bold',
            fontSize: 13,
          }),
        ),
      ],
    },
    'Last accuracy over average accuracy of each pool of groups, at several weights of the distillation',
  );
}
