import { defineMethod } from '../method.ts';
import { classification } from './classification.ts';

/** Training on, and nothing else: the lower bound. */
export const finetune = defineMethod({
  name: 'finetune',
  summary: 'cross entropy on new data alone: the lower bound',
  settings: {},
  keeps: 'nothing',
  verified: 'PyTorch, average within 0.0 and last within 0.0 points (Fashion-MNIST in 5 tasks, two orders)',
  *learn(task) {
    yield { images: task.fresh, loss: classification(task) };
  },
});
