/** Wide residual networks for small images (Zagoruyko & Komodakis 2016), normalised before each convolution (He et al. 2016b). */
import { ArgumentError } from '../errors.ts';
import '../ops/methods.ts';
import { globalAvgPool } from '../ops/pooling.ts';
import type { Engine } from '../tensor/engine.ts';
import { Random } from '../tensor/random.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkLargest, checkSizes } from './check-sizes.ts';
import { BatchNorm2d, Conv2d, checkImages, Dropout, Linear, Sequential } from './layers.ts';
import { Module } from './module.ts';
import type { HasPath, Path } from './path.ts';
import type { BackboneOutputs } from './resnet.ts';

/** What a {@link WideResNet} may differ in. */
export interface WideResNetOptions {
  /** Outputs of the classifier. */
  classes: number;
  /** 6n + 4: so many layers with weights; 28 by default. */
  depth?: number;
  /** Times 16, 32 and 64 channels; 10 by default. */
  widen?: number;
  /** Channels of the images; 3 by default. */
  inChannels?: number;
  /** Probability of dropping a value between the convolutions of a block; 0 by default. */
  dropout?: number;
  /** Seed of the initialisation. */
  seed?: number;
}

/** Channels of what goes in, and of what comes out. */
type Channels = readonly [from: number, to: number];

/** Two 3×3 convolutions, each behind batch norm and ReLU, around a shortcut. */
class WideBlock extends Module implements HasPath {
  readonly bn1: BatchNorm2d;
  readonly conv1: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly conv2: Conv2d;
  /** The projection of the shortcut; none where the channels stay as they are. */
  readonly convShortcut: Conv2d | null;
  private readonly dropout: Dropout | null;

  constructor(engine: Engine, [from, to]: Channels, stride: number, dropout: number, random: Random) {
    super(engine);
    const conv = { bias: false, random, init: 'kaiming-normal' } as const;
    this.bn1 = new BatchNorm2d(engine, from);
    this.conv1 = new Conv2d(engine, from, to, 3, { ...conv, stride, padding: 1 });
    this.bn2 = new BatchNorm2d(engine, to);
    this.conv2 = new Conv2d(engine, to, to, 3, { ...conv, padding: 1 });
    this.convShortcut = from === to ? null : new Conv2d(engine, from, to, 1, { ...conv, stride });
    this.dropout = dropout > 0 ? new Dropout(engine, dropout) : null;
  }

  path(): Path {
    return { along: [this.conv1, this.conv2], beside: this.convShortcut };
  }

  /** [n, h, w, from] to [n, ⌈h / stride⌉, ⌈w / stride⌉, to]. */
  forward(x: Tensor): Tensor {
    const before = this.bn1.forward(x, { relu: true });
    const inner = this.bn2.forward(this.conv1.forward(before), { relu: true });
    const y = this.conv2.forward(this.dropout ? this.dropout.forward(inner) : inner);
    // A projection sees what the first convolution sees, a shortcut without one what the block does.
    return y.add(this.convShortcut ? this.convShortcut.forward(before) : x);
  }
}

/** Blocks of one size of images, under the name that the reference gives them. */
class WideStage extends Module implements HasPath {
  readonly layer: Sequential;

  constructor(engine: Engine, blocks: readonly WideBlock[]) {
    super(engine);
    this.layer = new Sequential(engine, ...blocks);
  }

  path(): Path {
    return { along: [this.layer] };
  }

  forward(x: Tensor): Tensor {
    return this.layer.forward(x);
  }
}

/** Layers; the deepest that was published has 40. */
const MOST_LAYERS = 1000;

const isDepth = (depth: number): boolean => depth >= 10 && depth <= MOST_LAYERS && depth % 6 === 4;

/** Whether there is a wide ResNet of that depth, so many times as wide. */
export const isWideResNet = (depth = 0, widen = 0): boolean =>
  isDepth(depth) && Number.isSafeInteger(widen) && widen > 0;

/** What a {@link WideResNetBackbone} may differ in. */
export type WideBackboneOptions = Omit<WideResNetOptions, 'classes'>;

