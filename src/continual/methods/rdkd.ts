import { POOL_KINDS } from '../../distill/task-pool.ts';
import {
  checkDistillation,
  type DistillationOptions,
  groupsSetting,
  sizesSetting,
  upToSetting,
  usualPool,
} from '../distillation.ts';
import { defineMethod } from '../method.ts';
import { choiceSetting, type ValuesOf } from '../setting.ts';
import { checkWeighting, distilledSettings, learnDistilled } from './distilled.ts';

const settings = {
  ...distilledSettings,
  pool: choiceSetting(POOL_KINDS, undefined, 'groups that are drawn from; dense by default'),
  upTo: upToSetting,
  sizes: sizesSetting,
  groups: groupsSetting,
};

const optionsOf = (
  { pool, upTo, sizes, groups }: ValuesOf<typeof settings>,
  oldTasks: number,
): DistillationOptions => ({
  pool: pool ?? usualPool(oldTasks, true),
  upTo,
  sizes,
  draw: groups,
});

/** Random dense knowledge distillation: a few groups of the task pool, drawn anew in every step. */
export const rdkd = defineMethod({
  name: 'rdkd',
  summary: 'replay + dense distillation of randomly drawn groups (RDKD)',
  source: 'Densely Distilling Cumulative Knowledge for Continual Learning, 2024, arXiv 2405.09820',
  settings,
  keeps: 'exemplars',
  exemplarFree: true,
  extraPasses: 1,
  check(settings, plan) {
    checkWeighting(settings, plan);
    const oldTasks = plan.taskSizes.slice(0, -1);
    checkDistillation(oldTasks, optionsOf(settings, oldTasks.length));
    return undefined;
  },
  learn: (task) => learnDistilled(task, optionsOf(task.settings, task.oldTaskSizes.length)),
});
