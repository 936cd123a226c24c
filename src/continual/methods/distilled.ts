/** Replay with a distillation term: what `kd`, `tkd`, `fdkd` and `rdkd` have in common. */
import type { ResNet } from '../../nn/resnet.ts';
import { alignmentSettings, alignTask } from '../alignment.ts';
import { type DistillationOptions, distillation, distillationSettings } from '../distillation.ts';
import type { Phase, Task } from '../method.ts';
import { classification } from './classification.ts';

export const distilledSettings = { ...distillationSettings, ...alignmentSettings };

/** CE + λ·KD on new images and exemplars, then alignment. */
export async function* learnDistilled(
  task: Task<typeof distilledSettings, ResNet>,
  options: DistillationOptions,
): AsyncGenerator<Phase<ResNet>> {
  const ce = classification(task);
  const kd = await distillation(task, task.settings, options);
  yield {
    loss: (batch) => (kd && batch.oldLogits ? ce(batch).add(kd.loss(batch.logits, batch.oldLogits)) : ce(batch)),
    state: kd?.state ?? {},
  };
  await alignTask(task, task.model.fc, task.settings);
}
