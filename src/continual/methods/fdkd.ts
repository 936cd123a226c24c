import { MOST_DENSE_TASKS, POOL_KINDS } from '../../distill/task-pool.ts';
import { checkDistillation, densePoolNotices, usualPool } from '../distillation.ts';
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
  source: 'Densely Distilling Cumulative Knowledge for Continual Learning, 2024, arXiv 2405.09820',
  settings,
  keeps: 'exemplars',
  exemplarFree: true,
  extraPasses: 1,
  verified: 'PyTorch, within 2 points of average and last accuracy (glyphs, 10 tasks of 10 classes, two orders)',
  check(settings, plan) {
    checkWeighting(settings, plan);
    const { pool } = settings;
    const oldTasks = plan.taskSizes.slice(0, -1);
    const usual = usualPool(oldTasks.length, false);
    checkDistillation(oldTasks, { pool: pool ?? usual });
    return pool === undefined ? densePoolNotices(oldTasks.length) : undefined;
  },
  learn: (task) => learnDistilled(task, { pool: task.settings.pool ?? usualPool(task.oldTaskSizes.length, false) }),
});
