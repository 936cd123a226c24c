/** The block that residual networks are made of (He et al. 2016). */
import { paddedShortcut } from '../ops/shortcut.ts';
import type { Engine } from '../tensor/engine.ts';
import type { Random } from '../tensor/random.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { BatchNorm2d, Conv2d, type ConvolutionInit, Sequential } from './layers.ts';
import { Module } from './module.ts';
import type { HasPath, Path } from './path.ts';

/** @inline */
interface BlockOptions {
  /** Channels of what goes in, and of what comes out. */
  inChannels: number;
  outChannels: number;
  /** Of the first convolution: 2 halves the image. */
  stride: number;
  /** Where the shape changes: by strides and zeros, without parameters, or by a 1×1 convolution with batch norm. */
  shortcut: 'padded' | 'projected';
  /** What the weights are drawn from. */
  random: Random;
  init: ConvolutionInit;
  /** Whether the sum goes through a ReLU; it does by default. */
  relu?: boolean;
}

/** Two 3×3 convolutions with batch norm around a shortcut. */
export class BasicBlock extends Module implements HasPath {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  /** The projection of the shortcut; none where there is nothing to project, or it has no parameters. */
  readonly downsample: Sequential | null;
  private readonly stride: number;
  private readonly outChannels: number;
  private readonly relu: boolean;

  constructor(engine: Engine, options: BlockOptions) {
    super(engine);
    const { inChannels, outChannels, stride, shortcut, random, init, relu = true } = options;
    const conv = { padding: 1, bias: false, random, init } as const;
    this.stride = stride;
    this.outChannels = outChannels;
    this.relu = relu;
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

  path(): Path {
    return { along: [this.conv1, this.conv2], beside: this.downsample };
  }

  private shortcut(x: Tensor): Tensor {
    if (this.downsample) return this.downsample.forward(x);
    return this.stride === 1 && x.shape[3] === this.outChannels ? x : paddedShortcut(x, this.stride, this.outChannels);
  }

  /** Images [n, h, w, inChannels] to [n, ⌈h / stride⌉, ⌈w / stride⌉, outChannels]. */
  forward(x: Tensor): Tensor {
    const inner = this.bn1.forward(this.conv1.forward(x), { relu: true });
    return this.bn2.forward(this.conv2.forward(inner), { residual: this.shortcut(x), relu: this.relu });
  }
}
