import { defineMethod } from '../method.ts';
import { checkWeighting, distilledSettings, learnDistilled } from './distilled.ts';

/** Global distillation: all old classes are one group (Hinton et al. 2015, as iCaRL, WA and BiC use it). */
export const kd = defineMethod({
  name: 'kd',
  summary: 'replay + distillation of all old logits as one group',
  settings: distilledSettings,
  keeps: 'exemplars',
  exemplarFree: true,
  extraPasses: 1,
  verified:
    'PyTorch, average within 0.1 and last within 1.8 points (Fashion-MNIST in 5 tasks, glyphs in 10, two orders of each)',
  check(settings, plan) {
    checkWeighting(settings, plan);
    return undefined;
  },
  learn: (task) => learnDistilled(task, { pool: 'whole' }),
});
