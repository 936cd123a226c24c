/** A sweep's configurations side by side: means over their runs, and differences paired by class order and seed. */
import { type Mean, mean, meanOf, type PairedDifference, pairedDifference } from '../report/statistics.ts';
import type { SweepResult } from './results.ts';

export const FIGURES = ['average', 'last', 'forgetting'] as const;
/** One of {@link FIGURES}. */
export type Figure = (typeof FIGURES)[number];

/** Figures in which one configuration is compared with another: what is forgotten follows from them. */
export const COMPARED = ['average', 'last'] as const;

/** Differences of every figure between pairs of runs in the same order and seed; counted as {@link differencesTo} says. */
export type Differences = Readonly<Record<Figure, PairedDifference>>;

export interface ConfigurationResult {
  readonly label: string;
  readonly runs: number;
  /** Of these, those that were stopped early, which are in no mean. */
  readonly stopped: number;
  readonly figures: Readonly<Record<Figure, Mean>>;
  /** To the baseline; `null` for the baseline itself and where there is none. */
  readonly differences: Differences | null;
  /** Mean over the runs. */
  readonly seconds: number;
}

const each = <T>(of: (figure: Figure) => T): Readonly<Record<Figure, T>> => ({
  average: of('average'),
  last: of('last'),
  forgetting: of('forgetting'),
});

/** The class order of a run by what pairs it (`order 0, seed 1`): all of that but the seed. */
const orderOf = (pair: string): string =>
  pair
    .split(', ')
    .filter((part) => !part.startsWith('seed '))
    .join(', ');

/** These by their class order. */
const byOrder = <T>(all: readonly T[], pairOf: (one: T) => string): T[][] => {
  const lots = new Map<string, T[]>();
  for (const one of all) {
    const order = orderOf(pairOf(one));
    lots.set(order, [...(lots.get(order) ?? []), one]);
  }
  return [...lots.values()];
};

/** What the differences of a sweep are counted over. */
export type Counted = 'orders' | 'orders of seeds' | 'seeds';

/**
 * What {@link differencesTo} counts, of the runs with these `pair`s: class orders; orders, each the mean over several seeds; or, of
 * one order, seeds.
 */
export function countedOver(pairs: readonly string[]): Counted {
  const orders = byOrder([...new Set(pairs)], (pair) => pair);
  if (orders.length <= 1) return 'seeds';
  return orders.some(({ length }) => length > 1) ? 'orders of seeds' : 'orders';
}

/**
 * Differences of runs to others, in the pairs of which both are there. Two seeds of one class order have what is hard about that order
 * in common, and are no two independent trials: a class order counts once, with the mean over its seeds, and mean, standard
 * error, ahead and behind are over orders. Where all are of one class order, they are over its seeds.
 */
export function differencesTo(others: readonly SweepResult[], results: readonly SweepResult[]): Differences {
  const pairs = results.flatMap((result) => {
    const other = others.find(({ pair }) => pair === result.pair);
    return other ? [[result, other] as const] : [];
  });
  const orders = byOrder(pairs, ([{ pair }]) => pair);
  return each((figure) => {
    const differences = orders.map((lot) => lot.map(([one, other]) => one[figure] - other[figure]));
    return pairedDifference(differences.length === 1 ? differences.flat() : differences.map(mean));
  });
}

/**
 * Configurations in order of appearance.
 * @param baseline the label of the one that the others are compared with.
 */
export function compareConfigurations(results: readonly SweepResult[], baseline?: string): ConfigurationResult[] {
  const labels = [...new Set(results.map(({ label }) => label))];
  const finished = (label: string) =>
    results.filter((result) => result.label === label && result.stopped === undefined);
  const base = baseline === undefined ? [] : finished(baseline);
  return labels.map((label): ConfigurationResult => {
    const all = results.filter((result) => result.label === label);
    const whole = finished(label);
    return {
      label,
      runs: all.length,
      stopped: all.length - whole.length,
      figures: each((figure) => meanOf(whole.map((result) => result[figure]))),
      differences: baseline === undefined || label === baseline ? null : differencesTo(base, whole),
      seconds: meanOf(all.map(({ seconds }) => seconds)).mean,
    };
  });
}

/** Those of a search by their last accuracy, the best first; what has no finished run comes last, equals stay in their order. */
export const bestFirst = (results: readonly ConfigurationResult[]): ConfigurationResult[] => {
  const lastOf = ({ figures: { last } }: ConfigurationResult): number => (last.runs === 0 ? -1 : last.mean);
  return results.toSorted((a, b) => lastOf(b) - lastOf(a));
};
