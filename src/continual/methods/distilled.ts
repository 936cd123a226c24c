/** Replay with a distillation term: what `kd`, `tkd`, `fdkd` and `rdkd` have in common. */
import { ConfigError } from '../../errors.ts';
import type { ResNet } from '../../nn/resnet.ts';
import { alignmentSettings, alignTask } from '../alignment.ts';
import { type DistillationOptions, distillation, distillationSettings } from '../distillation.ts';
import { hasRoom } from '../memory-use.ts';
import type { Phase, Task, TaskPlan } from '../method.ts';
import type { ValuesOf } from '../setting.ts';
import { classification, withDistillation } from './classification.ts';

export const distilledSettings = { ...distillationSettings, ...alignmentSettings };

/** @throws {ConfigError} for weights that follow from images of old classes, where none are kept. */
export function checkWeighting({ weighting }: ValuesOf<typeof distilledSettings>, { training }: TaskPlan): void {
  if (weighting !== 'adaptive' || hasRoom(training)) return;
  throw new ConfigError({
    where: 'weighting',
    message: "the weighting 'adaptive' compares new classes with exemplars of the old ones, and none are kept.",
    fix: 'Use another --weighting, or a --memory above 0.',
  });
}

/** CE + λ·KD on new images and exemplars, then alignment. */
export async function* learnDistilled(
  task: Task<typeof distilledSettings, ResNet>,
  options: DistillationOptions,
): AsyncGenerator<Phase<ResNet>> {
  const ce = classification(task);
  const kd = await distillation(task, task.settings, options);
  yield withDistillation(ce, kd);
  await alignTask(task, task.model.fc, task.settings);
}
