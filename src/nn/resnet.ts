/**
 * Residual networks (He et al. 2016): the CIFAR family of depth 6n + 2 with parameter-free shortcuts, and torchvision's with
 * projection shortcuts, of basic blocks (ResNet-18/34) or bottlenecks (ResNet-50/101/152, ResNeXt-50), under its key names.
 */

import { ArgumentError } from '../errors.ts';
import { cast } from '../ops/elementwise/elementwise.ts';
import { globalAvgPool } from '../ops/pooling.ts';
import { checkSupported, type FloatType } from '../tensor/dtype.ts';
import type { Engine } from '../tensor/engine.ts';
import { Random } from '../tensor/random.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { BasicBlock } from './basic-block.ts';
import { Bottleneck } from './bottleneck.ts';
import { checkLargest } from './check-sizes.ts';
import { checkpointed } from './checkpointed.ts';
import { growLinear } from './head.ts';
import { BatchNorm2d, Conv2d, type ConvolutionInit, checkImages, Linear, MaxPool2d, Sequential } from './layers.ts';
import { Module } from './module.ts';
import type { HasPath, Path } from './path.ts';

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
  'resnet50',
  'resnet101',
  'resnet152',
  'resnext50_32x4d',
] as const;
/** One of torchvision's names, or `resnet<6n + 2>` for the CIFAR family. */
export type ResNetName = `resnet${number}` | 'resnext50_32x4d';

/** What a ResNet may differ in, whatever its classifier. */
export interface BackboneOptions {
  /** Channels of the first stage's 3×3 convolutions; by default 16 for the CIFAR family, 64 for torchvision's. */
  width?: number;
  /** Channels of the images; 3 by default. */
  inChannels?: number;
  /** torchvision's only: `cifar` (3×3, stride 1, no pooling; default) or `imagenet` (7×7, stride 2, max-pool; torchvision's own). */
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
  /** Blocks are bottlenecks with so many groups of so many sixty-fourths of the width; basic blocks where it is left out. */
  bottleneck?: Groups;
}

/** The 3×3 convolutions of bottlenecks: ResNeXt's cardinality and width. */
interface Groups {
  readonly groups: number;
  readonly groupWidth: number;
}

/** Channels that come out of a bottleneck for each of its stage's width. */
const EXPANSION = 4;

/** A ResNet without its classifier: features and stage maps, for a method with a head of its own; made by {@link createBackbone}. */
export class ResNetBackbone extends Module implements HasPath {
  /** The first layer; named as torchvision's are. */
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  /** Of torchvision's only. */
  readonly layer4: Sequential | null = null;
  /** Channels of the images. */
  readonly inChannels: number;
  /** Channels of the last stage: numbers of a feature vector. */
  readonly featureSize: number;
  /** Keep only the blocks' outputs for the backward pass; may be changed at any time. */
  gradientCheckpointing: boolean;
  /** What activations are stored as. */
  readonly precision: FloatType;
  /** Behind a first convolution of 7×7, which halves images too; none where that is of 3×3. */
  readonly maxpool: MaxPool2d | null;

