/** SS-IL's separated softmax: new classes and old ones are never compared with each other in training (Ahn et al. 2021). */
import { taskwiseKD } from '../../distill/dense-kd.ts';
import { ArgumentError } from '../../errors.ts';
import { type CrossEntropyOptions, crossEntropy } from '../../ops/cross-entropy.ts';
import { expectShapes } from '../../ops/expect-shapes.ts';
import '../../ops/methods.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/**
 * Cross entropy of samples of new classes over the new logits, plus that of samples of old classes over the old logits, both
 * added up and divided by the size of the batch (Ahn et al. 2021, eq. 3). Without old classes, or without new ones, the plain one.
 * @param logits f32 [n, classes], old classes first.
 * @param targets i32 [n]; a row with a target outside [0, classes) counts for nothing.
 * @param oldClasses K.
 * @param options `labelSmoothing`: ε, over the classes that a sample is compared with; 0 by default.
 * @throws {ShapeError} unless logits are [n, classes] and targets [n].
 * @throws {DTypeError} unless they are f32 and i32.
 * @throws {ArgumentError} when `oldClasses` is not a whole number from 0 to the number of classes.
 */
export function separatedCrossEntropy(
  logits: Tensor,
  targets: Tensor,
  oldClasses: number,
  { labelSmoothing = 0 }: Pick<CrossEntropyOptions, 'labelSmoothing'> = {},
): Tensor {
  const where = 'separatedCrossEntropy';
  const { classes = 0 } = expectShapes(where, {
    logits: [logits, 'f32', ['n', 'classes']],
    targets: [targets, 'i32', ['n']],
  });
  if (!(Number.isInteger(oldClasses) && oldClasses >= 0 && oldClasses <= classes)) {
    throw new ArgumentError({ where, message: `oldClasses is ${oldClasses}; the logits have ${classes} classes.` });
  }
  // Divided by the size of the batch, whichever samples a half passes over.
  const smoothed = { labelSmoothing, overAllRows: true };
  if (oldClasses === 0 || oldClasses === classes) return crossEntropy(logits, targets, smoothed);
  // A target that is not among the columns counts for nothing: each half passes over the other's samples.
  const fresh = crossEntropy(logits.slice([null, [oldClasses, classes]]), targets.sub(oldClasses), smoothed);
  return fresh.add(crossEntropy(logits.slice([null, [0, oldClasses]]), targets, smoothed));
}

/** Tasks and temperature of {@link taskDistillationLoss}. */
export interface TaskDistillationOptions {
  /** Classes of each old task, in the order of the logits. None in the first task: the loss is then zero. */
  taskSizes: readonly number[];
  /** T; 2 by default. */
  temperature?: number;
}

/**
 * Task-wise distillation as SS-IL's: T² · Σ_t mean_b KL(teacher_t ‖ student_t), each task under a softmax of its own (Ahn et
 * al. 2021, eq. 4). `taskwiseKD` is its mean over the tasks without T².
 * @param student f32 [n, classes], old classes first.
 * @param teacher f32 [n, at least the old classes]; takes no gradient.
 * @throws {ShapeError} when the logits do not fit each other or the tasks.
 * @throws {DTypeError} when they are not f32.
 * @throws {ArgumentError} when the temperature or a task's size is out of range.
 */
export function taskDistillationLoss(student: Tensor, teacher: Tensor, options: TaskDistillationOptions): Tensor {
  const { taskSizes, temperature = 2 } = options;
  const mean = taskwiseKD(student, teacher, { taskSizes, temperature });
  return taskSizes.length === 0 ? mean : mean.mul(temperature ** 2 * taskSizes.length);
}
