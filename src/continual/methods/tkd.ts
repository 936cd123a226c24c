import { checkDistillation } from '../distillation.ts';
import { defineMethod } from '../method.ts';
import { checkWeighting, distilledSettings, learnDistilled } from './distilled.ts';

/** Distillation of each old task by itself (as SS-IL, Ahn et al. 2021). */
export const tkd = defineMethod({
  name: 'tkd',
  summary: 'replay + distillation task by task',
  settings: distilledSettings,
  keeps: 'exemplars',
  exemplarFree: true,
  extraPasses: 1,
  verified:
    'PyTorch, average within 0.3 and last within 0.8 points (Fashion-MNIST in 5 tasks, glyphs in 10, two orders of each)',
  check(settings, plan) {
    checkWeighting(settings, plan);
    checkDistillation(plan.taskSizes.slice(0, -1), { pool: 'tasks' });
    return undefined;
  },
  learn: (task) => learnDistilled(task, { pool: 'tasks' }),
});
