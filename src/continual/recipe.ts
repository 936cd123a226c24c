/** From settings to an optimizer and its learning rates. */
import type { Module } from '../nn/module.ts';
import { Adam, AdamW } from '../optim/adam.ts';
import type { Optimizer } from '../optim/optimizer.ts';
import { constantSchedule, cosineSchedule, type Schedule, stepSchedule, warmUp } from '../optim/schedules.ts';
import { SGD } from '../optim/sgd.ts';
import type { LearnerSettings, Recipe } from './learner-settings.ts';

export function makeOptimizer(module: Module, recipe: Recipe): Optimizer {
  const { lr, weightDecay, momentum, nesterov } = recipe;
  if (recipe.optimizer === 'adam') return new Adam(module, { lr, weightDecay });
  if (recipe.optimizer === 'adamw') return new AdamW(module, { lr, weightDecay });
  return new SGD(module, { lr, momentum, nesterov, weightDecay });
}

/** Epochs of a task, counted from 0. */
export const epochsOf = (
  { epochs, baseEpochs }: Pick<LearnerSettings, 'epochs' | 'baseEpochs'>,
  task: number,
): number => (task === 0 && baseEpochs > 0 ? baseEpochs : epochs);

/** The learning rate by epoch, from 0. */
export function makeSchedule({ schedule, lr, milestones, warmup, epochs }: Recipe): Schedule {
  const after = Math.max(1, epochs - warmup);
  const base =
    schedule === 'cosine'
      ? cosineSchedule(lr, after)
      : schedule === 'step'
        ? stepSchedule(lr, milestones)
        : constantSchedule(lr);
  return warmup > 0 ? warmUp(base, warmup) : base;
}
