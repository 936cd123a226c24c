/** DER++: replay of stored logits beside replay of labels (Buzzega et al. 2020). */
import { crossEntropy } from '../../ops/cross-entropy.ts';
import { expectShapes } from '../../ops/expect-shapes.ts';
import '../../ops/methods.ts';
import { arange } from '../../tensor/create.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { sumOfTerms } from '../loss-terms.ts';
import { oldLogitsOf } from './soft-targets.ts';

/**
 * Mean squared distance to logits that were stored with the samples.
 * @param logits f32 [n, classes].
 * @param stored f32 [n, up to as many classes], the first ones; takes no gradient.
 * @param known i32 [n]: how many logits of each row were there when it was stored, where the classifier has grown since. The mean
 * is then over these; over all of `stored` by default.
 * @throws {ShapeError} when the shapes do not fit.
 * @throws {DTypeError} unless logits are f32 and `known` is i32.
 */
export function logitReplayLoss(logits: Tensor, stored: Tensor, known?: Tensor): Tensor {
  const where = 'logitReplayLoss';
  const squares = oldLogitsOf(where, logits, stored).sub(stored.detach()).square();
  if (!known) return squares.mean();
  const columns = stored.shape[1] as number;
  const { n = 0 } = expectShapes(where, { stored: [stored, 'f32', ['n', columns]], known: [known, 'i32', ['n']] });
  const counts = arange(stored.engine, columns, 'i32')
    .less(known.reshape([n, 1]))
    .cast('f32');
  return squares.mul(counts).sum().div(counts.sum().clamp(1));
}

/** What a step of DER++ compares: the new batch, one from memory with its logits, another with its labels. */
export interface DarkExperience {
  /** Of new data, f32 [n, classes]. */
  logits: Tensor;
  /** i32 [n]. */
  targets: Tensor;
  /** Of a batch from memory, f32 [m, classes]. */
  memoryLogits: Tensor;
  /** Stored with that batch, f32 [m, up to as many classes]. */
  storedLogits: Tensor;
  /** How many logits of each row were there when it was stored, i32 [m]; all by default. */
  known?: Tensor;
  /** Of another batch from memory, f32 [k, classes]. */
  otherLogits: Tensor;
  /** i32 [k]. */
  otherTargets: Tensor;
}

/** Weights of the terms of {@link darkExperienceLoss}. */
export interface DarkExperienceOptions {
  /** α, of the distance to the stored logits. */
  alpha: number;
  /** β, of the labels in memory. */
  beta: number;
  /** ε of both cross entropies; 0 by default. */
  labelSmoothing?: number;
}

/**
 * CE(new) + α · mean squared distance to the stored logits + β · CE(memory) (Buzzega et al. 2020, DER++; with β = 0 it is DER),
 * as terms `ce`, `logits` and `replay`.
 * @throws {ShapeError} when a batch's tensors do not fit each other.
 * @throws {DTypeError} unless logits are f32 and targets i32.
 */
export function darkExperienceLoss(
  given: DarkExperience,
  { alpha, beta, labelSmoothing = 0 }: DarkExperienceOptions,
): Tensor {
  return sumOfTerms({
    ce: crossEntropy(given.logits, given.targets, { labelSmoothing }),
    logits: logitReplayLoss(given.memoryLogits, given.storedLogits, given.known).mul(alpha),
    replay: crossEntropy(given.otherLogits, given.otherTargets, { labelSmoothing }).mul(beta),
  });
}
