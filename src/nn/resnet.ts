/**
 * Residual networks (He et al. 2016): the CIFAR family of depth 6n + 2 with parameter-free shortcuts, and ResNet-18/34
 * with projection shortcuts under torchvision's key names.
 */

import { ArgumentError, OutOfMemoryError } from '../errors.ts';
import { cast } from '../ops/elementwise/elementwise.ts';
import { globalAvgPool, maxPool2d } from '../ops/pooling.ts';
import { checkSupported, type FloatType } from '../tensor/dtype.ts';
import type { Engine } from '../tensor/engine.ts';
import { Random } from '../tensor/random.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { BasicBlock } from './basic-block.ts';
import { checkpointed } from './checkpointed.ts';
import { growLinear } from './head.ts';
import { BatchNorm2d, Conv2d, type ConvolutionInit, checkImages, Linear, Sequential } from './layers.ts';
import { Module } from './module.ts';

/** The usual names among those that {@link createResNet} knows. */
export const RESNET_NAMES = [
  'resnet8',
  'resnet14',
  'resnet20',
  'resnet32',
  'resnet44',
  'resnet56',
  'resnet110',
  'resnet18',
  'resnet34',
] as const;
/** `resnet18`, `resnet34`, or `resnet<6n + 2>` for the CIFAR family. */
export type ResNetName = `resnet${number}`;

/** What a ResNet may differ in, whatever its classifier. */
export interface BackboneOptions {
  /** Channels of the first stage; by default 16 for the CIFAR family, 64 for ResNet-18/34. */
  width?: number;
  /** Channels of the images; 3 by default. */
  inChannels?: number;
  /** ResNet-18/34 only: `cifar` (3×3, stride 1, no pooling; default) or `imagenet` (7×7, stride 2, max-pool). */
  stem?: 'cifar' | 'imagenet';
  /**
   * Initialisation of the convolutions: `kaiming-normal` by fan out, as torchvision's ResNets (default), or
   * `kaiming-uniform`, PyTorch's default for its layers.
   */
  init?: ConvolutionInit;
  /** Seed of the initialisation. */
  seed?: number;
  /** Make each block's activations again in the backward pass instead of keeping them: less memory, more time. */
  gradientCheckpointing?: boolean;
  /**
   * `f16`: activations between the images and the features are f16; parameters, statistics, features and logits stay f32.
   * Needs its loss scaled in training, see `GradScaler`. `f32` by default.
   */
  precision?: FloatType;
  /**
   * Whether the last block ends in a ReLU; it does by default. Without, features have either sign, as cosine classifiers want
   * them (Hou et al. 2019; Douillard et al. 2020).
   */
  lastRelu?: boolean;
}

/** What a ResNet may differ in. */
export interface ResNetOptions extends BackboneOptions {
  /** Outputs of the classifier. */
  classes: number;
}

/** What a backbone makes of a batch of images, f32. */
export interface BackboneOutputs {
  /** Pooled, [n, featureSize]. */
  features: Tensor;
  /** The map after each stage, [n, h, w, c]; features are the last one's means. */
  stages: Tensor[];
}

interface Architecture {
  /** Blocks in each stage. */
  blocks: readonly number[];
  width: number;
  shortcut: 'padded' | 'projected';
  stem: 'cifar' | 'imagenet';
}

/** A ResNet without its classifier: features and stage maps, for a method with a head of its own; made by {@link createBackbone}. */
export class ResNetBackbone extends Module {
  /** The first layer; named as torchvision's are. */
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  /** Of ResNet-18/34 only. */
  readonly layer4: Sequential | null = null;
  /** Channels of the images. */
  readonly inChannels: number;
  /** Channels of the last stage: numbers of a feature vector. */
  readonly featureSize: number;
  /** Keep only the blocks' outputs for the backward pass; may be changed at any time. */
  gradientCheckpointing: boolean;
  /** What activations are stored as. */
  readonly precision: FloatType;
  /** Whether images are halved twice before the first stage: by a 7×7 convolution, and by a max-pool of 3×3 behind it. */
  readonly imagenetStem: boolean;

