/** How much is told right: after each task, on average, and at last. */
import { ArgumentError } from '../../../errors.ts';
import { type AccuracyMatrix, checkMatrix, mean } from './matrix.ts';

/**
 * The accuracy on every class seen so far, after each task: a_t = Σ_j n_j A_tj / Σ_j n_j over j <= t.
 * `weights` n_j are the test images (or, where all classes have as many, the classes) of each task.
 * @throws {ArgumentError} for a matrix that is not lower triangular or has more rows than there are weights.
 */
export function accuracyCurve(matrix: AccuracyMatrix, weights: readonly number[]): number[] {
  checkMatrix(matrix);
  if (weights.length < matrix.length) {
    throw new ArgumentError({
      where: 'accuracyCurve',
      message: `${matrix.length} tasks were learnt, but only ${weights.length} have a weight.`,
      fix: 'Give the number of classes (or of test images) of every task.',
    });
  }
  return matrix.map((row) => {
    const total = row.reduce((sum, _, task) => sum + weights[task]!, 0);
    return row.reduce((sum, accuracy, task) => sum + accuracy * weights[task]!, 0) / total;
  });
}

/** Average incremental accuracy: the mean of a_1 … a_T, the first task included (iCaRL, Rebuffi et al. 2017). */
export const averageIncremental = (curve: readonly number[]): number => mean(curve);

/** Last accuracy a_T: on all classes after the last task. */
export const lastAccuracy = (curve: readonly number[]): number => curve.at(-1) ?? Number.NaN;

/**
 * One row of the matrix from predictions: the accuracy in percent on each of the first `tasks` tasks.
 * `predicted` and `expected` are class numbers, one an image; `taskOf[class]` is the class's task.
 * @throws {ArgumentError} if the lengths differ or if a task has no image.
 */
export function taskAccuracies(
  predicted: ArrayLike<number>,
  expected: ArrayLike<number>,
  taskOf: ArrayLike<number>,
  tasks: number,
): number[] {
  if (predicted.length !== expected.length) {
    throw new ArgumentError({
      where: 'taskAccuracies',
      message: `there are ${predicted.length} predictions for ${expected.length} labels.`,
      fix: 'Give one prediction an image.',
    });
  }
  const right = new Array<number>(tasks).fill(0);
  const total = new Array<number>(tasks).fill(0);
  for (let image = 0; image < expected.length; image++) {
    const task = taskOf[expected[image]!] ?? tasks;
    if (task >= tasks) continue;
    total[task]!++;
    if (predicted[image] === expected[image]) right[task]!++;
  }
  const empty = total.indexOf(0);
  if (empty >= 0) {
    throw new ArgumentError({
      where: 'taskAccuracies',
      message: `task ${empty} has no test image, so it has no accuracy.`,
      fix: 'Test on images of every class learnt so far.',
    });
  }
  return right.map((count, task) => (100 * count) / total[task]!);
}

/**
 * One row of the matrix from counts: the accuracy in percent on each task.
 * @param confusion images by class and prediction, [classes, classes] row-major, classes in the order they were learnt.
 * @param taskSizes classes of each task learnt.
 */
export function confusionAccuracies(confusion: ArrayLike<number>, taskSizes: readonly number[]): number[] {
  const classes = Math.sqrt(confusion.length);
  let first = 0;
  return taskSizes.map((size) => {
    let [right, total] = [0, 0];
    for (let label = first; label < first + size; label++) {
      right += confusion[label * classes + label] as number;
      for (let to = 0; to < classes; to++) total += confusion[label * classes + to] as number;
    }
    first += size;
    return (100 * right) / total;
  });
}
