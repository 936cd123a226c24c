/** Replay with a distillation term: what `kd`, `tkd`, `fdkd` and `rdkd` have in common. */
import * as v from 'valibot';
import { isBySimilarity, WEIGHTING_STRATEGIES } from '../../distill/weighting.ts';
import { ConfigError } from '../../errors.ts';
import { alignmentSettings, alignTask } from '../alignment.ts';
import { type DistillationOptions, distillation, distillationSettings } from '../distillation.ts';
import { hasRoom } from '../memory-use.ts';
import type { LinearModel, Phase, Task, TaskPlan } from '../method.ts';
import { choiceSetting, setting, type ValuesOf } from '../setting.ts';
import { named } from '../setting-name.ts';
import { classification, withDistillation } from './classification.ts';
import { oldShare } from './shares.ts';

export const distilledSettings = {
  ...distillationSettings,
  weighting: choiceSetting(
    [...WEIGHTING_STRATEGIES, 'convex'],
    'fixed',
    'how the weight changes from task to task; convex: with μ the share of old classes, μ, and 1 − μ for the cross entropy',
  ),
  // Left open, so that runs from before it go on.
  temperatureSquared: setting(
    v.boolean(),
    undefined,
    'factor T² of the distillation (with it gradients are about as large at any temperature)',
    '',
  ),
  ...alignmentSettings,
};

/** @throws {ConfigError} for weights that follow from images of old classes, where none are kept. */
export function checkWeighting({ weighting }: ValuesOf<typeof distilledSettings>, { training }: TaskPlan): void {
  if (!isBySimilarity(weighting) || hasRoom(training)) return;
  throw new ConfigError({
    where: 'weighting',
    message: `the weighting '${weighting}' compares new classes with exemplars of the old ones, and none are kept.`,
    fix: `Use another ${named('weighting')}, or a ${named('memory')} above 0.`,
  });
}

/** CE + λ·KD on new images and exemplars, or (1 − μ)·CE + λ·μ·KD, then alignment. */
export async function* learnDistilled(
  task: Task<typeof distilledSettings, LinearModel>,
  options: DistillationOptions,
): AsyncGenerator<Phase<LinearModel>> {
  const { weighting: chosen, temperature, temperatureSquared, kdWeight } = task.settings;
  const isConvex = chosen === 'convex';
  const share = isConvex ? oldShare(task) : 1;
  const weight = kdWeight * share * (temperatureSquared ? temperature ** 2 : 1);
  const weighting = isConvex ? 'fixed' : chosen;
  const ce = classification(task);
  const kd = await distillation(task, { temperature, kdWeight: weight, weighting }, options);
  yield withDistillation(kd && isConvex ? (batch) => ce(batch).mul(1 - share) : ce, kd);
  await alignTask(task, task.model.fc, task.settings);
}