  /**
   * @param random what weights are drawn from; a stream of the seed by default.
   * @internal
   */
  constructor(
    engine: Engine,
    { blocks, width, shortcut, stem }: Architecture,
    options: BackboneOptions = {},
    random = initialRandom(options),
  ) {
    super(engine);
    const { init = 'kaiming-normal', lastRelu = true } = options;
    this.inChannels = options.inChannels ?? 3;
    this.gradientCheckpointing = options.gradientCheckpointing ?? false;
    this.precision = options.precision ?? 'f32';
    checkSupported(engine, this.precision, 'ResNet');
    this.imagenetStem = stem === 'imagenet';
    const kernel = this.imagenetStem ? { size: 7, stride: 2, padding: 3 } : { size: 3, stride: 1, padding: 1 };
    this.conv1 = new Conv2d(engine, this.inChannels, width, kernel.size, {
      stride: kernel.stride,
      padding: kernel.padding,
      bias: false,
      random,
      init,
    });
    this.bn1 = new BatchNorm2d(engine, width);
    let inChannels = width;
    const stage = (index: number) => {
      const outChannels = width * 2 ** index;
      const count = blocks[index] as number;
      const modules = Array.from({ length: count }, (_, i) => {
        const stride = index > 0 && i === 0 ? 2 : 1;
        const relu = lastRelu || index < blocks.length - 1 || i < count - 1;
        const block = new BasicBlock(engine, { inChannels, outChannels, stride, shortcut, random, init, relu });
        inChannels = outChannels;
        return block;
      });
      return new Sequential(engine, ...modules);
    };
    this.layer1 = stage(0);
    this.layer2 = stage(1);
    this.layer3 = stage(2);
    if (blocks.length === 4) this.layer4 = stage(3);
    this.featureSize = inChannels;
  }

  /** The map after each stage, in the precision of the activations. */
  private stageMaps(x: Tensor): Tensor[] {
    checkImages('ResNet', x, this.inChannels);
    let y = this.bn1.forward(this.conv1.forward(cast(x, this.precision)), { relu: true });
    if (this.imagenetStem) y = maxPool2d(y, { kernel: 3, stride: 2, padding: 1 });
    const stages = [this.layer1, this.layer2, this.layer3, this.layer4];
    return stages.flatMap((stage) => {
      if (!stage) return [];
      for (const [, block] of stage.children()) {
        y = this.gradientCheckpointing && this.training ? checkpointed(block, y) : block.forward(y);
      }
      return [y];
    });
  }

  /**
   * Features and stage maps of images [n, h, w, inChannels], all f32.
   * @throws {ShapeError} unless `x` is a batch of images with as many channels.
   */
  outputs(x: Tensor): BackboneOutputs {
    const maps = this.stageMaps(x);
    return { features: pooled(maps), stages: maps.map((map) => cast(map, 'f32')) };
  }

  /**
   * Pooled features [n, featureSize] of images [n, h, w, inChannels]; f32 both.
   * @throws {ShapeError} unless `x` is a batch of images with as many channels.
   */
  features(x: Tensor): Tensor {
    return pooled(this.stageMaps(x));
  }

  /** The same as {@link features}. */
  forward(x: Tensor): Tensor {
    return this.features(x);
  }
}

const initialRandom = ({ seed = 0 }: BackboneOptions): Random => Random.of(seed, 'init');
const pooled = (maps: readonly Tensor[]): Tensor => cast(globalAvgPool(maps.at(-1) as Tensor), 'f32');

/** A ResNet with a linear classifier that can grow; made by {@link createResNet}. */
export class ResNet extends ResNetBackbone {
  /** The classifier; {@link growHead} replaces it. */
  fc: Linear;

  /** @internal */
  constructor(engine: Engine, architecture: Architecture, options: ResNetOptions) {
    const random = initialRandom(options);
    super(engine, architecture, options, random);
    this.fc = new Linear(engine, this.featureSize, options.classes, { random });
  }

  /** Outputs of the classifier. */
  get classes(): number {
    return this.fc.outFeatures;
  }

