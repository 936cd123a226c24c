/** The demo's runs as Markdown: each order, means, and what the methods differ by. */
import {
  type DemoDifference,
  type DemoMethod,
  type DemoSizeName,
  demoMethods,
  demoSizeNames,
} from '../../src/cli/demo/sizes.ts';
import { mean, standardDeviation } from '../../src/report/statistics.ts';
import type { RunResult } from './experiment.ts';

/** Orders that were seen while the settings were chosen; the others confirm. */
const CHOSEN_ON = 3;

const pairs = [
  ['replay', 'finetune'],
  ['fdkd', 'replay'],
  ['fdkd', 'finetune'],
] as const;

type Orders = readonly (readonly RunResult[])[];

/** The orders of a size that every method was run in: each with a result a method, in the order of `demoMethods`. */
export function ordersOf(size: DemoSizeName, results: readonly RunResult[]): Orders {
  const byName = new Map(results.map((result) => [result.name, result]));
  const orders: RunResult[][] = [];
  for (;;) {
    const runs = demoMethods.flatMap((method) => byName.get(`${size}/${method}/${orders.length}`) ?? []);
    if (runs.length < demoMethods.length) return orders;
    orders.push(runs);
  }
}

const gaps = (orders: Orders, of: DemoMethod, to: DemoMethod): number[] =>
  orders.map((runs) => {
    const last = (method: DemoMethod) => runs[demoMethods.indexOf(method)]!.last;
    return last(of) - last(to);
  });

/** What the demo holds its own run against: differences in last accuracy, rounded to a tenth of a point. */
export function differencesOf(orders: Orders): DemoDifference[] {
  const rounded = (value: number) => Math.round(10 * value) / 10;
  return pairs.map(([of, to]) => {
    const values = gaps(orders, of, to);
    return { of, to, mean: rounded(mean(values)), std: rounded(standardDeviation(values)) };
  });
}

const one = (value: number): string => value.toFixed(1);
const signed = (value: number): string => `${value > 0 ? '+' : ''}${one(value)}`;
const left = (run: RunResult): number => run.firstTask?.at(-1) ?? Number.NaN;
const cell = ({ average, last }: RunResult, rest: number): string => `${one(average)} / ${one(last)} / ${one(rest)}`;

function sizeTable(size: DemoSizeName, orders: Orders): string {
  const rows = orders.map((runs, order) => `| ${[order, ...runs.map((run) => cell(run, left(run)))].join(' | ')} |`);
  const means = demoMethods.map((_, method) => {
    const runs = orders.map((order) => order[method]!);
    return (
      ['average', 'last'].map((key) => one(mean(runs.map((run) => run[key as 'average' | 'last'])))).join(' / ') +
      ` / ${one(mean(runs.map(left)))}`
    );
  });
  const differences = [
    ['all', orders],
    [`0–${CHOSEN_ON - 1}`, orders.slice(0, CHOSEN_ON)],
    [`from ${CHOSEN_ON}`, orders.slice(CHOSEN_ON)],
  ] as const;
  const lines = pairs.map(([of, to]) => {
    const values = gaps(orders, of, to);
    const cells = differences.map(([, part]) => {
      const some = gaps(part, of, to);
      return some.length < 2 ? '–' : `${signed(mean(some))} ± ${one(standardDeviation(some) / Math.sqrt(some.length))}`;
    });
    return `| ${of} − ${to} | ${[...cells, one(standardDeviation(values)), values.map(signed).join(' ')].join(' | ')} |`;
  });
  return [
    `### ${size}`,
    '',
    `| order | ${demoMethods.join(' | ')} |`,
    `| --- | ${demoMethods.map(() => '---').join(' | ')} |`,
    ...rows,
    `| mean | ${means.join(' | ')} |`,
    '',
    `| last accuracy | ${differences.map(([name]) => `orders ${name}`).join(' | ')} | deviation of one | order by order |`,
    '| --- | --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
}

/** Average / last accuracy / what is left of the first task, percent; then differences with their standard errors. */
export const demoTables = (results: readonly RunResult[]): string =>
  demoSizeNames
    .map((size) => [size, ordersOf(size, results)] as const)
    .filter(([, orders]) => orders.length > 0)
    .map(([size, orders]) => sizeTable(size, orders))
    .join('\n\n');
