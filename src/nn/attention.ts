/** Attention with several heads, as a layer. */
import { ArgumentError, DTypeError, ShapeError } from '../errors.ts';
import { type AttentionOptions, attend } from '../ops/attention.ts';
import { checkProbability } from '../ops/dropout.ts';
import { cutHeads, joinHeads } from '../ops/heads.ts';
import { linear } from '../ops/matmul/linear.ts';
import '../ops/methods.ts';
import { slice } from '../ops/strided.ts';
import type { Engine } from '../tensor/engine.ts';
import type { Random } from '../tensor/random.ts';
import { layerRandom } from '../tensor/random-tensors.ts';
import { show } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkSizes } from './check-sizes.ts';
import { parameter } from './init.ts';
import { Linear } from './layers.ts';
import { type AnyModule, Module, type TorchLayout } from './module.ts';

/** What a {@link MultiheadAttention} layer may differ in. */
export interface MultiheadAttentionOptions {
  /** Probability that a weight is set to 0 in training; 0 by default. */
  dropout?: number;
  /** Whether projections have biases; they do by default. */
  bias?: boolean;
  /** Features of the keys; those of the queries by default. */
  keyFeatures?: number;
  /** Features of the values; those of the queries by default. */
  valueFeatures?: number;
  /** What the weights are drawn from; by default a stream of the engine's seed for this layer alone, see `engine.seed`. */
  random?: Random;
}

/** What a query may look at, and what is wanted. */
export interface MultiheadAttentionInput extends Pick<AttentionOptions, 'isCausal'> {
  /**
   * Broadcasts to [batch, heads, queries, keys]. u32: 1 where a query may look at a key (PyTorch's `attn_mask` of booleans says where it
   * may not); floats: added to the scores.
   */
  mask?: Tensor;
  /** u32 [batch, keys]: 1 for keys that are there, 0 for padding (PyTorch's `key_padding_mask` has it the other way round). */
  keyMask?: Tensor;
  /** Whether to return the weights too; not by default. */
  needWeights?: boolean;
}

/** What attention makes of a batch. */
export interface MultiheadAttentionOutput {
  /** [batch, queries, features]. */
  readonly output: Tensor;
  /** [batch, queries, keys], the mean over the heads; `null` unless asked for. */
  readonly weights: Tensor | null;
}

/**
 * Attention with several heads (Vaswani et al. 2017, section 3.2.2): batches of sequences [batch, length, features], which PyTorch calls
 * `batch_first`. Its parameters have PyTorch's names and, in state dicts, its layouts.
 * @example
 * const attention = new MultiheadAttention(engine, 64, 8);
 * const { output } = attention.forward(x, x, x, { isCausal: true });
 */
export class MultiheadAttention extends Module<
  [query: Tensor, key?: Tensor, value?: Tensor, input?: MultiheadAttentionInput],
  MultiheadAttentionOutput