  /** Logits [n, classes]. */
  override forward(x: Tensor): Tensor {
    return this.fc.forward(this.features(x));
  }

  /** Logits [n, classes] with the features and stage maps they come from, all f32. */
  override outputs(x: Tensor): BackboneOutputs & { readonly logits: Tensor } {
    const outputs = super.outputs(x);
    return { ...outputs, logits: this.fc.forward(outputs.features) };
  }

  /**
   * More classes: the classifier's old rows stay, the new ones are newly initialised.
   * @throws {ArgumentError} when there are fewer classes than before.
   */
  growHead(classes: number, seed = 0): void {
    this.fc = growLinear(this.fc, classes, Random.of(seed, 'head', classes));
  }

  /** So many further classes; see {@link growHead}. */
  grow(classes: number, seed = 0): void {
    this.growHead(this.classes + classes, seed);
  }
}

/** Blocks a stage; the deepest network published, ResNet-1202, has 200. */
const MOST_BLOCKS = 1000;

/** Blocks in each stage of a network by name; `null` when the name is unknown. */
function stagesOf(name: string): { blocks: readonly number[]; projected: boolean } | null {
  const depth = Number(/^resnet(\d+)$/.exec(name)?.[1]);
  if (depth === 18) return { blocks: [2, 2, 2, 2], projected: true };
  if (depth === 34) return { blocks: [3, 4, 6, 3], projected: true };
  const n = (depth - 2) / 6;
  return Number.isInteger(n) && n >= 1 && n <= MOST_BLOCKS ? { blocks: [n, n, n], projected: false } : null;
}

/** Whether {@link createResNet} knows the name. */
export const isResNetName = (name: string): name is ResNetName => stagesOf(name) !== null;

/** Before any weight is drawn: the last stage's 3×3 convolutions are the largest of a network's tensors. */
function checkSize(engine: Engine, name: string, width: number, stages: number): void {
  const channels = width * 2 ** (stages - 1);
  const bytes = 4 * 3 * 3 * channels * channels;
  const limit = engine.device.limits.maxStorageBufferBindingSize;
  if (bytes <= limit) return;
  throw new OutOfMemoryError({
    where: name,
    message: `with width ${width} its last stage has weights of ${bytes} bytes, more than this device's largest storage buffer (${limit} bytes).`,
    fix: 'Choose a smaller width.',
  });
}

/** The architecture of a name, where the device can hold it. */
function architectureOf(where: string, engine: Engine, name: string, options: BackboneOptions): Architecture {
  const stages = stagesOf(name);
  if (!stages) {
    throw new ArgumentError({
      where,
      message: `"${name}" is not a known network.`,
      fix: `Choose one of ${RESNET_NAMES.join(', ')}, or another resnet of depth 6n + 2.`,
    });
  }
  const { blocks, projected } = stages;
  const { width = projected ? 64 : 16, stem = 'cifar' } = options;
  checkSize(engine, name, width, blocks.length);
  return projected
    ? { blocks, width, shortcut: 'projected', stem }
    : { blocks, width, shortcut: 'padded', stem: 'cifar' };
}

/**
 * A ResNet by name, in training mode.
 * @throws {ArgumentError} when the name is unknown or a size is below 1.
 * @throws {OutOfMemoryError} when weights are beyond the device's limits, before any is made.
 * @throws {DTypeError} when the precision is f16 and the device lacks it.
 */
export function createResNet(engine: Engine, name: ResNetName, options: ResNetOptions): ResNet {
  return new ResNet(engine, architectureOf('createResNet', engine, name, options), options);
}

/**
 * A ResNet without its classifier by name, in training mode: its weights are those of {@link createResNet} with the same seed.
 * @throws {ArgumentError} when the name is unknown or a size is below 1.
 * @throws {OutOfMemoryError} when weights are beyond the device's limits, before any is made.
 * @throws {DTypeError} when the precision is f16 and the device lacks it.
 */
export function createBackbone(engine: Engine, name: ResNetName, options: BackboneOptions = {}): ResNetBackbone {
  return new ResNetBackbone(engine, architectureOf('createBackbone', engine, name, options), options);
}
