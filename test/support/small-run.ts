/** What tests of the learner train on. */
import type { ConfigInput } from '../../src/continual/config.ts';
import { loadDataset } from '../../src/data/load-dataset.ts';

export const fashion = await loadDataset('fashion-mini');

/** Four easily told classes in two tasks, a narrow network, a few epochs: seconds on two cores. */
export const small: ConfigInput = {
  data: 'fashion-mini',
  classOrder: [1, 8, 5, 2],
  tasks: 2,
  trainPerClass: 96,
  testPerClass: 50,
  width: 8,
  epochs: 4,
  batch: 32,
  memory: 40,
  lr: 0.1,
};
