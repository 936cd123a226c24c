/** Vectors for whole numbers: words, classes, positions. */
import { ArgumentError, DTypeError } from '../errors.ts';
import { where } from '../ops/elementwise/elementwise.ts';
import { gatherUnsigned } from '../ops/gather.ts';
import '../ops/methods.ts';
import type { Engine } from '../tensor/engine.ts';
import type { Random } from '../tensor/random.ts';
import { layerRandom } from '../tensor/random-tensors.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkSizes } from './check-sizes.ts';
import { parameter } from './init.ts';
import { Module } from './module.ts';

/** What an {@link Embedding} may differ in. */
export interface EmbeddingOptions {
  /** A number whose vector is zeros in the beginning and is not trained. */
  paddingIndex?: number;
  /** What the vectors are drawn from; by default a stream of the engine's seed for this layer alone, see `engine.seed`. */
  random?: Random;
}

/** A vector for each whole number below `count`, drawn from the normal distribution in the beginning. */
export class Embedding extends Module {
  /** f32 [count, features]. */
  weight: Tensor;
  /** A number whose vector is not trained; none by default. */
  readonly paddingIndex: number | undefined;

  /** @throws {ArgumentError} when a size is not a whole number of at least 1, or the padding index is not below the count. */
  constructor(
    engine: Engine,
    readonly count: number,
    readonly features: number,
    { paddingIndex, random = layerRandom(engine) }: EmbeddingOptions = {},
  ) {
    super(engine);
    checkSizes('Embedding', { count, features });
    const isThere = (index: number) => Number.isInteger(index) && index >= 0 && index < count;
    if (paddingIndex !== undefined && !isThere(paddingIndex)) {
      throw new ArgumentError({
        where: 'Embedding',
        message: `paddingIndex must be a whole number from 0 to ${count - 1}, not ${paddingIndex}.`,
      });
    }
    this.paddingIndex = paddingIndex;
    this.weight = parameter(engine, [count, features], (i) => {
      const value = random.normal();
      return Math.floor(i / features) === paddingIndex ? 0 : value;
    });
  }

  /**
   * [...] to [..., features]. Numbers of vectors that do not exist, negative ones among them, give zeros.
   * @param x i32.
   * @throws {DTypeError} when x is not i32.
   */
  forward(x: Tensor): Tensor {
    if (x.dtype !== 'i32') {
      throw new DTypeError({ where: 'Embedding', message: `takes i32, not ${x.dtype}.`, fix: "Use x.cast('i32')." });
    }
    const index = x.reshape([x.size]);
    const rows = gatherUnsigned(this.weight, index);
    const { paddingIndex } = this;
    const trained =
      paddingIndex === undefined ? rows : where(index.notEqual(paddingIndex).reshape([x.size, 1]), rows, rows.detach());
    return trained.reshape([...x.shape, this.features]);
  }
}
