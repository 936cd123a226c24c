import { alignmentSettings, alignTask, holdPositive } from '../alignment.ts';
import { checkDistill, distillSettings, distillTerm } from '../distillation.ts';
import { defineMethod } from '../method.ts';
import { switchSetting } from '../setting.ts';
import { classification, withDistillation } from './classification.ts';
import { oldShare } from './shares.ts';

const settings = {
  ...distillSettings('whole'),
  ...alignmentSettings,
  positiveWeights: switchSetting(
    false,
    "the classifier's weights held at 0 or above after every step: the paper's restriction, which PyCIL leaves out",
  ),
};

/** (1 − λ)·CE + λ·KD, λ the share of old classes; then the new classes' weights are aligned, as the next task is taught. */
export const wa = defineMethod({
  name: 'wa',
  summary: 'replay + distillation by the share of old classes, then weight alignment',
  source: 'Zhao et al. 2020, Maintaining Discrimination and Fairness in Class Incremental Learning',
  settings,
  keeps: 'exemplars',
  extraPasses: 1,
  check: (settings, { taskSizes }) => checkDistill(settings, taskSizes),
  async *learn(task) {
    const ce = classification(task);
    const share = oldShare(task);
    const kd = await distillTerm(task, task.settings, share);
    const { model } = task;
    yield {
      ...withDistillation(kd ? (batch) => ce(batch).mul(1 - share) : ce, kd),
      ...(task.settings.positiveWeights ? { afterStep: () => holdPositive(model.fc) } : {}),
    };
    await alignTask(task, model.fc, task.settings);
  },
});
