/**
 * DER++: exemplars are kept with the logits that a model had for them, and replayed twice a step, once to keep the logits and
 * once to keep the labels. The paper stores logits along the way, of augmented images, as a stream comes by. Here a task is
 * learnt as a whole and its images enter the memory at its end: what is stored are the logits of the finished task's model for
 * the images as they are, and only of classes known by then, which are what later logits are compared with. Within a task
 * nothing of the task itself is replayed.
 */
import { defineMethod, type Task } from '../method.ts';
import { darkExperienceLoss } from '../rules/dark-experience.ts';
import { numberSetting, wholeSetting } from '../setting.ts';
import { classification } from './classification.ts';

/** Those published for sequential CIFAR-10 with 500 exemplars. */
const settings = {
  alpha: numberSetting(0.2, { least: 0 }, 'weight of the distance to stored logits; 0.1 to 1 in the paper', 'α'),
  beta: numberSetting(0.5, { least: 0 }, "weight of exemplars' cross entropy; 0.1 to 1 in the paper", 'β'),
  memoryBatch: wholeSetting(0, 0, 'exemplars in each of the two batches drawn a step; 0 for as many as new images'),
};

/** What logits are called that are stored, and as many of each image as classes were known then. */
const LOGITS = 'logits';

/** The stored logits of the task's images, those that were not known filled up with 0, f32 [images, K], and how many were, i32 [images]. */
function storedLogits({ engine, labels, exemplars, oldClasses, stored, hold }: Task<typeof settings>) {
  const values = new Float32Array(labels.length * oldClasses);
  const known = new Int32Array(labels.length);
  for (const image of exemplars) {
    const row = stored(image, LOGITS) ?? new Float32Array();
    values.set(row, image * oldClasses);
    known[image] = row.length;
  }
  return {
    [LOGITS]: hold(engine.tensor(values, [labels.length, oldClasses])),
    known: hold(engine.tensor(known)),
  };
}

/** CE + α · squared distance to the stored logits of one memory batch + β · CE of another. */
export const derpp = defineMethod({
  name: 'derpp',
  summary: 'replay of exemplars and of the logits stored with them, from a reservoir (dark experience)',
  source: 'Buzzega et al. 2020, Dark Experience for General Continual Learning: a Strong, Simple Baseline',
  settings,
  keeps: 'exemplars',
  selection: 'reservoir',
  // Two batches more, forward and backward.
  extraPasses: 6,
  *learn(task) {
    const { fresh, exemplars, training } = task;
    const { alpha, beta, memoryBatch } = task.settings;
    const { labelSmoothing } = training;
    if (exemplars.length === 0) {
      yield { images: fresh, loss: classification(task) };
      return;
    }
    const memory = { images: exemplars, ...(memoryBatch > 0 ? { batch: memoryBatch } : {}) };
    yield {
      images: fresh,
      drawn: { dark: memory, labelled: memory },
      values: storedLogits(task),
      loss({ logits, targets, drawn }) {
        const [dark, labelled] = [drawn('dark'), drawn('labelled')];
        return darkExperienceLoss(
          {
            logits,
            targets,
            memoryLogits: dark.logits,
            storedLogits: dark.values(LOGITS),
            known: dark.values('known'),
            otherLogits: labelled.logits,
            otherTargets: labelled.targets,
          },
          { alpha, beta, labelSmoothing },
        );
      },
    };
  },
  async stores({ model, logits }, images) {
    const rows = await logits(model, images);
    return { [LOGITS]: images.map((_, at) => rows.slice(at * model.classes, (at + 1) * model.classes)) };
  },
});
