import { MOST_DENSE_TASKS, POOL_KINDS } from '../../distill/task-pool.ts';
import { checkDistillation, usualPool } from '../distillation.ts';
import { defineMethod } from '../method.ts';
import { choiceSetting } from '../setting.ts';
import { checkWeighting, distilledSettings, learnDistilled } from './distilled.ts';

const settings = {
  ...distilledSettings,
  pool: choiceSetting(
    POOL_KINDS,
    undefined,
    `groups that are distilled; dense by default, runs beyond ${MOST_DENSE_TASKS + 1} tasks`,
  ),
};

/** Full dense knowledge distillation: every group of the task pool in every step. */
export const fdkd = defineMethod({
  name: 'fdkd',
  summary: 'replay + dense distillation of every group in the pool (FDKD)',
  source: 'Densely Distilling Cumulative Knowledge for Continual Learning, arXiv 2405.09820',
  settings,
  keeps: 'exemplars',
  exemplarFree: true,
  extraPasses: 1,
  check(settings, plan) {
    checkWeighting(settings, plan);
    const { pool } = settings;
    const oldTasks = plan.taskSizes.slice(0, -1);
    const usual = usualPool(oldTasks.length, false);
    checkDistillation(oldTasks, { pool: pool ?? usual });
    if (pool !== undefined || usual === 'dense') return undefined;
    return [
      `The dense pool is distilled for up to ${MOST_DENSE_TASKS} old tasks, and there will be ${oldTasks.length}: ` +
        "from then on every run of neighbouring tasks is distilled instead, which is the pool 'runs'.",
    ];
  },
  learn: (task) => learnDistilled(task, { pool: task.settings.pool ?? usualPool(task.oldTaskSizes.length, false) }),
});
