import { MOST_DENSE_TASKS, POOL_KINDS } from '../../distill/task-pool.ts';
import {
  checkDistillation,
  type DistillationOptions,
  densePoolNotices,
  sizesSetting,
  upToSetting,
  usualPool,
} from '../distillation.ts';
import { defineMethod } from '../method.ts';
import { choiceSetting, type ValuesOf } from '../setting.ts';
import { checkWeighting, distilledSettings, learnDistilled } from './distilled.ts';

const settings = {
  ...distilledSettings,
  pool: choiceSetting(
    POOL_KINDS,
    undefined,
    `groups that are distilled; dense by default, runs beyond ${MOST_DENSE_TASKS + 1} tasks`,
  ),
  upTo: upToSetting,
  sizes: sizesSetting,
};

/** A bounded pool is a list, which may be one of more tasks than all sets are distilled of. */
const optionsOf = ({ pool, upTo, sizes }: ValuesOf<typeof settings>, oldTasks: number): DistillationOptions => ({
  pool: pool ?? (upTo === undefined ? usualPool(oldTasks, false) : 'dense'),
  upTo,
  sizes,
});

/** Full dense knowledge distillation: every group of the task pool in every step. */
export const fdkd = defineMethod({
  name: 'fdkd',
  summary: 'replay + dense distillation of every group in the pool (FDKD)',
  source: 'Densely Distilling Cumulative Knowledge for Continual Learning, 2024, arXiv 2405.09820',
  settings,
  keeps: 'exemplars',
  exemplarFree: true,
  extraPasses: 1,
  verified:
    'PyTorch, average within 0.5 and last within 1.0 points (Fashion-MNIST in 5 tasks, glyphs in 10, two orders of each)',
  check(settings, plan) {
    checkWeighting(settings, plan);
    const { pool, upTo } = settings;
    const oldTasks = plan.taskSizes.slice(0, -1);
    checkDistillation(oldTasks, optionsOf(settings, oldTasks.length));
    return pool === undefined && upTo === undefined ? densePoolNotices(oldTasks.length) : undefined;
  },
  learn: (task) => learnDistilled(task, optionsOf(task.settings, task.oldTaskSizes.length)),
});
