import { alignmentSettings, alignTask } from '../alignment.ts';
import { checkDistill, distillSettings, distillTerm } from '../distillation.ts';
import { defineMethod } from '../method.ts';
import { classification, withDistillation } from './classification.ts';
import { oldShare } from './shares.ts';

/** (1 − λ)·CE + λ·KD, λ the share of old classes; then the new classes' weights are aligned, as the next task is taught. */
export const wa = defineMethod({
  name: 'wa',
  summary: 'replay + distillation by the share of old classes, then weight alignment',
  source: 'Zhao et al. 2020, Maintaining Discrimination and Fairness in Class Incremental Learning',
  settings: { ...distillSettings('whole'), ...alignmentSettings },
  keeps: 'exemplars',
  extraPasses: 1,
  check: (settings, { taskSizes }) => checkDistill(settings, taskSizes),
  async *learn(task) {
    const ce = classification(task);
    const share = oldShare(task);
    const kd = await distillTerm(task, task.settings, share);
    yield withDistillation(kd ? (batch) => ce(batch).mul(1 - share) : ce, kd);
    await alignTask(task, task.model.fc, task.settings);
  },
});
