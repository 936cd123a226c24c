/** MobileNetV2 (Sandler et al. 2018): depthwise convolutions between 1×1 ones that widen and narrow, under torchvision's key names. */
import { ArgumentError } from '../errors.ts';
import '../ops/methods.ts';
import { globalAvgPool } from '../ops/pooling.ts';
import type { Engine } from '../tensor/engine.ts';
import { Random } from '../tensor/random.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkLargest, checkSizes } from './check-sizes.ts';
import { parameter } from './init.ts';
import { BatchNorm2d, Conv2d, checkImages, Dropout, Linear, Sequential } from './layers.ts';
import { Module } from './module.ts';
import type { HasPath, Path } from './path.ts';

/** What a {@link MobileNetV2} may differ in. */
export interface MobileNetV2Options {
  /** Outputs of the classifier; torchvision's has 1000. */
  classes: number;
  /** All channels times this, in multiples of 8; 1 by default. */
  width?: number;
  /** Channels of the images; 3 by default. */
  inChannels?: number;
  /** Probability of dropping a feature before the classifier; 0.2 by default. */
  dropout?: number;
  /** Seed of the initialisation. */
  seed?: number;
}

/** The blocks of one size of images: expansion, output channels, how many, stride of the first; table 2 of the publication. */
const STAGES = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

const FIRST = 32;
const LAST = 1280;

/** The nearest multiple of 8, not more than a tenth below. */
function inEights(channels: number): number {
  const nearest = Math.max(8, Math.floor((channels + 4) / 8) * 8);
  return nearest < 0.9 * channels ? nearest + 8 : nearest;
}

/** @inline */
interface LayerOptions {
  kernel: number;
  stride?: number;
  groups?: number;
  random: Random;
}

const convolution = (engine: Engine, from: number, to: number, options: LayerOptions): Conv2d => {
  const { kernel, stride = 1, groups = 1, random } = options;
  const padding = (kernel - 1) / 2;
  return new Conv2d(engine, from, to, kernel, { stride, padding, groups, bias: false, random, init: 'kaiming-normal' });
};

/** Convolution, batch norm and ReLU6. */
class ConvNormReLU6 extends Sequential {
  constructor(engine: Engine, from: number, to: number, options: LayerOptions) {
    super(engine, convolution(engine, from, to, options), new BatchNorm2d(engine, to));
  }

  override forward(x: Tensor): Tensor {
    const [conv, norm] = this.modules as readonly [Conv2d, BatchNorm2d];
    return norm.forward(conv.forward(x), { relu: true }).clamp(undefined, 6);
  }
}

/** Wider by a 1×1 convolution, depthwise 3×3, narrow again without an activation; added to what came in where shapes allow. */
class InvertedResidual extends Module implements HasPath {
  readonly conv: Sequential;
  private readonly isAdded: boolean;

  constructor(engine: Engine, from: number, to: number, expansion: number, stride: number, random: Random) {
    super(engine);
    const inner = from * expansion;
    this.isAdded = stride === 1 && from === to;
    this.conv = new Sequential(
      engine,
      ...(expansion === 1 ? [] : [new ConvNormReLU6(engine, from, inner, { kernel: 1, random })]),
      new ConvNormReLU6(engine, inner, inner, { kernel: 3, stride, groups: inner, random }),
      convolution(engine, inner, to, { kernel: 1, random }),
      new BatchNorm2d(engine, to),
    );
  }

  path(): Path {
    return { along: [this.conv] };
  }

  forward(x: Tensor): Tensor {
    const layers = this.conv.modules.slice(0, -1);
    const norm = this.conv.modules.at(-1) as BatchNorm2d;
    const y = layers.reduce((at, layer) => layer.forward(at), x);
    return norm.forward(y, this.isAdded ? { residual: x } : {});
  }
}

/** MobileNetV2; images are halved five times. */
export class MobileNetV2 extends Module implements HasPath {
  readonly features: Sequential;
  /** Dropout and the linear classifier. */
  readonly classifier: Sequential;
  /** Channels of the images. */
  readonly inChannels: number;
  /** Numbers of a feature vector. */
  readonly featureSize: number;

  /** @throws {ArgumentError} when a size is below 1, the width is not above 0, or the dropout is out of range. */
  constructor(engine: Engine, options: MobileNetV2Options) {
    super(engine);
    const { classes, width = 1, inChannels = 3, dropout = 0.2, seed = 0 } = options;
    checkSizes('MobileNetV2', { classes, inChannels });
    if (!(width > 0 && Number.isFinite(width))) {
      throw new ArgumentError({ where: 'MobileNetV2', message: `width is ${width}; a number above 0 was expected.` });
    }
    const last = { from: inEights(320 * width), to: inEights(LAST * Math.max(1, width)) };
    checkLargest(engine, 'MobileNetV2', { width, weights: last.from * last.to });
    const random = Random.of(seed, 'init');
    this.inChannels = inChannels;
    let channels = inEights(FIRST * width);
    const layers: Module[] = [new ConvNormReLU6(engine, inChannels, channels, { kernel: 3, stride: 2, random })];
    for (const [expansion, size, count, stride] of STAGES) {
      const to = inEights(size * width);
      for (let i = 0; i < count; i++) {
        layers.push(new InvertedResidual(engine, channels, to, expansion, i === 0 ? stride : 1, random));
        channels = to;
      }
    }
    this.featureSize = last.to;
    layers.push(new ConvNormReLU6(engine, channels, this.featureSize, { kernel: 1, random }));
    this.features = new Sequential(engine, ...layers);
    this.classifier = new Sequential(
      engine,
      new Dropout(engine, dropout),
      mobileNetClassifier(engine, this.featureSize, classes, random),
    );
  }

  path(): Path {
    return { along: [this.features, this.classifier] };
  }

  /**
   * Logits [n, classes] of images [n, h, w, inChannels].
   * @throws {ShapeError} unless `x` is a batch of images with as many channels.
   */
  forward(x: Tensor): Tensor {
    checkImages('MobileNetV2', x, this.inChannels);
    return this.classifier.forward(globalAvgPool(this.features.forward(x)));
  }
}

/** As torchvision's: weights of standard deviation 0.01, biases of zero. */
export function mobileNetClassifier(engine: Engine, inFeatures: number, classes: number, random: Random): Linear {
  const layer = new Linear(engine, inFeatures, classes, { random });
  layer.dispose();
  layer.weight = parameter(engine, [inFeatures, classes], () => random.normal(0, 0.01));
  layer.bias = parameter(engine, [classes], () => 0);
  return layer;
}
