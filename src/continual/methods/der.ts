import { copyModule } from '../../nn/copy.ts';
import { widerLinear } from '../../nn/head.ts';
import { Linear } from '../../nn/layers.ts';
import { Module } from '../../nn/module.ts';
import { crossEntropy } from '../../ops/cross-entropy.ts';
import { concat } from '../../ops/strided.ts';
import { Random } from '../../tensor/random.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { alignmentSettings, alignTask } from '../alignment.ts';
import { balancedImages } from '../balanced.ts';
import { sumOfTerms } from '../loss-terms.ts';
import { defineMethod, type IncrementalModel, type Outputs } from '../method.ts';
import { backboneOf } from '../model.ts';
import type { Extractor } from '../network.ts';
import { auxiliaryTargets } from '../rules/auxiliary-targets.ts';
import { numberSetting, wholeSetting } from '../setting.ts';
import { classification } from './classification.ts';

/** What the losses look at besides. */
interface ExpandedOutputs extends Outputs {
  /** The newest extractor's, [n, its features]. */
  readonly newest: Tensor;
}

/** An extractor a task, their features joined; the older ones stay as they are. */
class ExpandableModel extends Module implements IncrementalModel {
  readonly extractors: Extractor[] = [];
  fc: Linear;
  /** Tells the newest task's classes from each other and from all older ones; none in the first task. */
  auxiliary: Linear | null = null;

  constructor(
    private readonly makeExtractor: (index: number) => Extractor,
    classes: number,
    seed: number,
  ) {
    const first = makeExtractor(0);
    super(first.engine);
    this.extractors.push(first);
    this.fc = new Linear(first.engine, first.featureSize, classes, { random: Random.of(seed, 'head', classes) });
  }

  get classes(): number {
    return this.fc.outFeatures;
  }

  get featureSize(): number {
    return this.extractors.reduce((total, { featureSize }) => total + featureSize, 0);
  }

  forward(images: Tensor): Tensor {
    return this.fc.forward(this.features(images));
  }

  features(images: Tensor): Tensor {
    const parts = this.extractors.map((extractor) => extractor.features(images));
    return parts.length === 1 ? (parts[0] as Tensor) : concat(parts, 1);
  }

  outputs(images: Tensor): ExpandedOutputs {
    const all = this.extractors.map((extractor) => extractor.outputs(images));
    const newest = all.at(-1) as (typeof all)[number];
    const features =
      all.length === 1
        ? newest.features
        : concat(
            all.map((one) => one.features),
            1,
          );
    return { features, stages: newest.stages, newest: newest.features, logits: this.fc.forward(features) };
  }

  /** One more extractor, started from the last one; the classifier sees its features too. */
  grow(classes: number, seed: number): void {
    const last = this.extractors.at(-1) as Extractor;
    const extractor = this.makeExtractor(this.extractors.length);
    copyModule(last, extractor);
    last.freeze();
    this.extractors.push(extractor);
    const all = this.classes + classes;
    const random = Random.of(seed, 'head', all);
    const old = this.fc;
    this.fc = widerLinear(old, this.featureSize, all, random);
    old.dispose();
    this.auxiliary?.dispose();
    this.auxiliary = new Linear(this.engine, extractor.featureSize, classes + 1, { random });
  }
}

const settings = {
  ...alignmentSettings,
  classifierEpochs: wholeSetting(
    0,
    0,
    "epochs of a classifier learnt anew on as many images of every class, in the place of the alignment, as the paper has it; 0, PyCIL's, for none",
  ),
  classifierLr: numberSetting(0.1, { above: 0 }, 'learning rate of these; a tenth of it in their second half', 'rate'),
};

/** The logits are divided by it while the classifier is learnt anew: softer targets of few images. */
const CLASSIFIER_TEMPERATURE = 5;

/** CE over all classes, and CE of the newest extractor alone over new classes and "all old ones"; then weight alignment or a new classifier. */
export const der = defineMethod({
  name: 'der',
  summary: 'a backbone a task, the older ones frozen, features joined (dynamically expandable representation)',
  source: 'Yan et al. 2021, DER: Dynamically Expandable Representation for Class Incremental Learning',
  settings,
  keeps: 'exemplars',
  model: (context) => new ExpandableModel(() => backboneOf(context), context.classes, context.training.seed),
  async *learn(task) {
    const { model, oldClasses, newClasses } = task;
    const ce = classification(task);
    const { auxiliary } = model;
    yield {
      loss(batch) {
        // A task of known classes has no extractor of its own.
        if (!auxiliary || newClasses === 0) return ce(batch);
        const { logits, newest } = batch.outputs;
        const own = crossEntropy(auxiliary.forward(newest), auxiliaryTargets(batch.targets, oldClasses));
        return sumOfTerms({ ce: ce({ logits, targets: batch.targets }), auxiliary: own });
      },
    };
    const { classifierEpochs: epochs, classifierLr: lr } = task.settings;
    if (!task.old || epochs === 0) {
      await alignTask(task, model.fc, task.settings);
      return;
    }
    const images = await balancedImages(task, model);
    const fresh = new Linear(task.engine, model.featureSize, model.classes, { random: task.random('new classifier') });
    copyModule(fresh, model.fc);
    fresh.dispose();
    yield {
      name: 'classifier',
      images,
      parameters: model.fc,
      recipe: { epochs, lr, schedule: 'step', milestones: [Math.ceil(epochs / 2)], warmup: 0 },
      loss: ({ logits, targets }) => ce({ logits: logits.div(CLASSIFIER_TEMPERATURE), targets }),
    };
  },
});