/** A wide ResNet without its classifier, WideResNet-28-10's by default: features and stage maps, for a classifier of one's own. */
export class WideResNetBackbone extends Module implements HasPath {
  readonly conv1: Conv2d;
  readonly block1: Module;
  readonly block2: Module;
  readonly block3: Module;
  readonly bn1: BatchNorm2d;
  /** Channels of the images. */
  readonly inChannels: number;
  /** Numbers of a feature vector. */
  readonly featureSize: number;

  /**
   * @param random what weights are drawn from; a stream of the seed by default.
   * @throws {ArgumentError} when the depth is not 6n + 4, or a size is below 1.
   */
  constructor(engine: Engine, options: WideBackboneOptions = {}, random = Random.of(options.seed ?? 0, 'init')) {
    super(engine);
    const { depth = 28, widen = 10, inChannels = 3, dropout = 0 } = options;
    if (!isDepth(depth)) {
      throw new ArgumentError({
        where: 'WideResNet',
        message: `depth is ${depth}; 6n + 4 was expected, as 10, 16, 22, 28 or 40.`,
      });
    }
    const blocks = (depth - 4) / 6;
    checkSizes('WideResNet', { widen, inChannels });
    checkLargest(engine, 'WideResNet', { width: 16 * widen, weights: 9 * (64 * widen) ** 2 });
    this.inChannels = inChannels;
    this.conv1 = new Conv2d(engine, inChannels, 16, 3, { padding: 1, bias: false, random, init: 'kaiming-normal' });
    const stage = (from: number, to: number, stride: number) =>
      new WideStage(
        engine,
        Array.from({ length: blocks }, (_, i) => {
          const channels: Channels = i === 0 ? [from, to] : [to, to];
          return new WideBlock(engine, channels, i === 0 ? stride : 1, dropout, random);
        }),
      );
    this.block1 = stage(16, 16 * widen, 1);
    this.block2 = stage(16 * widen, 32 * widen, 2);
    this.block3 = stage(32 * widen, 64 * widen, 2);
    this.featureSize = 64 * widen;
    this.bn1 = new BatchNorm2d(engine, this.featureSize);
  }

  path(): Path {
    return { along: [this.conv1, this.block1, this.block2, this.block3] };
  }

  /** The map after each stage, [n, h, w, c]; the last one normalised, as features see it. */
  private stageMaps(x: Tensor): [Tensor, Tensor, Tensor] {
    checkImages('WideResNet', x, this.inChannels);
    const first = this.block1.forward(this.conv1.forward(x));
    const second = this.block2.forward(first);
    return [first, second, this.bn1.forward(this.block3.forward(second), { relu: true })];
  }

  /**
   * Features and stage maps of images [n, h, w, inChannels].
   * @throws {ShapeError} unless `x` is a batch of images with as many channels.
   */
  outputs(x: Tensor): BackboneOutputs {
    const stages = this.stageMaps(x);
    return { features: globalAvgPool(stages[2]), stages };
  }

  /**
   * Pooled features [n, featureSize] of images [n, h, w, inChannels].
   * @throws {ShapeError} unless `x` is a batch of images with as many channels.
   */
  features(x: Tensor): Tensor {
    return globalAvgPool(this.stageMaps(x)[2]);
  }

  /** The same as {@link features}. */
  forward(x: Tensor): Tensor {
    return this.features(x);
  }
}

/**
 * A wide ResNet; WideResNet-28-10 by default. torchvision has none of these: names are those of the PyTorch code that most others
 * come from, github.com/xternalz/WideResNet-pytorch (`block1.layer.0.convShortcut.weight`).
 */
export class WideResNet extends WideResNetBackbone {
  /** The classifier. */
  readonly fc: Linear;

  /** @throws {ArgumentError} when the depth is not 6n + 4, or a size is below 1. */
  constructor(engine: Engine, options: WideResNetOptions) {
    checkSizes('WideResNet', { classes: options.classes });
    const random = Random.of(options.seed ?? 0, 'init');
    super(engine, options, random);
    this.fc = new Linear(engine, this.featureSize, options.classes, { random });
  }

  override path(): Path {
    return { along: [...super.path().along, this.fc] };
  }

  /** Logits [n, classes]. */
  override forward(x: Tensor): Tensor {
    return this.fc.forward(this.features(x));
  }
}
