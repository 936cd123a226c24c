/**
 * FOSTER: a task is learnt by a new extractor beside the old one, and both are compressed into one network after it. Rare classes
 * weigh (1 − β)/(1 − β^count), and the published β are for the published counts: 40 exemplars a class beside 500 images make the
 * weights differ by 1.24 and 1.42. With 6 beside 60 the same β make it 4.2 and 5.0, and the newest classes get nothing; β to the
 * power of 40/6 makes it what it was. With β₁ = β₂ = 0 all classes weigh the same.
 */
import { noGrad } from '../../autograd/tape.ts';
import { copyModule } from '../../nn/copy.ts';
import { widerLinear } from '../../nn/head.ts';
import { Linear } from '../../nn/layers.ts';
import { Module } from '../../nn/module.ts';
import { concat } from '../../ops/strided.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { checkDistill, distillSettings, distillTerm } from '../distillation.ts';
import { sumOfTerms } from '../loss-terms.ts';
import { defineMethod, type LinearModel, type Outputs, type Task } from '../method.ts';
import { defaultModel } from '../model.ts';
import {
  adjustedCrossEntropy,
  balancedDistillationLoss,
  classBalancedWeights,
} from '../rules/balanced-distillation.ts';
import { numberSetting, wholeSetting } from '../setting.ts';
import { classification } from './classification.ts';
import { WrappedModel } from './wrapped-model.ts';

const beta = (preset: number, of: string) =>
  numberSetting(preset, { least: 0, below: 1 }, `how far rare classes weigh more in the ${of}; 0 for all alike`, 'β');

const settings = {
  ...distillSettings('whole'),
  kdWeight: numberSetting(1, { least: 0 }, 'weight of the distillation beside the cross entropy', 'λ'),
  /** β in the boosting: how far rare classes weigh more, 0 for all alike; see `classBalancedWeights`. 0.96 by default. */
  beta1: beta(0.96, 'boosting'),
  /** The same in the compression; 0.97 by default. */
  beta2: beta(0.97, 'compression'),
  compressionEpochs: wholeSetting(0, 0, 'epochs of the compression; 0 for as many as the task has'),
};

/** What a task adds to the old network until it is compressed. */
class Boost extends Module {
  constructor(
    /** The new extractor, with a classifier of its own for all classes. */
    readonly net: LinearModel,
    /** Over the old features and the new ones. */
    readonly fc: Linear,
  ) {
    super(net.engine);
  }

  /** Logits of the new extractor alone, [n, classes]. */
  forward(images: Tensor): Tensor {
    return this.net.forward(images);
  }

  /** Logits over both extractors' features, and over the new one's alone: [n, classes] each. */
  logits(images: Tensor, oldFeatures: Tensor): { readonly joint: Tensor; readonly alone: Tensor } {
    const { features, logits } = this.net.outputs(images);
    return { joint: this.fc.forward(concat([oldFeatures, features], 1)), alone: logits };
  }
}

/** A network, and beside it what the task that is being learnt adds. */
class FosteredModel extends WrappedModel {
  /** Of the task under way: saved with its progress, and gone when it is done. */
  boost: Boost | null = null;
}

/** Another extractor, started from the old one; the joint classifier keeps what the old one had. Belongs to the caller. */
function boostOf(task: Task<typeof settings, FosteredModel>, old: LinearModel): Boost {
  const { engine, model, random } = task;
  const { classes, featureSize } = model;
  const net = task.newModel(old.classes);
  copyModule(old, net);
  net.fc.dispose();
  net.fc = new Linear(engine, featureSize, classes, { random: random('own head') });
  return new Boost(net, widerLinear(old.fc, 2 * featureSize, classes, random('joint head')));
}

/** Images of each class; a class that a reservoir kept none of counts as one with a single image. */
function classCounts({ fresh, exemplars, labels, model }: Task<typeof settings, FosteredModel>): number[] {
  const counts = new Array<number>(model.classes).fill(0);
  for (const image of [...fresh, ...exemplars]) counts[labels[image] as number]! += 1;
  return counts.map((count) => Math.max(1, count));
}

/** Boosting by CE over both extractors, CE of the new one and λ·KD; then compression into one network by balanced distillation. */
export const foster = defineMethod({
  name: 'foster',
  summary: 'a new backbone beside the old one for each task, then both compressed into one (feature boosting)',
  source: 'Wang et al. 2022, FOSTER: Feature Boosting and Compression for Class-Incremental Learning',
  settings,
  keeps: 'exemplars',
  // The old network; in the compression a step of training more, and both teachers.
  extraPasses: 6,
  check: (settings, { taskSizes }) => checkDistill(settings, taskSizes),
  model: (context) => new FosteredModel(defaultModel(context)),
  async *learn(task) {
    const { engine, model, old } = task;
    const { kdWeight, temperature, beta1, beta2, compressionEpochs } = task.settings;
    const { labelSmoothing } = task.training;
    const ce = classification(task);
    if (!old) {
      yield { loss: ce };
      return;
    }
    // In a field of the model, which frees it should the task fail.
    const boost = boostOf(task, old.net);
    model.boost = boost;
    const kd = await distillTerm(task, task.settings, kdWeight);
    const counts = classCounts(task);
    const weights = (beta: number): Tensor => task.hold(engine.tensor(classBalancedWeights(counts, beta)));
    const [boosting, compression] = [weights(beta1), weights(beta2)];
    yield {
      name: 'boosting',
      parameters: boost,
      loss({ images, targets, oldOutputs }) {
        const { features, logits: oldLogits } = oldOutputs as Outputs;
        const { joint, alone } = boost.logits(images, features);
        const own = {
          ce: adjustedCrossEntropy(joint, targets, boosting, { labelSmoothing }),
          alone: ce({ logits: alone, targets }),
        };
        return sumOfTerms(kd ? { ...own, kd: kd.loss(joint, oldLogits) } : own);
      },
      state: kd?.state ?? {},
    };
    yield {
      name: 'compression',
      parameters: model.net,
      // Without weight decay, as the authors train it.
      recipe: { weightDecay: 0, ...(compressionEpochs > 0 ? { epochs: compressionEpochs } : {}) },
      loss({ images, logits, oldOutputs }) {
        const { features } = oldOutputs as Outputs;
        const teacher = noGrad(engine, () => boost.logits(images, features).joint);
        return balancedDistillationLoss(logits, teacher, compression, { temperature });
      },
    };
    boost.dispose();
    model.boost = null;
  },
});
