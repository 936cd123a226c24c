/** What learning one task does to the others: backward to those before it, forward to those that come. */
import { type AccuracyMatrix, checkMatrix, mean } from './matrix.ts';

/**
 * Backward transfer: B_T = 1/(T-1) Σ_{j<T} (A_Tj - A_jj), in points (Lopez-Paz and Ranzato 2017).
 * Negative where learning on made old tasks worse; 0 after a single task.
 * @throws {ArgumentError} for a matrix that is not lower triangular.
 */
export function backwardTransfer(matrix: AccuracyMatrix): number {
  checkMatrix(matrix);
  const final = matrix.at(-1)!;
  const earlier = matrix.slice(0, -1);
  if (earlier.length === 0) return 0;
  return mean(earlier.map((row, task) => final[task]! - row[task]!));
}

/** A task's test images before it is learnt: how many are told right. */
export interface ZeroShot {
  /** Test images in all. */
  readonly images: number;
  /** By the model as it is then. */
  readonly before: number;
  /** By a network of the same history that was never trained. */
  readonly untrained: number;
}

/**
 * Forward transfer: F_T = 1/(T-1) Σ_{i>1} (A_{i-1,i} - b_i), in points, with b_i the accuracy of an untrained network
 * (Lopez-Paz and Ranzato 2017). Where a task brings classes, the model has no outputs for them before: A_{i-1,i} and b_i are then
 * told within the task's own classes, by the classifier with outputs just added that are untrained in both, so that only the
 * features differ. Where domains bring no classes it is the plain one. Mostly noise in the first case, and near 0.
 * @param shots of tasks 2 to T.
 * @returns 0 after a single task.
 */
export function forwardTransfer(shots: readonly ZeroShot[]): number {
  if (shots.length === 0) return 0;
  return mean(shots.map(({ images, before, untrained }) => (100 * (before - untrained)) / images));
}
