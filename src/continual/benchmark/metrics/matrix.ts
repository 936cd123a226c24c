/**
 * What a continual learner is judged by. `A[t][j]` is the accuracy on part j of the test images after learning task t
 * (j <= t), in percent: row t has t + 1 numbers. A part is what is tested by itself: the classes of one task, or one domain's
 * images. Tasks are counted from 0 here, from 1 in the formulas.
 */
import { ArgumentError } from '../../../errors.ts';

/** Rows that grow by one: row t holds the accuracy on parts 0 … t after task t. */
export type AccuracyMatrix = readonly (readonly number[])[];

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** @throws {ArgumentError} unless there is a row, and row t has t + 1 finite numbers. */
export function checkMatrix(matrix: AccuracyMatrix): void {
  matrix.forEach((row, task) => {
    if (row.length !== task + 1 || !row.every(Number.isFinite)) {
      throw new ArgumentError({
        where: 'accuracy matrix',
        message: `row ${task} should hold ${task + 1} accuracies, one for each task learnt so far, but is [${row.join(', ')}].`,
        fix: 'Give the lower triangle, the diagonal included.',
      });
    }
  });
  if (matrix.length === 0) {
    throw new ArgumentError({ where: 'accuracy matrix', message: 'it has no rows.', fix: 'Learn a task first.' });
  }
}
