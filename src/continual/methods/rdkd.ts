import { POOL_KINDS } from '../../distill/task-pool.ts';
import { checkDistillation, groupsSetting, usualPool } from '../distillation.ts';
import { defineMethod } from '../method.ts';
import { choiceSetting } from '../setting.ts';
import { checkWeighting, distilledSettings, learnDistilled } from './distilled.ts';

const settings = {
  ...distilledSettings,
  pool: choiceSetting(POOL_KINDS, undefined, 'groups that are drawn from; dense by default'),
  groups: groupsSetting,
};

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
    const { pool, groups } = settings;
    const oldTasks = plan.taskSizes.slice(0, -1);
    checkDistillation(oldTasks, { pool: pool ?? usualPool(oldTasks.length, true), draw: groups });
    return undefined;
  },
  learn: (task) =>
    learnDistilled(task, {
      pool: task.settings.pool ?? usualPool(task.oldTaskSizes.length, true),
      draw: task.settings.groups,
    }),
});
