/** How far earlier tasks fell: three forms that suites print under one name. */
import { ArgumentError } from '../../../errors.ts';
import { imagesOf, rightOf, type SparseCounts, type TestedStages } from './counts.ts';
import { type AccuracyMatrix, checkMatrix, mean } from './matrix.ts';
import { backwardTransfer } from './transfer.ts';

/**
 * Forgetting after the last task: F_T = 1/(T-1) Σ_{j<T} (max_{j<=l<T} A_lj - A_Tj), in points (Chaudhry et al. 2018).
 * Negative if old tasks got better; 0 after a single task.
 * @throws {ArgumentError} for a matrix that is not lower triangular.
 */
export function forgetting(matrix: AccuracyMatrix): number {
  checkMatrix(matrix);
  const final = matrix.at(-1)!;
  const earlier = matrix.slice(0, -1);
  if (earlier.length === 0) return 0;
  return mean(earlier.map((_, task) => Math.max(...earlier.slice(task).map((row) => row[task]!)) - final[task]!));
}

/**
 * Forgetting against the time when a task was just learnt: 1/(T-1) Σ_{j<T} (A_jj - A_Tj), in points: minus the backward
 * transfer. Avalanche's.
 * @throws {ArgumentError} for a matrix that is not lower triangular.
 */
export const firstLastForgetting = (matrix: AccuracyMatrix): number => 0 - backwardTransfer(matrix);

/**
 * Forgetting by groups of `increment` classes in order of arrival, whatever task they came with: a base half is cut into as
 * many groups as it has steps. 1/(T-1) Σ_{g<T} (max_{l<=T} A_lg - A_Tg), in points: the last stage counts among those that the best
 * is taken of, so that it is never negative, the last group is left out, and a group that is not there lost nothing. PyCIL's, which
 * rounds accuracies to two digits and this does not, and which stops where there are more groups than tasks: here the mean is over
 * all groups but the last then. With as many groups as tasks also Mammoth's.
 *
 * A lone last class is in no group: PyCIL's start at the classes of `range(0, max(y_true), increment)`, whose end is left out
 * (`accuracy` of utils/toolkit.py; LAMDA-CL/PyCIL#100), after each stage by the classes of that stage. Tasks of 4, 3 and 3 classes
 * have the groups 0–2, 3–5 and 6–8.
 * @returns 0 after a single task.
 * @throws {ArgumentError} without a stage, or for an increment that is no whole number of classes.
 */
export function incrementForgetting(stages: TestedStages, increment: number): number {
  if (stages.length === 0 || !(Number.isInteger(increment) && increment > 0)) {
    throw new ArgumentError({
      where: 'incrementForgetting',
      message: stages.length === 0 ? 'no task is tested.' : `classes cannot be grouped by ${increment}.`,
      fix: 'Give the counts of a task at least, and the classes that each later task brings.',
    });
  }
  const rows = stages.map((parts) => groupAccuracies(parts, increment));
  const final = rows.at(-1) as readonly number[];
  const compared = Math.max(final.length, stages.length) - 1;
  const falls = Array.from(
    { length: compared },
    (_, group) => Math.max(...rows.map((row) => row[group] ?? 0)) - (final[group] ?? 0),
  );
  return falls.length > 0 ? mean(falls) : 0;
}

/** Accuracy in percent on each group of classes; none of a group that would start with the last class. */
function groupAccuracies(parts: TestedStages[number], increment: number): number[] {
  const groups = new Map<number, SparseCounts[number][]>();
  const counts = parts.flatMap((part) => part.counts);
  const lastClass = counts.reduce((most, [label]) => Math.max(most, label), 0);
  for (const count of counts) {
    const group = Math.floor(count[0] / increment);
    if (group * increment >= lastClass) continue;
    const others = groups.get(group);
    if (others) others.push(count);
    else groups.set(group, [count]);
  }
  return [...groups].sort(([a], [b]) => a - b).map(([, own]) => (100 * rightOf(own)) / imagesOf(own));
}
