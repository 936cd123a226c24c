/**
 * The median stopping rule: after a task, a run stops that is below the median of what the others had come to by then
 * (Golovin et al., "Google Vizier: A Service for Black-Box Optimization", KDD 2017, section 3.5).
 */
import { mean, median } from '../report/statistics.ts';
import type { EarlyStop } from './sweep-file.ts';

/** Runs that a median needs at least. */
const LEAST_RUNS = 3;

const average = (curve: readonly number[], tasks: number): number => mean(curve.slice(0, tasks));

/**
 * Whether a run is hopeless: its average incremental accuracy so far lies further below the median than the margin. One that has
 * learnt all its tasks is not: stopping it would spare nothing, and lose what it is about to hand in.
 * @param curve accuracy over all classes seen after each of its tasks.
 * @param planned tasks that it has.
 * @param others curves of the other runs, those that have not come so far left out.
 */
export function isHopeless(
  curve: readonly number[],
  planned: number,
  others: readonly (readonly number[])[],
  { minTasks, margin }: EarlyStop,
): boolean {
  const tasks = curve.length;
  if (tasks < minTasks || tasks >= planned) return false;
  const there = others.filter(({ length }) => length >= tasks).map((other) => average(other, tasks));
  return there.length >= LEAST_RUNS && average(curve, tasks) < median(there) - margin;
}