  /**
   * @param random what weights are drawn from; a stream of the seed by default.
   * @internal
   */
  constructor(
    engine: Engine,
    { blocks, width, shortcut, stem, bottleneck }: Architecture,
    options: BackboneOptions = {},
    random = initialRandom(options),
  ) {
    super(engine);
    const { init = 'kaiming-normal', lastRelu = true } = options;
    this.inChannels = options.inChannels ?? 3;
    this.gradientCheckpointing = options.gradientCheckpointing ?? false;
    this.precision = options.precision ?? 'f32';
    checkSupported(engine, this.precision, 'ResNet');
    const kernel = stem === 'imagenet' ? { size: 7, stride: 2, padding: 3 } : { size: 3, stride: 1, padding: 1 };
    this.conv1 = new Conv2d(engine, this.inChannels, width, kernel.size, {
      stride: kernel.stride,
      padding: kernel.padding,
      bias: false,
      random,
      init,
    });
    this.bn1 = new BatchNorm2d(engine, width);
    this.maxpool = stem === 'imagenet' ? new MaxPool2d(engine, { kernel: 3, stride: 2, padding: 1 }) : null;
    let inChannels = width;
    const stage = (index: number) => {
      const planes = width * 2 ** index;
      const outChannels = bottleneck ? planes * EXPANSION : planes;
      const count = blocks[index] as number;
      const modules = Array.from({ length: count }, (_, i) => {
        const stride = index > 0 && i === 0 ? 2 : 1;
        const relu = lastRelu || index < blocks.length - 1 || i < count - 1;
        const common = { inChannels, outChannels, stride, random, init, relu };
        const block = bottleneck
          ? new Bottleneck(engine, {
              ...common,
              innerChannels: Math.floor((planes * bottleneck.groupWidth) / 64) * bottleneck.groups,
              groups: bottleneck.groups,
            })
          : new BasicBlock(engine, { ...common, shortcut });
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

  private get stages(): Sequential[] {
    return [this.layer1, this.layer2, this.layer3, ...(this.layer4 ? [this.layer4] : [])];
  }

  path(): Path {
    return { along: [this.conv1, ...(this.maxpool ? [this.maxpool] : []), ...this.stages] };
  }

  /** The map after each stage, in the precision of the activations. */
  private stageMaps(x: Tensor): Tensor[] {
    checkImages('ResNet', x, this.inChannels);
    let y = this.bn1.forward(this.conv1.forward(cast(x, this.precision)), { relu: true });
    if (this.maxpool) y = this.maxpool.forward(y);
    return this.stages.map((stage) => {
      for (const [, block] of stage.children()) {
        y = this.gradientCheckpointing && this.training ? checkpointed(block, y) : block.forward(y);
      }
      return y;
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

  override path(): Path {
    return { along: [...super.path().along, this.fc] };
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

/** Blocks in each stage, and whether they are bottlenecks. */
interface Stages {
  readonly blocks: readonly number[];
  readonly bottleneck?: Groups;
}

const plain: Groups = { groups: 1, groupWidth: 64 };

const TORCHVISION: Readonly<Record<string, Stages>> = {
  resnet18: { blocks: [2, 2, 2, 2] },
  resnet34: { blocks: [3, 4, 6, 3] },
  resnet50: { blocks: [3, 4, 6, 3], bottleneck: plain },
  resnet101: { blocks: [3, 4, 23, 3], bottleneck: plain },
  resnet152: { blocks: [3, 8, 36, 3], bottleneck: plain },
  resnext50_32x4d: { blocks: [3, 4, 6, 3], bottleneck: { groups: 32, groupWidth: 4 } },
};

/** Whether torchvision has a network of that name: one with a stem to choose. */
export const isTorchvisionName = (name: string): boolean => Object.hasOwn(TORCHVISION, name);

/** The stages of a network by name; `null` when the name is unknown. */
function stagesOf(name: string): Stages | null {
  if (isTorchvisionName(name)) return TORCHVISION[name] as Stages;
  const n = (Number(/^resnet(\d+)$/.exec(name)?.[1]) - 2) / 6;
  return Number.isInteger(n) && n >= 1 && n <= MOST_BLOCKS ? { blocks: [n, n, n] } : null;
}

/** Names in a sentence: of the CIFAR family an example or two. */
export const KNOWN_RESNETS = `resnet8, resnet20, resnet32, … (depth 6n + 2), ${Object.keys(TORCHVISION).join(', ')}`;

/** Whether {@link createResNet} knows the name. */
export const isResNetName = (name: string): name is ResNetName => stagesOf(name) !== null;

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
  const projected = isTorchvisionName(name);
  const { width = projected ? 64 : 16, stem = 'cifar' } = options;
  // The 3×3 convolutions of the last stage.
  const weights = 9 * (width * 2 ** (stages.blocks.length - 1)) ** 2;
  checkLargest(engine, name, { width, weights });
  return { ...stages, width, shortcut: projected ? 'projected' : 'padded', stem: projected ? stem : 'cifar' };
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
