/** From feature maps to the inputs of a linear layer. */

import { ArgumentError } from '../errors.ts';
import { flatten } from '../ops/reshape.ts';
import { transpose } from '../ops/strided.ts';
import type { Engine } from '../tensor/engine.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Module } from './module.ts';

const ORDERS = ['chw', 'hwc'] as const;

/** What a {@link Flatten} layer may differ in. */
export interface FlattenOptions {
  /**
   * The order of an image's values. `chw` (default): channel by channel, as in PyTorch, so that the weights of a linear layer
   * behind it are PyTorch's too; costs a copy where there are several pixels and channels. `hwc`: pixel by pixel, as they
   * lie in memory here; free.
   */
  order?: (typeof ORDERS)[number];
}

/** [n, h, w, c] to [n, c·h·w]; tensors of another rank to [n, everything else] as they lie. */
export class Flatten extends Module {
  /** The order of an image's values in a row. */
  readonly order: (typeof ORDERS)[number];

  /** @throws {ArgumentError} when the order is unknown. */
  constructor(engine: Engine, { order = 'chw' }: FlattenOptions = {}) {
    super(engine);
    if (!ORDERS.includes(order)) {
      throw new ArgumentError({ where: 'Flatten', message: `order must be ${ORDERS.join(' or ')}, not ${order}.` });
    }
    this.order = order;
  }

  /** [n, h, w, c] to [n, h·w·c]. */
  forward(x: Tensor): Tensor {
    const [, height = 1, width = 1, channels = 1] = x.shape;
    const matters = this.order === 'chw' && x.rank === 4 && height * width > 1 && channels > 1;
    return flatten(matters ? transpose(x, [0, 3, 1, 2]) : x);
  }
}
