import { crossEntropy } from '../../ops/cross-entropy.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { checkDistill, distillSettings, distillTerm } from '../distillation.ts';
import { type Batch, defineMethod, type Task } from '../method.ts';
import { numberSetting } from '../setting.ts';
import { classification, withDistillation } from './classification.ts';
import { singleClassNotices } from './single-class.ts';

const settings = {
  ...distillSettings('whole'),
  kdWeight: numberSetting(
    3,
    { least: 0 },
    'weight of the distillation beside the cross entropy of the new classes',
    'λ',
  ),
};

/** Cross entropy of the new classes among themselves: what becomes of old logits is left to the distillation. */
function newClassification({ oldClasses, newClasses, training }: Task<typeof settings>) {
  const { labelSmoothing } = training;
  if (oldClasses === 0 || newClasses === 0) return classification({ training });
  return ({ logits, targets }: Batch): Tensor =>
    crossEntropy(logits.slice([null, [oldClasses, oldClasses + newClasses]]), targets.sub(oldClasses), {
      labelSmoothing,
    });
}

/** CE over the new classes + λ·KD of what the old model says of new images; nothing else is kept of old tasks. */
export const lwf = defineMethod({
  name: 'lwf',
  summary: 'cross entropy of the new classes alone + distillation on new images, without exemplars',
  source: 'Li & Hoiem 2016, Learning without Forgetting',
  settings,
  keeps: 'nothing',
  extraPasses: 1,
  check: (settings, { taskSizes }) => [...(checkDistill(settings, taskSizes) ?? []), ...singleClassNotices(taskSizes)],
  async *learn(task) {
    const ce = newClassification(task);
    const kd = await distillTerm(task, task.settings, task.settings.kdWeight);
    yield withDistillation(ce, kd);
  },
});
