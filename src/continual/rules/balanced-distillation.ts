/** FOSTER's weights by class and the losses that take them: its boosting and its compression (Wang et al. 2022). */
import { ArgumentError } from '../../errors.ts';
import { type CrossEntropyOptions, crossEntropy } from '../../ops/cross-entropy.ts';
import { expectShapes } from '../../ops/expect-shapes.ts';
import '../../ops/methods.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { checkTemperature, oldLogitsOf, type SoftTargetOptions, softCrossEntropy } from './soft-targets.ts';

/**
 * Weights by the effective number of samples: (1 − β)/(1 − β^count), scaled to the mean 1 (Cui et al. 2019, eq. 2 and its
 * normalisation). FOSTER takes β = 0.96 for boosting, 0.97 for compression.
 * @param counts images of each class that the task is learnt on.
 * @param beta in [0, 1); at 0 every class weighs the same.
 * @returns one weight a class.
 * @throws {ArgumentError} when a count is not above 0, or β is out of range.
 */
export function classBalancedWeights(counts: ArrayLike<number>, beta: number): number[] {
  const where = 'classBalancedWeights';
  const list = Array.from(counts);
  if (!(beta >= 0 && beta < 1)) throw new ArgumentError({ where, message: `β is ${beta}; [0, 1) was expected.` });
  const bad = list.findIndex((count) => !(count > 0 && count < Number.POSITIVE_INFINITY));
  if (bad >= 0 || list.length === 0) {
    const told = bad < 0 ? 'there are no counts' : `class ${bad} has ${list[bad]} images`;
    throw new ArgumentError({ where, message: `${told}; every class needs at least one.` });
  }
  // expm1 keeps the digits that 1 − β^count loses where β is near 1.
  const weights = list.map((count) => -(1 - beta) / Math.expm1(count * Math.log(beta)));
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
  return weights.map((weight) => weight / mean);
}

/**
 * Cross entropy of logits divided by their classes' weights, which gives rare classes the larger margin:
 * CE(z / w, y) (Wang et al. 2022, logits alignment).
 * @param logits f32 [n, classes].
 * @param targets i32 [n].
 * @param weights f32 [classes], above 0: {@link classBalancedWeights}.
 * @param options `labelSmoothing`: ε; 0 by default.
 * @throws {ShapeError} when the shapes do not fit.
 * @throws {DTypeError} unless logits and weights are f32 and targets i32.
 */
export function adjustedCrossEntropy(
  logits: Tensor,
  targets: Tensor,
  weights: Tensor,
  { labelSmoothing = 0 }: Pick<CrossEntropyOptions, 'labelSmoothing'> = {},
): Tensor {
  expectShapes('adjustedCrossEntropy', {
    logits: [logits, 'f32', ['n', 'classes']],
    targets: [targets, 'i32', ['n']],
    weights: [weights, 'f32', ['classes']],
  });
  return crossEntropy(logits.div(weights), targets, { labelSmoothing });
}

/**
 * Balanced distillation: −mean_b Σ_c p_c · log softmax(z/T)_c, where p is the teacher's softmax(z′/T) times the classes' weights,
 * renormalised (Wang et al. 2022, feature compression).
 * @param student f32 [n, at least the teacher's classes].
 * @param teacher f32 [n, classes]; takes no gradient.
 * @param weights f32 [classes], above 0: {@link classBalancedWeights}.
 * @throws {ShapeError} when the shapes do not fit.
 * @throws {DTypeError} when one is not f32.
 * @throws {ArgumentError} when the temperature is not a finite number above 0.
 */
export function balancedDistillationLoss(
  student: Tensor,
  teacher: Tensor,
  weights: Tensor,
  { temperature = 2 }: SoftTargetOptions = {},
): Tensor {
  const where = 'balancedDistillationLoss';
  checkTemperature(where, temperature);
  const old = oldLogitsOf(where, student, teacher);
  expectShapes(where, { teacher: [teacher, 'f32', ['n', 'classes']], weights: [weights, 'f32', ['classes']] });
  // As logits plus log w, a softmax renormalises by itself, however small the probabilities.
  const probabilities = teacher.detach().div(temperature).add(weights.detach().log()).softmax();
  return softCrossEntropy(old.div(temperature), probabilities);
}
