import { alignmentSettings, alignTask } from '../alignment.ts';
import { defineMethod } from '../method.ts';
import { classification } from './classification.ts';

/** New images and exemplars of old classes together. */
export const replay = defineMethod({
  name: 'replay',
  summary: 'cross entropy on new data and exemplars',
  settings: alignmentSettings,
  keeps: 'exemplars',
  async *learn(task) {
    yield { loss: classification(task) };
    await alignTask(task, task.model.fc, task.settings);
  },
});
