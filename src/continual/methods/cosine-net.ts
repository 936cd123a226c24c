/** The model of LUCIR and PODNet: a backbone whose features may point anywhere, and a classifier by their directions. */
import type { CosineLinear } from '../../nn/cosine-linear.ts';
import { Module } from '../../nn/module.ts';
import { Random } from '../../tensor/random.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { IncrementalModel, ModelContext, Outputs } from '../method.ts';
import { backboneOf } from '../model.ts';
import type { Extractor } from '../network.ts';

/** What the losses look at besides. */
export interface CosineOutputs extends Outputs {
  /** Scores before the scale, [n, classes]. */
  readonly cosines: Tensor;
}

/** A backbone that ends without ReLU, and a classifier by cosines. */
export class CosineNet<C extends CosineLinear = CosineLinear> extends Module implements IncrementalModel {
  constructor(
    readonly backbone: Extractor,
    readonly classifier: C,
  ) {
    super(backbone.engine);
  }

  get classes(): number {
    return this.classifier.classes;
  }

  get featureSize(): number {
    return this.backbone.featureSize;
  }

  forward(images: Tensor): Tensor {
    return this.classifier.forward(this.features(images));
  }

  features(images: Tensor): Tensor {
    return this.backbone.features(images);
  }

  outputs(images: Tensor): CosineOutputs {
    const { features, stages } = this.backbone.outputs(images);
    const cosines = this.classifier.cosines(features);
    return { features, stages, cosines, logits: cosines.mul(this.classifier.scale) };
  }

  grow(classes: number, seed: number): void {
    const all = this.classes + classes;
    this.classifier.grow(all, weightsRandom(seed, all));
  }
}

const weightsRandom = (seed: number, classes: number): Random => Random.of(seed, 'proxies', classes);

/**
 * @param classifier of so many features, its weights drawn from what it is given.
 * @param options `stages`: that the method looks at the maps on the way to the features.
 */
export function cosineNet<C extends CosineLinear>(
  context: ModelContext,
  classifier: (featureSize: number, random: Random) => C,
  { stages = false }: { readonly stages?: boolean } = {},
): CosineNet<C> {
  const { training, classes } = context;
  const backbone = backboneOf(context, { lastRelu: false, stages });
  return new CosineNet(backbone, classifier(backbone.featureSize, weightsRandom(training.seed, classes)));
}
