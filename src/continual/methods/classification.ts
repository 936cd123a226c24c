/** What several methods share: cross entropy over all classes seen, and a distillation beside a loss. */
import { crossEntropy } from '../../ops/cross-entropy.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Distillation } from '../distillation.ts';
import { sumOfTerms } from '../loss-terms.ts';
import type { Batch, Phase, Task } from '../method.ts';

/** The loss of new and old classes alike, smoothed as configured. */
export const classification =
  ({ training: { labelSmoothing } }: Pick<Task, 'training'>) =>
  ({ logits, targets }: Pick<Batch, 'logits' | 'targets'>): Tensor =>
    sumOfTerms({ ce: crossEntropy(logits, targets, { labelSmoothing }) });

/** A phase's loss with the distillation of old logits added, and the state of that; the loss alone where there is none. */
export const withDistillation = (
  loss: (batch: Batch) => Tensor,
  kd: Distillation | null,
): Pick<Phase, 'loss' | 'state'> => ({
  loss: (batch) => {
    const ce = loss(batch);
    if (!kd || !batch.oldLogits) return sumOfTerms({ ce });
    return sumOfTerms({ ce, kd: kd.loss(batch.logits, batch.oldLogits, batch.targets) });
  },
  state: kd?.state ?? {},
});
