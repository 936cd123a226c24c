/** Distillation of old logits as one group, the teacher's entropy left in: the term of LwF, iCaRL, BiC and WA. */
import { ArgumentError, ShapeError } from '../../errors.ts';
import { expectShapes } from '../../ops/expect-shapes.ts';
import '../../ops/methods.ts';
import { show } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** @throws {ArgumentError} unless the temperature is a finite number above 0. */
export function checkTemperature(where: string, temperature: number): void {
  if (temperature > 0 && temperature < Number.POSITIVE_INFINITY) return;
  throw new ArgumentError({
    where,
    message: `the temperature is ${temperature}; a finite number above 0 was expected.`,
    fix: 'T = 2 is usual.',
  });
}

/**
 * The student's logits of the classes that the teacher knows, [n, K].
 * @throws {ShapeError} unless both are f32 [n, classes] and the student has at least the teacher's classes.
 */
export function oldLogitsOf(where: string, student: Tensor, teacher: Tensor): Tensor {
  const { old = 0, classes = 0 } = expectShapes(where, {
    student: [student, 'f32', ['n', 'classes']],
    teacher: [teacher, 'f32', ['n', 'old']],
  });
  if (old > classes) {
    throw new ShapeError({
      where,
      message: `the teacher ${show(teacher.shape)} has more classes than the student ${show(student.shape)}.`,
      fix: 'The old classes come first in both; cut the teacher’s logits with slice().',
    });
  }
  return old === classes ? student : student.slice([null, [0, old]]);
}

/**
 * Cross entropy with distributions as targets: −mean_b Σ_c p_c · log softmax(z)_c.
 * @param logits f32 [n, classes].
 * @param probabilities f32 [n, classes], each row adding up to 1; takes no gradient.
 * @throws {ShapeError} when the two differ in shape.
 * @throws {DTypeError} unless both are f32.
 */
export function softCrossEntropy(logits: Tensor, probabilities: Tensor): Tensor {
  const { n = 1 } = expectShapes('softCrossEntropy', {
    logits: [logits, 'f32', ['n', 'classes']],
    probabilities: [probabilities, 'f32', ['n', 'classes']],
  });
  return probabilities
    .detach()
    .mul(logits.logSoftmax())
    .sum()
    .mul(-1 / n);
}

/** Temperature of {@link softTargetLoss}. */
export interface SoftTargetOptions {
  /** T; 2 by default. The loss has no factor T². */
  temperature?: number;
}

/**
 * −mean_b Σ_{c<K} softmax(z′/T)_c · log softmax(z_{:K}/T)_c, with K the teacher's classes: `globalKD` plus the entropy of the
 * teacher, which has no gradient (Li & Hoiem 2016, eq. 2–3, as iCaRL, BiC and WA use it).
 * @param student f32 [n, classes]; the old classes come first, and new ones take no gradient.
 * @param teacher f32 [n, old classes]; takes no gradient.
 * @throws {ShapeError} when the logits do not fit each other.
 * @throws {DTypeError} when they are not f32.
 * @throws {ArgumentError} when the temperature is not a finite number above 0.
 */
export function softTargetLoss(student: Tensor, teacher: Tensor, { temperature = 2 }: SoftTargetOptions = {}): Tensor {
  checkTemperature('softTargetLoss', temperature);
  const old = oldLogitsOf('softTargetLoss', student, teacher);
  return softCrossEntropy(old.div(temperature), teacher.detach().div(temperature).softmax());
}
