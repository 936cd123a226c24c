/** Layers that normalise each sample by itself, alike in training and inference. */
import { ArgumentError } from '../errors.ts';
import { groupNorm, layerNorm } from '../ops/group-norm.ts';
import type { Engine } from '../tensor/engine.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkSizes } from './check-sizes.ts';
import { parameter } from './init.ts';
import { Module } from './module.ts';

/** What {@link LayerNorm} and {@link GroupNorm} may differ in. */
export interface NormLayerOptions {
  /** Added to the variance, 1e-5 by default. */
  eps?: number;
  /** Whether there is a trained weight and bias; there are by default. */
  affine?: boolean;
}

/** Normalises over the last axes of each sample; see {@link layerNorm}. */
export class LayerNorm extends Module {
  /** f32, of the normalised shape; ones in the beginning. */
  weight: Tensor | null;
  /** f32, of the normalised shape; zeros in the beginning. */
  bias: Tensor | null;
  /** Of the axes that are normalised together. */
  readonly normalizedShape: Shape;
  /** Added to the variance. */
  readonly eps: number;

  /**
   * @param normalizedShape of the last axes, or the length of the last one.
   * @throws {ArgumentError} when a size is not a whole number of at least 1.
   */
  constructor(engine: Engine, normalizedShape: number | Shape, { eps = 1e-5, affine = true }: NormLayerOptions = {}) {
    super(engine);
    this.normalizedShape = typeof normalizedShape === 'number' ? [normalizedShape] : [...normalizedShape];
    checkSizes('LayerNorm', Object.fromEntries(this.normalizedShape.map((n, i) => [`size ${i}`, n])));
    this.eps = eps;
    this.weight = affine ? parameter(engine, this.normalizedShape, () => 1) : null;
    this.bias = affine ? parameter(engine, this.normalizedShape, () => 0) : null;
  }

  /**
   * The same shape.
   * @throws as {@link layerNorm}.
   */
  forward(x: Tensor): Tensor {
    const { weight, bias, eps } = this;
    return layerNorm(x, this.normalizedShape, { weight, bias, eps });
  }
}

/** Normalises over groups of channels, the last axis, of each sample; see {@link groupNorm}. */
export class GroupNorm extends Module {
  /** f32 [channels]; ones in the beginning. */
  weight: Tensor | null;
  /** f32 [channels]; zeros in the beginning. */
  bias: Tensor | null;
  /** Added to the variance. */
  readonly eps: number;

  /** @throws {ArgumentError} when a size is not a whole number of at least 1, or the groups do not divide the channels. */
  constructor(
    engine: Engine,
    readonly groups: number,
    readonly channels: number,
    { eps = 1e-5, affine = true }: NormLayerOptions = {},
  ) {
    super(engine);
    checkSizes('GroupNorm', { groups, channels });
    if (channels % groups !== 0) {
      throw new ArgumentError({
        where: 'GroupNorm',
        message: `${groups} groups do not divide ${channels} channels.`,
      });
    }
    this.eps = eps;
    this.weight = affine ? parameter(engine, [channels], () => 1) : null;
    this.bias = affine ? parameter(engine, [channels], () => 0) : null;
  }

  /**
   * [n, …, channels], of the same shape.
   * @throws as {@link groupNorm}.
   */
  forward(x: Tensor): Tensor {
    const { weight, bias, eps } = this;
    return groupNorm(x, this.groups, { weight, bias, eps });
  }
}
