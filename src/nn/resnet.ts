/**
 * Residual networks (He et al. 2016): the CIFAR family of depth 6n + 2 with parameter-free shortcuts, and ResNet-18/34
 * with projection shortcuts under torchvision's key names.
 */

import { ArgumentError, OutOfMemoryError } from '../errors.ts';
import { cast } from '../ops/elementwise/elementwise.ts';
import { globalAvgPool, maxPool2d } from '../ops/pooling.ts';
import { paddedShortcut } from '../ops/shortcut.ts';
import { checkSupported, type FloatType } from '../tensor/dtype.ts';
import type { Engine } from '../tensor/engine.ts';
import { Random } from '../tensor/random.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkpointed } from './checkpointed.ts';
import { growLinear } from './head.ts';
import { BatchNorm2d, Conv2d, type ConvolutionInit, checkImages, Linear, Sequential } from './layers.ts';
import { Module } from './module.ts';

interface BlockOptions {
  inChannels: number;
  outChannels: number;
  stride: number;
  shortcut: 'padded' | 'projected';
  random: Random;
  init: ConvolutionInit;
}

/** Two 3×3 convolutions around a shortcut. */
export class BasicBlock extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly downsample: Sequential | null;
  private readonly stride: number;
  private readonly outChannels: number;

  constructor(engine: Engine, { inChannels, outChannels, stride, shortcut, random, init }: BlockOptions) {
    super(engine);
    const conv = { padding: 1, bias: false, random, init } as const;
    this.stride = stride;
    this.outChannels = outChannels;
    this.conv1 = new Conv2d(engine, inChannels, outChannels, 3, { ...conv, stride });
    this.bn1 = new BatchNorm2d(engine, outChannels);
    this.conv2 = new Conv2d(engine, outChannels, outChannels, 3, conv);
    this.bn2 = new BatchNorm2d(engine, outChannels);
    this.downsample =
      shortcut === 'projected' && (stride !== 1 || inChannels !== outChannels)
        ? new Sequential(
            engine,
            new Conv2d(engine, inChannels, outChannels, 1, { ...conv, padding: 0, stride }),
            new BatchNorm2d(engine, outChannels),
          )
        : null;
  }

  private shortcut(x: Tensor): Tensor {
    if (this.downsample) return this.downsample.forward(x);
    return this.stride === 1 && x.shape[3] === this.outChannels ? x : paddedShortcut(x, this.stride, this.outChannels);
  }

  forward(x: Tensor): Tensor {
    const inner = this.bn1.forward(this.conv1.forward(x), { relu: true });
    return this.bn2.forward(this.conv2.forward(inner), { residual: this.shortcut(x), relu: true });
  }
}

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

export interface ResNetOptions {
  classes: number;
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
}

interface Architecture {
  /** Blocks in each stage. */
  blocks: readonly number[];
  width: number;
  shortcut: 'padded' | 'projected';
  stem: 'cifar' | 'imagenet';
}

export class ResNet extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  readonly layer4: Sequential | null = null;
  /** The classifier; {@link growHead} replaces it. */
  fc: Linear;
  readonly inChannels: number;
  readonly featureSize: number;
  /** Keep only the blocks' outputs for the backward pass; may be changed at any time. */
  gradientCheckpointing: boolean;
  /** What activations are stored as. */
  readonly precision: FloatType;
  private readonly imagenetStem: boolean;

  constructor(engine: Engine, { blocks, width, shortcut, stem }: Architecture, options: ResNetOptions) {
    super(engine);
    const { init = 'kaiming-normal' } = options;
    const random = Random.of(options.seed ?? 0, 'init');
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
      const modules = Array.from({ length: blocks[index] as number }, (_, i) => {
        const stride = index > 0 && i === 0 ? 2 : 1;
        const block = new BasicBlock(engine, { inChannels, outChannels, stride, shortcut, random, init });
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
    this.fc = new Linear(engine, inChannels, options.classes, { random });
  }

  /** Pooled features [n, featureSize] of images [n, h, w, inChannels]; f32 both. */
  features(x: Tensor): Tensor {
    checkImages('ResNet', x, this.inChannels);
    let y = this.bn1.forward(this.conv1.forward(cast(x, this.precision)), { relu: true });
    if (this.imagenetStem) y = maxPool2d(y, { kernel: 3, stride: 2, padding: 1 });
    for (const layer of [this.layer1, this.layer2, this.layer3, this.layer4]) {
      for (const [, block] of layer?.children() ?? []) {
        y = this.gradientCheckpointing && this.training ? checkpointed(block, y) : block.forward(y);
      }
    }
    return cast(globalAvgPool(y), 'f32');
  }

  /** Logits [n, classes]. */
  forward(x: Tensor): Tensor {
    return this.fc.forward(this.features(x));
  }

  /**
   * More classes: the classifier's old rows stay, the new ones are newly initialised.
   * @throws {ArgumentError} when there are fewer classes than before.
   */
  growHead(classes: number, seed = 0): void {
    this.fc = growLinear(this.fc, classes, Random.of(seed, 'head', classes));
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

/**
 * A ResNet by name, in training mode.
 * @throws {ArgumentError} when the name is unknown or a size is below 1.
 * @throws {OutOfMemoryError} when weights are beyond the device's limits, before any is made.
 * @throws {DTypeError} when the precision is f16 and the device lacks it.
 */
export function createResNet(engine: Engine, name: ResNetName, options: ResNetOptions): ResNet {
  const stages = stagesOf(name);
  if (!stages) {
    throw new ArgumentError({
      where: 'createResNet',
      message: `"${name}" is not a known network.`,
      fix: `Choose one of ${RESNET_NAMES.join(', ')}, or another resnet of depth 6n + 2.`,
    });
  }
  const { blocks, projected } = stages;
  const { width = projected ? 64 : 16, stem = 'cifar' } = options;
  const family = projected
    ? ({ shortcut: 'projected', stem } as const)
    : ({ shortcut: 'padded', stem: 'cifar' } as const);
  checkSize(engine, name, width, blocks.length);
  return new ResNet(engine, { blocks, width, ...family }, options);
}
