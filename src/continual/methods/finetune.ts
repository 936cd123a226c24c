import { defineMethod } from '../method.ts';
import { classification } from './classification.ts';

/** Training on, and nothing else: the lower bound. */
export const finetune = defineMethod({
  name: 'finetune',
  summary: 'cross entropy on new data alone: the lower bound',
  settings: {},
  keeps: 'nothing',
  verified: 'PyTorch, within 0.2 points of average and last accuracy (Fashion-MNIST, 5 tasks of 2 classes, two orders)',
  *learn(task) {
    yield { images: task.fresh, loss: classification(task) };
  },
});
