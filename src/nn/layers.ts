/** The layers a ResNet is made of. Images are NHWC; weights are in the kernels' order, and converted when loaded or saved. */

import { ShapeError } from '../errors.ts';
import { batchNorm } from '../ops/batch-norm.ts';
import { conv2d } from '../ops/conv2d/conv2d.ts';
import { checkProbability, dropout } from '../ops/dropout.ts';
import { linear } from '../ops/matmul/linear.ts';
import { type AvgPoolOptions, avgPool2d, globalAvgPool, maxPool2d, type PoolOptions } from '../ops/pooling.ts';
import type { Engine } from '../tensor/engine.ts';
import type { Random } from '../tensor/random.ts';
import { layerRandom } from '../tensor/random-tensors.ts';
import { show } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkSizes } from './check-sizes.ts';
import { buffer, kaimingNormal, kaimingUniform, parameter } from './init.ts';
import { Module, type TorchLayout } from './module.ts';

/** What a {@link Linear} layer may differ in. */
export interface LinearOptions {
  /** Whether outputs have a bias; they do by default. */
  bias?: boolean;
  /** What the weights are drawn from; by default a stream of the engine's seed for this layer alone, see `engine.seed`. */
  random?: Random;
}

/**
 * x [n, in] · weight [in, out] + bias [out]. PyTorch's weight is [out, in]. Behind a convolution PyTorch's inputs are in
 * the order channel, row, column, which the layer `Flatten` keeps to.
 */
export class Linear extends Module {
  /** f32 [in, out]. */
  weight: Tensor;
  /** f32 [out]; none where it was left out. */
  bias: Tensor | null;

  /** @throws {ArgumentError} when a size is not a whole number of at least 1. */
  constructor(
    engine: Engine,
    readonly inFeatures: number,
    readonly outFeatures: number,
    { bias = true, random = layerRandom(engine) }: LinearOptions = {},
  ) {
    super(engine);
    checkSizes('Linear', { inFeatures, outFeatures });
    this.weight = kaimingUniform(engine, [inFeatures, outFeatures], inFeatures, random);
    this.bias = bias ? kaimingUniform(engine, [outFeatures], inFeatures, random) : null;
  }

  protected override layoutOf(field: string): TorchLayout {
    return field === 'weight' ? 'OI' : 'same';
  }

  /**
   * [..., in] to [..., out].
   * @throws as {@link linear}.
   */
  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }
}

/** `kaiming-uniform`: PyTorch's default for a layer. `kaiming-normal`: by fan out, as ResNets are usually initialised. */
export type ConvolutionInit = 'kaiming-uniform' | 'kaiming-normal';

/** What a {@link Conv2d} layer may differ in. */
export interface Conv2dOptions {
  /** 1 by default, in both directions. */
  stride?: number;
  /** Zeros on every side; 0 by default. */
  padding?: number;
  /** Whether outputs have a bias; they do by default. */
  bias?: boolean;
  /** What the weights are drawn from; by default a stream of the engine's seed for this layer alone, see `engine.seed`. */
  random?: Random;
  /** `kaiming-uniform` by default. */
  init?: ConvolutionInit;
}

/** A convolution with a square kernel; weight [k, k, in, out]. PyTorch's weight is [out, in, k, k]. */
export class Conv2d extends Module {
  /** f32 [k, k, in, out]. */
  weight: Tensor;
  /** f32 [out]; none where it was left out. */
  bias: Tensor | null;
  /** In both directions. */
  readonly stride: number;
  /** Zeros on every side. */
  readonly padding: number;

  /** @throws {ArgumentError} when a size or the stride is not a whole number of at least 1. */
  constructor(engine: Engine, inChannels: number, outChannels: number, kernel: number, options: Conv2dOptions = {}) {
    super(engine);
    const { stride = 1, padding = 0, bias = true, random = layerRandom(engine), init = 'kaiming-uniform' } = options;
    checkSizes('Conv2d', { inChannels, outChannels, kernel, stride });
    this.stride = stride;
    this.padding = padding;
    const shape = [kernel, kernel, inChannels, outChannels];
    const fanIn = kernel * kernel * inChannels;
    this.weight =
      init === 'kaiming-normal'
        ? kaimingNormal(engine, shape, kernel * kernel * outChannels, random)
        : kaimingUniform(engine, shape, fanIn, random);
    this.bias = bias ? kaimingUniform(engine, [outChannels], fanIn, random) : null;
  }

  protected override layoutOf(field: string): TorchLayout {
    return field === 'weight' ? 'OIHW' : 'same';
  }

  /**
   * Images [n, h, w, in] to [n, h', w', out].
   * @throws as {@link conv2d}.
   */
  forward(x: Tensor): Tensor {
    const { stride, padding } = this;
    return conv2d(x, this.weight, this.bias ? { stride, padding, bias: this.bias } : { stride, padding });
  }
}

