/**
 * Pools of groups side by side under one protocol, each at one weight λ of the distillation; how it is chosen, and what decides, was
 * planned before anything was run (`bench/sweeps/README.md`).
 */
import { mean, type PairedDifference } from '../../src/report/statistics.ts';
import { COMPARED, type Differences, differencesTo } from '../../src/sweep/comparison.ts';
import type { PlannedRun } from '../../src/sweep/plan.ts';
import type { SweepResult } from '../../src/sweep/results.ts';
import { withoutSetting } from './recorded-sweep.ts';

/** What every other pool is compared with: one group of all old classes, and each task for itself. */
export const REFERENCES = ['whole', 'tasks'] as const;

export type Reference = (typeof REFERENCES)[number];

/** A pool at one weight. */
export interface WeightedPool {
  readonly pool: string;
  /** λ; null for a method that distils nothing. */
  readonly weight: number | null;
}

/** A pool's results at one weight, an order each. */
export interface PoolResults extends WeightedPool {
  readonly results: readonly SweepResult[];
}

export interface ComparedPool extends PoolResults {
  /** To the references in the same orders of the classes; null to itself. */
  readonly differences: Readonly<Record<Reference, Differences | null>>;
}

/** Of a run's label, such as `dense kdWeight=2`; what else it says is left to the name. */
function poolOf({ label, config }: Pick<PlannedRun, 'label' | 'config'> | SweepResult): WeightedPool {
  const { kdWeight } = config as { kdWeight?: number };
  return { pool: withoutSetting(label, 'kdWeight'), weight: kdWeight ?? null };
}

/** Results by pool and weight, in order of appearance. Runs that were stopped early are left out. */
export function poolResults(results: readonly SweepResult[]): PoolResults[] {
  const found = new Map<string, PoolResults & { results: SweepResult[] }>();
  for (const result of results) {
    if (result.stopped !== undefined) continue;
    const key = poolOf(result);
    const name = `${key.pool} ${key.weight}`;
    const known = found.get(name) ?? { ...key, results: [] };
    known.results.push(result);
    found.set(name, known);
  }
  return [...found.values()];
}

/**
 * The weight that counts for each pool: at which the mean of average and last accuracy was highest in the search's orders. A pool of
 * which a run is missing there has none yet.
 */
export function bestWeights(runs: readonly PlannedRun[], results: readonly SweepResult[]): Map<string, number> {
  const measured = poolResults(results);
  const best = new Map<string, number>();
  for (const pool of new Set(runs.map((run) => poolOf(run).pool))) {
    const planned = runs.filter((run) => poolOf(run).pool === pool).length;
    const own = measured.filter((one) => one.pool === pool);
    if (own.reduce((count, one) => count + one.results.length, 0) < planned) continue;
    const score = ({ results: at }: PoolResults) => mean(at.map(({ average, last }) => (average + last) / 2));
    const [first] = own.toSorted((a, b) => score(b) - score(a));
    if (first?.weight != null) best.set(pool, first.weight);
  }
  return best;
}

/**
 * Of a sweep over weights the runs that are compared, each pool at the weight that counts for it; of a pool whose weight is not known
 * yet as many, at its first.
 */
export function comparedRuns(runs: readonly PlannedRun[], best: ReadonlyMap<string, number>): PlannedRun[] {
  const first = new Map<string, number | null>();
  for (const { pool, weight } of runs.map(poolOf)) if (!first.has(pool)) first.set(pool, weight);
  return runs.filter((run) => {
    const { pool, weight } = poolOf(run);
    return weight === (best.get(pool) ?? first.get(pool));
  });
}

/**
 * Pools with their differences to both references.
 * @param pools one a pool: at the weight that counts for it.
 */
export function comparePools(pools: readonly PoolResults[]): ComparedPool[] {
  const reference = (name: Reference) => pools.find(({ pool }) => pool === name)?.results ?? [];
  return pools.map((one) => {
    const to = (name: Reference) => (one.pool === name ? null : differencesTo(reference(name), one.results));
    return { ...one, differences: { whole: to('whole'), tasks: to('tasks') } };
  });
}

/** Standard errors that a difference must come to before it is called one. */
const SIGNIFICANT = 2;
/** Orders of the classes below which nothing is claimed. */
export const LEAST_ORDERS = 6;

/** What a difference shows: 1 ahead, −1 behind, 0 neither. */
export function shown({ runs, mean: difference, error }: PairedDifference): -1 | 0 | 1 {
  // Runs that are all alike differ by nothing, without an error.
  if (runs < LEAST_ORDERS || difference === 0 || !(Math.abs(difference) >= SIGNIFICANT * error)) return 0;
  return difference > 0 ? 1 : -1;
}

/** Whether a pool is ahead of both references by average or last accuracy, and behind neither by either. */
export function isAhead({ differences }: ComparedPool): boolean {
  return REFERENCES.every((name) => {
    const to = differences[name];
    if (!to) return false;
    const signs = COMPARED.map((accuracy) => shown(to[accuracy]));
    return signs.includes(1) && !signs.includes(-1);
  });
}
