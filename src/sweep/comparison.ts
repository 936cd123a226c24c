/** A sweep's configurations side by side: means over their orders, and differences paired by order. */
import { type Mean, meanOf, type PairedDifference, pairedDifference } from '../report/statistics.ts';
import type { SweepResult } from './results.ts';

export const FIGURES = ['average', 'last', 'forgetting'] as const;
/** One of {@link FIGURES}. */
export type Figure = (typeof FIGURES)[number];

/** Figures in which one configuration is compared with another: what is forgotten follows from them. */
export const COMPARED = ['average', 'last'] as const;

/** Differences of every figure, over pairs of runs in the same order and seed. */
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

/** Differences of runs to others, in the pairs of which both are there. */
export function differencesTo(others: readonly SweepResult[], results: readonly SweepResult[]): Differences {
  const pairs = results.flatMap((result) => {
    const other = others.find(({ pair }) => pair === result.pair);
    return other ? [[result, other] as const] : [];
  });
  return each((figure) => pairedDifference(pairs.map(([one, other]) => one[figure] - other[figure])));
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
