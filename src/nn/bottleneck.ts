/** The block that deep residual networks are made of (He et al. 2016), in groups too (Xie et al. 2017). */
import type { Engine } from '../tensor/engine.ts';
import type { Random } from '../tensor/random.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { BatchNorm2d, Conv2d, type ConvolutionInit, Sequential } from './layers.ts';
import { Module } from './module.ts';
import type { HasPath, Path } from './path.ts';

/** @inline */
interface BottleneckOptions {
  /** Channels of what goes in, of the 3×3 convolution, and of what comes out. */
  inChannels: number;
  innerChannels: number;
  outChannels: number;
  /** Of the 3×3 convolution, as in torchvision; the publication has it in the first. 2 halves the image. */
  stride: number;
  /** Of the 3×3 convolution. */
  groups: number;
  /** What the weights are drawn from. */
  random: Random;
  init: ConvolutionInit;
  /** Whether the sum goes through a ReLU; it does by default. */
  relu?: boolean;
}

/** A 3×3 convolution between two of 1×1, which lessen its channels and bring them back, around a shortcut. */
export class Bottleneck extends Module implements HasPath {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly conv3: Conv2d;
  readonly bn3: BatchNorm2d;
  /** The projection of the shortcut, where the shape changes. */
  readonly downsample: Sequential | null;
  private readonly relu: boolean;

  constructor(engine: Engine, options: BottleneckOptions) {
    super(engine);
    const { inChannels, innerChannels, outChannels, stride, groups, random, init, relu = true } = options;
    const conv = { bias: false, random, init } as const;
    this.relu = relu;
    this.conv1 = new Conv2d(engine, inChannels, innerChannels, 1, conv);
    this.bn1 = new BatchNorm2d(engine, innerChannels);
    this.conv2 = new Conv2d(engine, innerChannels, innerChannels, 3, { ...conv, stride, padding: 1, groups });
    this.bn2 = new BatchNorm2d(engine, innerChannels);
    this.conv3 = new Conv2d(engine, innerChannels, outChannels, 1, conv);
    this.bn3 = new BatchNorm2d(engine, outChannels);
    this.downsample =
      stride !== 1 || inChannels !== outChannels
        ? new Sequential(
            engine,
            new Conv2d(engine, inChannels, outChannels, 1, { ...conv, stride }),
            new BatchNorm2d(engine, outChannels),
          )
        : null;
  }

  path(): Path {
    return { along: [this.conv1, this.conv2, this.conv3], beside: this.downsample };
  }

  /** Images [n, h, w, inChannels] to [n, ⌈h / stride⌉, ⌈w / stride⌉, outChannels]. */
  forward(x: Tensor): Tensor {
    const narrow = this.bn1.forward(this.conv1.forward(x), { relu: true });
    const inner = this.bn2.forward(this.conv2.forward(narrow), { relu: true });
    const residual = this.downsample ? this.downsample.forward(x) : x;
    return this.bn3.forward(this.conv3.forward(inner), { residual, relu: this.relu });
  }
}