> {
  /** f32 [features, 3 · features], of queries, keys and values; none where keys or values have other features. */
  readonly inProjWeight: Tensor | null;
  /** f32 [features, features]; where keys or values have other features. */
  readonly qProjWeight: Tensor | null;
  /** f32 [features of the keys, features]; where keys or values have other features. */
  readonly kProjWeight: Tensor | null;
  /** f32 [features of the values, features]; where keys or values have other features. */
  readonly vProjWeight: Tensor | null;
  /** f32 [3 · features]; none where it was left out. */
  readonly inProjBias: Tensor | null;
  /** Of the heads' joined outputs. */
  readonly outProj: Linear;
  /** Probability that a weight is set to 0 in training. */
  readonly dropout: number;

  /** @throws {ArgumentError} when a size is not a whole number of at least 1, heads do not divide the features, or the dropout is out of range. */
  constructor(
    engine: Engine,
    readonly features: number,
    readonly heads: number,
    options: MultiheadAttentionOptions = {},
  ) {
    super(engine);
    const { dropout = 0, bias = true, keyFeatures = features, valueFeatures = features } = options;
    const random = options.random ?? layerRandom(engine);
    checkSizes('MultiheadAttention', { features, heads, keyFeatures, valueFeatures });
    checkProbability('MultiheadAttention', dropout);
    if (features % heads !== 0) {
      throw new ArgumentError({
        where: 'MultiheadAttention',
        message: `${heads} heads do not divide ${features} features.`,
      });
    }
    // Glorot & Bengio 2010, as PyTorch's.
    const xavier = (inputs: number, outputs: number) => {
      const bound = Math.sqrt(6 / (inputs + outputs));
      return parameter(engine, [inputs, outputs], () => random.uniform(-bound, bound));
    };
    const isOne = keyFeatures === features && valueFeatures === features;
    this.dropout = dropout;
    this.inProjWeight = isOne ? xavier(features, 3 * features) : null;
    this.qProjWeight = isOne ? null : xavier(features, features);
    this.kProjWeight = isOne ? null : xavier(keyFeatures, features);
    this.vProjWeight = isOne ? null : xavier(valueFeatures, features);
    this.inProjBias = bias ? parameter(engine, [3 * features], () => 0) : null;
    this.outProj = new Linear(engine, features, features, { bias, random });
    if (this.outProj.bias) {
      this.outProj.bias.dispose();
      this.outProj.bias = parameter(engine, [features], () => 0);
    }
  }

  override *children(): Generator<[string, AnyModule]> {
    yield ['out_proj', this.outProj];
  }

  protected override layoutOf(field: string): TorchLayout {
    return field.endsWith('Weight') ? 'OI' : 'same';
  }

  /** Queries, keys and values as heads, [batch, heads, length, features / heads] each; one product where all come from one tensor. */
  private project(query: Tensor, key: Tensor, value: Tensor): [Tensor, Tensor, Tensor] {
    const { features, heads, inProjWeight, inProjBias } = this;
    if (inProjWeight && query === key && key === value) {
      const all = linear(query, inProjWeight, inProjBias);
      const cut = (i: number) => cutHeads(all, { heads, features, from: i * features });
      return [cut(0), cut(1), cut(2)];
    }
    const own = [this.qProjWeight, this.kProjWeight, this.vProjWeight];
    const part = (x: Tensor, i: number) => {
      const columns = [i * features, (i + 1) * features] as const;
      const weight = inProjWeight ? slice(inProjWeight, [null, columns]) : (own[i] as Tensor);
      return cutHeads(linear(x, weight, inProjBias && slice(inProjBias, [columns])), { heads, features });
    };
    return [part(query, 0), part(key, 1), part(value, 2)];
  }

  /**
   * Each query's mean of the values by its attention to the keys. Without keys they are the queries: self-attention; without values
   * they are the keys.
   * @param query [batch, queries, features].
   * @param key [batch, keys, features of the keys].
   * @param value [batch, keys, features of the values].
   * @throws {ShapeError} when the shapes do not fit.
   * @throws {DTypeError} when they are not all f32 or all f16, the mask is i32, or `keyMask` is not u32.
   */
  forward(
    query: Tensor,
    key = query,
    value = key,
    { mask, keyMask, isCausal = false, needWeights = false }: MultiheadAttentionInput = {},
  ): MultiheadAttentionOutput {
    const where = 'MultiheadAttention';
    const [batch = 0] = query.shape;
    const fits =
      [query, key, value].every(({ rank, shape }) => rank === 3 && shape[0] === batch) &&
      key.shape[1] === value.shape[1];
    if (!fits) {
      throw new ShapeError({
        where,
        message:
          'takes query [batch, queries, features], key and value [batch, keys, features]; ' +
          `was given ${[query, key, value].map(({ shape }) => show(shape)).join(', ')}.`,
      });
    }
    const keys = key.shape[1] as number;
    if (keyMask && keyMask.dtype !== 'u32') {
      throw new DTypeError({
        where,
        message: `keyMask is ${keyMask.dtype}; u32 was expected.`,
        fix: 'Use a comparison.',
      });
    }
    const { output, weights } = attend(...this.project(query, key, value), {
      mask: [...(mask ? [mask] : []), ...(keyMask ? [keyMask.reshape([batch, 1, 1, keys])] : [])],
      isCausal,
      dropout: this.training ? this.dropout : 0,
    });
    return { output: this.outProj.forward(joinHeads(output)), weights: needWeights ? weights.mean(1) : null };
  }
}
