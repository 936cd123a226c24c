/** Convolution of sequences, as a layer. */
import { conv1d } from '../ops/conv2d/conv1d.ts';
import { checkGroups } from '../ops/conv2d/geometry.ts';
import type { Engine } from '../tensor/engine.ts';
import type { Random } from '../tensor/random.ts';
import { layerRandom } from '../tensor/random-tensors.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkSizes } from './check-sizes.ts';
import { kaimingUniform } from './init.ts';
import { Module, type TorchLayout } from './module.ts';

/** What a {@link Conv1d} layer may differ in. */
export interface Conv1dOptions {
  /** 1 by default. */
  stride?: number;
  /** Zeros at both ends, 0 by default; `same`, for a stride of 1, keeps the length. */
  padding?: number | 'same' | 'valid';
  /** Distance between neighbouring places of the kernel; 1 by default. */
  dilation?: number;
  /** Groups of channels that see each other; 1 by default. */
  groups?: number;
  /** Whether outputs have a bias; they do by default. */
  bias?: boolean;
  /** What the weights are drawn from; by default a stream of the engine's seed for this layer alone, see `engine.seed`. */
  random?: Random;
}

/** A convolution of sequences; weight [kernel, in / groups, out]. PyTorch's weight is [out, in / groups, kernel]. */
export class Conv1d extends Module {
  /** f32 [kernel, in / groups, out]. */
  weight: Tensor;
  /** f32 [out]; none where it was left out. */
  bias: Tensor | null;
  readonly stride: number;
  readonly padding: number | 'same' | 'valid';
  readonly dilation: number;
  readonly groups: number;

  /** @throws {ArgumentError} when a size, stride or dilation is below 1, or groups do not divide the channels. */
  constructor(engine: Engine, inChannels: number, outChannels: number, kernel: number, options: Conv1dOptions = {}) {
    super(engine);
    const { stride = 1, padding = 0, dilation = 1, groups = 1, bias = true, random = layerRandom(engine) } = options;
    checkSizes('Conv1d', { inChannels, outChannels, kernel, stride, dilation });
    checkGroups('Conv1d', groups, inChannels, outChannels);
    this.stride = stride;
    this.padding = padding;
    this.dilation = dilation;
    this.groups = groups;
    const fanIn = (kernel * inChannels) / groups;
    this.weight = kaimingUniform(engine, [kernel, inChannels / groups, outChannels], fanIn, random);
    this.bias = bias ? kaimingUniform(engine, [outChannels], fanIn, random) : null;
  }

  protected override layoutOf(field: string): TorchLayout {
    return field === 'weight' ? 'OIW' : 'same';
  }

  /**
   * Sequences [n, length, in] to [n, length', out].
   * @throws as {@link conv1d}.
   */
  forward(x: Tensor): Tensor {
    const { stride, padding, dilation, groups, bias } = this;
    return conv1d(x, this.weight, { stride, padding, dilation, groups, ...(bias ? { bias } : {}) });
  }
}
