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

/** How a task is trained, counted from 0: the first one may have its own epochs, rate, weight decay and milestones. */
export function taskRecipe(settings: LearnerSettings, task: number): Recipe {
  const { baseLr, baseWeightDecay, baseMilestones, lr, weightDecay, milestones } = settings;
  const epochs = epochsOf(settings, task);
  if (task > 0) return { ...settings, epochs };
  return {
    ...settings,
    epochs,
    lr: baseLr ?? lr,
    weightDecay: baseWeightDecay ?? weightDecay,
    milestones: baseMilestones ?? milestones,
  };
}

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
