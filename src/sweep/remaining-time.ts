/** How long a sweep still takes, from what its runs took. */
import { mean } from '../report/statistics.ts';

export interface TimedRun {
  readonly label: string;
  /** Share of it that is done, from 0 to 1. */
  readonly done: number;
  /** What it took until now; 0 where it was not begun, or where it is not known what a share of it took. */
  readonly seconds: number;
}

/** Shares under this tell little: compiling and the first, short task are no measure of a run. */
const TELLING = 0.1;

/**
 * What a process would have taken to come to this share of a run, had it learnt, too, what others learnt before it; 0 before it
 * has learnt anything.
 * @param seconds since it began. @param begun the share that it began with.
 */
export const secondsSoFar = (seconds: number, share: number, begun: number): number =>
  share > begun ? (seconds * share) / (share - begun) : 0;

/**
 * Seconds of processes that are left, to be divided by how many run at once: each run takes as long as those of its
 * configuration took, or where none is known, as those of all. `null` before anything is known.
 */
export function secondsLeft(runs: readonly TimedRun[]): number | null {
  const known = runs.filter(({ done, seconds }) => done >= TELLING && seconds > 0);
  const lengths = new Map<string, number[]>();
  for (const { label, done, seconds } of known) lengths.set(label, [...(lengths.get(label) ?? []), seconds / done]);
  const all = [...lengths.values()].flat();
  if (all.length === 0) return null;
  return runs.reduce((total, { label, done }) => total + (1 - done) * mean(lengths.get(label) ?? all), 0);
}
