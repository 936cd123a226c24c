/** Transposed convolution, as a layer. */
import { convTranspose2d } from '../ops/conv2d/conv-transpose2d.ts';
import { checkGroups } from '../ops/conv2d/geometry.ts';
import { type Pair, pairOf } from '../ops/pair.ts';
import type { Engine } from '../tensor/engine.ts';
import type { Random } from '../tensor/random.ts';
import { layerRandom } from '../tensor/random-tensors.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkSizes } from './check-sizes.ts';
import { kaimingUniform } from './init.ts';
import { Module, type TorchLayout } from './module.ts';

/** What a {@link ConvTranspose2d} layer may differ in. */
export interface ConvTranspose2dOptions {
  /** 1 by default; two numbers are [vertical, horizontal]. */
  stride?: Pair;
  /** So many fewer rows and columns on both sides of the output; 0 by default. */
  padding?: Pair;
  /** So many more rows and columns below and to the right; 0 by default, less than the stride or the dilation. */
  outputPadding?: Pair;
  /** Distance between neighbouring places of the kernel; 1 by default. */
  dilation?: Pair;
  /** Groups of channels that see each other; 1 by default. */
  groups?: number;
  /** Whether outputs have a bias; they do by default. */
  bias?: boolean;
  /** What the weights are drawn from; by default a stream of the engine's seed for this layer alone, see `engine.seed`. */
  random?: Random;
}

/**
 * The transpose of a convolution from its outputs to its inputs, whose weight it has: [kernel height, kernel width, out / groups,
 * in]. PyTorch's weight is [in, out / groups, height, width].
 */
export class ConvTranspose2d extends Module {
  /** f32 [kernel height, kernel width, out / groups, in]. */
  weight: Tensor;
  /** f32 [out]; none where it was left out. */
  bias: Tensor | null;
  /** [vertical, horizontal]. */
  readonly stride: readonly [number, number];
  /** [vertical, horizontal]. */
  readonly padding: readonly [number, number];
  /** [vertical, horizontal]. */
  readonly outputPadding: readonly [number, number];
  /** [vertical, horizontal]. */
  readonly dilation: readonly [number, number];
  readonly groups: number;

  /**
   * @param kernel Its size; two numbers are [height, width].
   * @throws {ArgumentError} when a number is out of range, or groups do not divide the channels.
   */
  constructor(
    engine: Engine,
    inChannels: number,
    outChannels: number,
    kernel: Pair,
    options: ConvTranspose2dOptions = {},
  ) {
    super(engine);
    const where = 'ConvTranspose2d';
    const { stride = 1, padding = 0, outputPadding = 0, dilation = 1, groups = 1 } = options;
    const { bias = true, random = layerRandom(engine) } = options;
    checkSizes(where, { inChannels, outChannels });
    checkGroups(where, groups, inChannels, outChannels);
    const [height, width] = pairOf(where, 'kernel', kernel, 1);
    this.stride = pairOf(where, 'stride', stride, 1);
    this.padding = pairOf(where, 'padding', padding, 0);
    this.outputPadding = pairOf(where, 'outputPadding', outputPadding, 0);
    this.dilation = pairOf(where, 'dilation', dilation, 1);
    this.groups = groups;
    const shape = [height, width, outChannels / groups, inChannels];
    // As PyTorch counts it: what a weight's second axis is there, though more inputs go into an output.
    const fanIn = (height * width * outChannels) / groups;
    this.weight = kaimingUniform(engine, shape, fanIn, random);
    this.bias = bias ? kaimingUniform(engine, [outChannels], fanIn, random) : null;
  }

  protected override layoutOf(field: string): TorchLayout {
    return field === 'weight' ? 'OIHW' : 'same';
  }

  /**
   * Images [n, h, w, in] to [n, h', w', out].
   * @throws as {@link convTranspose2d}.
   */
  forward(x: Tensor): Tensor {
    const { stride, padding, outputPadding, dilation, groups, bias } = this;
    const options = { stride, padding, outputPadding, dilation, groups };
    return convTranspose2d(x, this.weight, bias ? { ...options, bias } : options);
  }
}
