/**
 * SS-IL: new classes and old ones are told apart among themselves only, on replay batches drawn beside the new images. No loss
 * compares the two: whether an image is of a new class or an old one follows from the sizes of their logits alone, which say
 * little where tasks have few classes.
 */
import { checkDistill, distillSettings, distillTerm } from '../distillation.ts';
import { sumOfTerms } from '../loss-terms.ts';
import { defineMethod } from '../method.ts';
import { separatedCrossEntropy } from '../rules/separated-softmax.ts';
import { switchSetting, wholeSetting } from '../setting.ts';
import { singleClassNotices } from './single-class.ts';

const settings = {
  ...distillSettings('tasks'),
  replayBatch: wholeSetting(0, 0, 'exemplars drawn beside each batch of new images; 0 for a quarter of its size'),
  rateByTask: switchSetting(true, 'division of the learning rate by the number of the task (its authors divide it)'),
};

/** Of the authors' batches, 32 exemplars beside 128 new images. */
const REPLAY_SHARE = 1 / 4;

/** Separated softmax, and the distillation of each old task's logits by itself: T² · Σ_t KD_t. */
export const ssil = defineMethod({
  name: 'ssil',
  summary: 'new and old classes under a softmax each, distillation task by task, replay batches beside the new images',
  source: 'Ahn et al. 2021, SS-IL: Separated Softmax for Incremental Learning',
  settings,
  keeps: 'exemplars',
  extraPasses: 1,
  check: (settings, { taskSizes }) => [...(checkDistill(settings, taskSizes) ?? []), ...singleClassNotices(taskSizes)],
  async *learn(task) {
    const { fresh, exemplars, oldClasses, oldTaskSizes, training } = task;
    const { temperature, replayBatch, rateByTask } = task.settings;
    const { labelSmoothing } = training;
    const isReplayed = exemplars.length > 0;
    const count = replayBatch > 0 ? replayBatch : Math.max(1, Math.floor(training.batch * REPLAY_SHARE));
    // A sum over the tasks: the term itself is a mean.
    const kd = await distillTerm(task, task.settings, temperature ** 2 * oldTaskSizes.length);
    yield {
      images: fresh,
      recipe: rateByTask && task.index > 0 ? { lr: training.lr / (task.index + 1) } : {},
      drawn: isReplayed ? { replay: { images: exemplars, batch: count } } : {},
      loss(batch) {
        const { logits, oldLogits, targets } = isReplayed ? batch.joined(batch.drawn('replay')) : batch;
        const ce = separatedCrossEntropy(logits, targets, oldClasses, { labelSmoothing });
        return sumOfTerms(kd && oldLogits ? { ce, kd: kd.loss(logits, oldLogits) } : { ce });
      },
      state: kd?.state ?? {},
    };
  },
});
