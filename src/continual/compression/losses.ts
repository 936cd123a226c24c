/** The losses that students are compared by, each of a batch with the teacher's logits. */

import { type ClassGroups, isInOrder } from '../../distill/class-groups.ts';
import { decoupledKD } from '../../distill/decoupled-kd.ts';
import { denseKD, globalKD } from '../../distill/dense-kd.ts';
import { ArgumentError } from '../../errors.ts';
import { crossEntropy } from '../../ops/cross-entropy.ts';
import { gather } from '../../ops/gather.ts';
import '../../ops/methods.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { CompressionLoss, CompressionSettings } from './settings.ts';

/** What a loss is of. */
export interface CompressionBatch {
  /** The student's, f32 [n, classes]. */
  readonly logits: Tensor;
  /** The teacher's, f32 [n, classes]; only asked for by the losses that distil. */
  readonly oldLogits: Tensor | null;
  /** Right logits, i32 [n]. */
  readonly targets: Tensor;
}

export type CompressionTerms = Pick<
  CompressionSettings,
  'temperature' | 'kdWeight' | 'alpha' | 'beta' | 'labelSmoothing'
>;

/**
 * CE + λ·T²·KD, mean over the batch: T² so that temperatures can be compared at one λ (Hinton et al. 2015). The decoupled
 * distillation has T² within, and α and β of its own; λ multiplies it too. Its authors let its weight rise over the first epochs,
 * which is left out here.
 * @param groups for `dense`: its pool is every union of them, uniformly weighed.
 * @param order the groups' order, i32 [classes]; none where the logits lie in it.
 */
export function compressionLoss(
  loss: CompressionLoss,
  { temperature, kdWeight, alpha, beta, labelSmoothing }: CompressionTerms,
  groups: ClassGroups | null,
  order: Tensor | null,
): (batch: CompressionBatch) => Tensor {
  const weighting = kdWeight * temperature ** 2;
  const distil = ({ logits, oldLogits, targets }: CompressionBatch): Tensor | null => {
    if (loss === 'scratch' || kdWeight === 0) return null;
    const teacher = oldLogits as Tensor;
    if (loss === 'decoupled') return decoupledKD(logits, teacher, targets, { alpha, beta, temperature }).mul(kdWeight);
    if (loss === 'kd') {
      const taskSizes = [logits.shape[1] as number];
      return globalKD(logits, teacher, { taskSizes, temperature, weighting });
    }
    // The student's classes stay where they are: only the loss sees them group by group.
    const ordered = (z: Tensor) => (order ? gather(z, order, 1) : z);
    const { sizes } = groups as ClassGroups;
    return denseKD(ordered(logits), ordered(teacher), { taskSizes: sizes, temperature, weighting });
  };
  return (batch) => {
    const ce = crossEntropy(batch.logits, batch.targets, { labelSmoothing });
    const kd = distil(batch);
    return kd ? ce.add(kd) : ce;
  };
}

/** @throws {ArgumentError} for groups that are not of so many classes, and where `dense` has none. */
export function checkGroups(loss: CompressionLoss, groups: ClassGroups | undefined, classes: number): void {
  const where = 'compression';
  if (loss === 'dense' && !groups)
    throw new ArgumentError({ where, message: "the loss 'dense' needs groups.", fix: 'Give those of classGroups().' });
  if (groups && groups.order.length !== classes)
    throw new ArgumentError({
      where,
      message: `the groups are of ${groups.order.length} classes, the teacher has ${classes}.`,
      fix: 'Give groups of all its classes.',
    });
}

/** None where the classes lie in their groups' order. */
export const orderOf = (groups: ClassGroups | undefined): Int32Array<ArrayBuffer> | null =>
  groups && !isInOrder(groups) ? Int32Array.from(groups.order) : null;
