/** A sweep's configurations side by side: for the terminal, for Markdown. */
import picocolors from 'picocolors';
import { printable } from '../gpu/printable.ts';
import { differenceText, markdownTable, meanText } from '../report/statistics-text.ts';
import { type TableOptions, tableOf } from '../report/table.ts';
import type { ConfigurationResult, Counted, Figure } from './comparison.ts';
import { COMPARED, countedOver, FIGURES } from './comparison.ts';
import type { PlannedRun } from './plan.ts';

const TITLES: Readonly<Record<Figure, string>> = { average: 'average %', last: 'last %', forgetting: 'forgetting' };

/** How many of a configuration's runs are there, of how many. */
const runsText = ({ label, runs, stopped }: ConfigurationResult, planned: ReadonlyMap<string, number>): string => {
  const of = planned.get(label);
  const count = of === undefined || of === runs ? `${runs}` : `${runs}/${of}`;
  return stopped === 0 ? count : `${count}, ${stopped} stopped`;
};

function columnsOf(results: readonly ConfigurationResult[]): { head: string[]; isCompared: boolean } {
  const isCompared = results.some(({ differences }) => differences !== null);
  const head = ['configuration', 'runs', ...FIGURES.map((figure) => TITLES[figure])];
  return { head: isCompared ? [...head, ...COMPARED.map((figure) => `Δ ${figure}`)] : head, isCompared };
}

const cellsOf = (result: ConfigurationResult, planned: ReadonlyMap<string, number>, isCompared: boolean): string[] => [
  printable(result.label),
  runsText(result, planned),
  ...FIGURES.map((figure) => meanText(result.figures[figure])),
  ...(isCompared
    ? COMPARED.map((figure) => (result.differences ? differenceText(result.differences[figure]) : ''))
    : []),
];

/**
 * A line a configuration: means and standard deviations over its runs, and where there is a baseline, the mean difference to it
 * in the same class order and seed, its standard error, and in how many orders it is ahead and behind; see {@link differencesTo}.
 * @param planned runs that each is to have; those of which none is done are listed too.
 */
export function sweepTable(
  results: readonly ConfigurationResult[],
  planned: ReadonlyMap<string, number> = new Map(),
  options: TableOptions = {},
): string {
  const colours = picocolors.createColors(options.colour ?? picocolors.isColorSupported);
  const { head, isCompared } = columnsOf(results);
  const table = tableOf(head.map(colours.bold), 'left');
  for (const result of results) table.push(cellsOf(result, planned, isCompared));
  const begun = new Set(results.map(({ label }) => label));
  for (const [label, count] of planned)
    if (!begun.has(label))
      table.push([colours.dim(printable(label)), colours.dim(`0/${count}`), ...head.slice(2).map(() => '')]);
  return table.toString();
}

/** The same in Markdown. */
export function sweepMarkdown(results: readonly ConfigurationResult[], planned: ReadonlyMap<string, number>): string {
  const { head, isCompared } = columnsOf(results);
  return markdownTable(
    head,
    results.map((result) => cellsOf(result, planned, isCompared)),
  );
}

/** What a difference is counted over, and what the numbers behind it count. */
const COUNTED: Readonly<Record<Counted, readonly [over: string, of: string]>> = {
  orders: ['class orders', 'orders'],
  'orders of seeds': ['class orders, each the mean over its seeds', 'orders'],
  seeds: ['seeds', 'seeds'],
};

/** What a table is of. */
export interface LegendOptions {
  readonly runs: readonly Pick<PlannedRun, 'pair'>[];
  /** The label of the configuration that the others are compared with. */
  readonly baseline?: string | undefined;
  /** Whether its lines are in the order of the last accuracy. */
  readonly isBestFirst?: boolean;
}

/** What the lines and numbers of the table mean, in a line, as far as it has them; nothing where there is no result. */
export function sweepLegend(
  results: readonly ConfigurationResult[],
  { runs, baseline, isBestFirst = false }: LegendOptions,
): string {
  if (results.length === 0) return '';
  const isSpread = results.some(({ figures }) => figures.last.runs > 1);
  const differences = results.flatMap(({ differences: own }) => (own && own.last.runs > 0 ? [own.last] : []));
  const [over, of] = COUNTED[countedOver(runs.map(({ pair }) => pair))];
  const error = differences.some(({ runs: count }) => count > 1) ? ` ± standard error over ${over}` : '';
  const parts = [
    ...(isBestFirst && results.length > 1 ? ['the best last accuracy first'] : []),
    ...(isSpread ? ['figures: mean ± standard deviation over runs'] : []),
    ...(results.some(({ stopped }) => stopped > 0) ? ['runs that were stopped are left out'] : []),
    ...(differences.length > 0
      ? [`Δ: mean difference to ${printable(baseline ?? 'the baseline')}${error} (${of} ahead:behind)`]
      : []),
  ];
  return parts.join('; ');
}