/** Batch norm over the last axis, optionally fused with a residual and a ReLU. */
export class BatchNorm2d extends Module {
  /** f32 [channels], trained; ones in the beginning. */
  weight: Tensor;
  /** f32 [channels], trained; zeros in the beginning. */
  bias: Tensor;
  /** f32 [channels]: what inference normalises by. */
  runningMean: Tensor;
  /** f32 [channels]: what inference normalises by. */
  runningVar: Tensor;
  /** Share of the batch in the running statistics. */
  momentum: number;
  /** Added to the variance. */
  eps: number;

  /** @throws {ArgumentError} when `channels` is not a whole number of at least 1. */
  constructor(
    engine: Engine,
    readonly channels: number,
    { momentum = 0.1, eps = 1e-5 }: { momentum?: number; eps?: number } = {},
  ) {
    super(engine);
    checkSizes('BatchNorm2d', { channels });
    this.momentum = momentum;
    this.eps = eps;
    this.weight = parameter(engine, [channels], () => 1);
    this.bias = parameter(engine, [channels], () => 0);
    this.runningMean = buffer(engine, [channels], 0);
    this.runningVar = buffer(engine, [channels], 1);
  }

  /**
   * Normalises by the batch in training, which moves the running statistics, and by these in inference.
   * @param x [..., channels].
   * @param fused `residual`: added to the result, of x's shape; `relu`: applied last.
   * @throws as {@link batchNorm}.
   */
  forward(x: Tensor, fused: { residual?: Tensor; relu?: boolean } = {}): Tensor {
    const { weight, bias, runningMean, runningVar, momentum, eps, training } = this;
    return batchNorm(x, { weight, bias, runningMean, runningVar, momentum, eps, training, ...fused });
  }
}

/** The largest value of each window; see {@link maxPool2d}. */
export class MaxPool2d extends Module {
  constructor(
    engine: Engine,
    private readonly options: PoolOptions,
  ) {
    super(engine);
  }

  /**
   * Images [n, h, w, c] to [n, h', w', c].
   * @throws as {@link maxPool2d}.
   */
  forward(x: Tensor): Tensor {
    return maxPool2d(x, this.options);
  }
}

/** The mean of each window; see {@link avgPool2d}. */
export class AvgPool2d extends Module {
  constructor(
    engine: Engine,
    private readonly options: AvgPoolOptions,
  ) {
    super(engine);
  }

  /**
   * Images [n, h, w, c] to [n, h', w', c].
   * @throws as {@link avgPool2d}.
   */
  forward(x: Tensor): Tensor {
    return avgPool2d(x, this.options);
  }
}

/** The mean over each image; see {@link globalAvgPool}. */
export class GlobalAvgPool extends Module {
  /**
   * [n, h, w, c] to [n, c].
   * @throws as {@link globalAvgPool}.
   */
  forward(x: Tensor): Tensor {
    return globalAvgPool(x);
  }
}

/** max(0, x), in a module of its own: for {@link Sequential}. */
export class ReLU extends Module {
  /** The same shape; NaN stays NaN. */
  forward(x: Tensor): Tensor {
    return x.relu();
  }
}

/** Zeros at random in training, nothing in inference; see {@link dropout}. The probability is 0.5 by default. */
export class Dropout extends Module {
  /** @throws {ArgumentError} when the probability is out of range. */
  constructor(
    engine: Engine,
    private readonly probability = 0.5,
  ) {
    super(engine);
    checkProbability('Dropout', probability);
  }

  /**
   * The same shape; in inference `x` itself.
   * @throws {DTypeError} for integers.
   */
  forward(x: Tensor): Tensor {
    return dropout(x, this.probability, { training: this.training });
  }
}

/** One module after the other; named `0`, `1`, … as in PyTorch. */
export class Sequential extends Module {
  /** In the order in which they are applied. */
  readonly modules: readonly Module[];

  constructor(engine: Engine, ...modules: Module[]) {
    super(engine);
    this.modules = modules;
  }

  override *children(): Generator<[string, Module]> {
    for (const [i, module] of this.modules.entries()) yield [String(i), module];
  }

  /** What the last one makes of it. */
  forward(x: Tensor): Tensor {
    return this.modules.reduce((y, module) => module.forward(y), x);
  }
}

/** @throws {ShapeError} unless `x` is a batch of images [n, h, w, channels]. */
export function checkImages(where: string, x: Tensor, channels: number): void {
  if (x.rank !== 4 || x.shape[3] !== channels) {
    throw new ShapeError({ where, message: `takes images [n, h, w, ${channels}], not ${show(x.shape)}.` });
  }
}
