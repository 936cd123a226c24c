/** What several methods share: cross entropy over all classes seen. */
import { crossEntropy } from '../../ops/cross-entropy.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Batch, Task } from '../method.ts';

/** The loss of new and old classes alike, smoothed as configured. */
export const classification =
  ({ training: { labelSmoothing } }: Pick<Task, 'training'>) =>
  ({ logits, targets }: Pick<Batch, 'logits' | 'targets'>): Tensor =>
    crossEntropy(logits, targets, { labelSmoothing });
