import type { Tensor } from '../../tensor/tensor.ts';
import { checkDistill, distillSettings, distillTerm } from '../distillation.ts';
import { defineMethod, type LinearModel, type Outputs, type Task } from '../method.ts';
import { defaultModel } from '../model.ts';
import { BiasCorrection } from '../rules/bias-correction.ts';
import { numberSetting, wholeSetting } from '../setting.ts';
import { classification, withDistillation } from './classification.ts';
import { oldShare } from './shares.ts';
import { WrappedModel } from './wrapped-model.ts';

const settings = {
  ...distillSettings('whole'),
  heldOut: numberSetting(
    0.1,
    { above: 0, below: 1 },
    "share of each class's exemplars, and as many new images a class, that the correction is trained on",
    'share',
  ),
  correctionEpochs: wholeSetting(0, 0, 'epochs of the correction; 0 for as many as the task has'),
};

/** A network whose logits are scaled and shifted task by task; the corrected ones are what the next task is taught. */
class CorrectedModel extends WrappedModel {
  constructor(
    net: LinearModel,
    readonly correction: BiasCorrection,
  ) {
    super(net);
  }

  override forward(images: Tensor): Tensor {
    return this.correction.forward(super.forward(images));
  }

  override outputs(images: Tensor): Outputs {
    const outputs = super.outputs(images);
    return { ...outputs, logits: this.correction.forward(outputs.logits) };
  }

  override grow(classes: number, seed: number): void {
    super.grow(classes, seed);
    this.correction.grow(this.classes);
  }
}

/**
 * Splits a task's images: of each class the last of a random order are held out, of new classes as many as of an old one. None
 * are where those left would be of old classes alone, or of new ones: they show no bias between the two.
 */
function split({ fresh, exemplars, labels, oldClasses, settings: { heldOut }, random }: Task<typeof settings>) {
  const held = new Set<number>();
  const order = random('held out');
  const take = (label: number, images: readonly number[], count: number) => {
    const own = images.filter((image) => labels[image] === label);
    for (const image of order.shuffle(own).slice(0, Math.min(count, own.length - 1))) held.add(image);
  };
  const counts = new Map<number, number>();
  for (const image of exemplars) {
    const label = labels[image] as number;
    counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  for (const [label, count] of counts) take(label, exemplars, Math.max(1, Math.floor(heldOut * count)));
  const each = Math.max(1, Math.floor(held.size / Math.max(1, counts.size)));
  const added = new Set(fresh.map((image) => labels[image] as number).filter((label) => label >= oldClasses));
  const heldOld = held.size;
  for (const label of added) take(label, fresh, each);
  const all = [...fresh, ...exemplars];
  if (heldOld === 0 || held.size === heldOld) return { training: all, validation: [] };
  return { training: all.filter((image) => !held.has(image)), validation: all.filter((image) => held.has(image)) };
}

/** (1 − λ)·CE + λ·KD, λ the share of old classes; then the new classes' logits are corrected on images held out. */
export const bic = defineMethod({
  name: 'bic',
  summary: 'replay + distillation, then a correction of the bias towards new classes on images held out',
  source: 'Wu et al. 2019, Large Scale Incremental Learning',
  settings,
  keeps: 'exemplars',
  extraPasses: 1,
  check: (settings, { taskSizes }) => checkDistill(settings, taskSizes),
  model: (context) => new CorrectedModel(defaultModel(context), new BiasCorrection(context.engine, [context.classes])),
  async *learn(task) {
    const { model, old } = task;
    const { correctionEpochs } = task.settings;
    const ce = classification(task);
    if (!old) {
      yield { parameters: model.net, loss: ce };
      return;
    }
    const share = oldShare(task);
    const kd = await distillTerm(task, task.settings, share);
    const { training, validation } = split(task);
    yield {
      images: training,
      parameters: model.net,
      ...withDistillation((batch) => ce(batch).mul(1 - share), kd),
    };
    if (validation.length === 0) return;
    yield {
      name: 'correction',
      images: validation,
      parameters: model.correction,
      recipe: correctionEpochs > 0 ? { epochs: correctionEpochs } : {},
      loss: ce,
    };
    const { alpha, beta } = model.correction;
    task.note('alpha', 1 + (((await alpha.at(-1)?.data()) ?? [0])[0] as number));
    task.note('beta', ((await beta.at(-1)?.data()) ?? [0])[0] as number);
  },
});
