/** Attention of queries to keys and values (Vaswani et al. 2017). */
import { DTypeError, ShapeError } from '../errors.ts';
import { arange } from '../tensor/create.ts';
import { isFloat } from '../tensor/dtype.ts';
import { broadcastShapes, sameShape, show } from '../tensor/shape.ts';
import { commonEngine, Tensor } from '../tensor/tensor.ts';
import { dropout } from './dropout.ts';
import { where } from './elementwise/elementwise.ts';
import { launchElementwise } from './elementwise/elementwise-kernel.ts';
import { matmul } from './matmul/matmul.ts';
import './methods.ts';
import { softmax } from './softmax.ts';

/** What {@link scaledDotProductAttention} may be told. */
export interface AttentionOptions {
  /**
   * Broadcasts to [..., queries, keys]. u32: 1 where a query may look at a key, 0 where it may not; floats: added to the scores. A query that
   * may look at nothing is NaN, as in PyTorch up to 2.4, whose `scaled_dot_product_attention` gives it zeros from 2.5 on. Several apply
   * together.
   */
  mask?: Tensor | readonly Tensor[];
  /** A query looks at keys up to its own position alone. */
  isCausal?: boolean;
  /** Times the scores; 1/√features by default. */
  scale?: number;
  /** Probability that a weight is set to 0, for training; 0 by default. */
  dropout?: number;
}

/** What attention gives, and by which weights. */
export interface Attended {
  /** [..., queries, features of the values]. */
  readonly output: Tensor;
  /** [..., queries, keys]: what each query took of each value; its dropout left out. */
  readonly weights: Tensor;
}

/** Scores with what the mask forbids at −∞. */
function masked(scores: Tensor, mask: Tensor): Tensor {
  if (!sameShape(broadcastShapes('attention', scores.shape, mask.shape), scores.shape)) {
    throw new ShapeError({
      where: 'attention',
      message: `the mask has shape ${show(mask.shape)}, which does not broadcast to the scores, ${show(scores.shape)}.`,
    });
  }
  if (mask.dtype === 'u32') return where(mask, scores, -Infinity);
  if (isFloat(mask.dtype)) return scores.add(mask.cast(scores.dtype));
  throw new DTypeError({
    where: 'attention',
    message: `the mask is ${mask.dtype}; u32 (1 where a query may look) or floats to be added were expected.`,
  });
}

/** [queries, keys], u32: 1 up to each query's own position. */
function causal({ engine }: Tensor, queries: number, keys: number): Tensor {
  const query = arange(engine, queries, 'i32').reshape([queries, 1]);
  const key = arange(engine, keys, 'i32');
  return launchElementwise(
    'causal',
    'select(0u, 1u, key <= query)',
    { query, key },
    { shape: [queries, keys], result: 'u32' },
  );
}

/**
 * softmax(query · keyᵀ · scale + mask) · value, with the weights; see {@link scaledDotProductAttention}, whose errors it throws.
 */
export function attend(query: Tensor, key: Tensor, value: Tensor, options: AttentionOptions = {}): Attended {
  const name = 'attention';
  const { mask, isCausal = false, dropout: p = 0 } = options;
  const given = mask instanceof Tensor ? [mask] : (mask ?? []);
  commonEngine(name, [query, key, value, ...given]);
  const [queries = 0, features = 0] = query.shape.slice(-2);
  const [keys = 0, keyFeatures = 0] = key.shape.slice(-2);
  const fits =
    query.rank >= 2 &&
    sameShape(query.shape.slice(0, -2), key.shape.slice(0, -2)) &&
    sameShape(value.shape.slice(0, -1), key.shape.slice(0, -1)) &&
    features === keyFeatures;
  if (!fits) {
    throw new ShapeError({
      where: name,
      message:
        'takes query [..., queries, features], key [..., keys, features] and value [..., keys, out]; ' +
        `was given ${[query, key, value].map(({ shape }) => show(shape)).join(', ')}.`,
    });
  }
  const { scale = 1 / Math.sqrt(features) } = options;
  // The fewer numbers are scaled: queries, not scores.
  const scores = matmul(query.mul(scale), key, { transposeB: true });
  const masks = [...given, ...(isCausal ? [causal(query, queries, keys)] : [])];
  const weights = softmax(masks.reduce(masked, scores));
  const taken = p > 0 ? dropout(weights, p) : weights;
  return { output: matmul(taken, value), weights };
}

/**
 * Attention: softmax(query · keyᵀ / √features) · value, in f32 or f16, with gradients for all three (Vaswani et al. 2017, eq. 1).
 * @param query [..., queries, features].
 * @param key [..., keys, features].
 * @param value [..., keys, out].
 * @returns [..., queries, out].
 * @throws {ShapeError} when the shapes do not fit.
 * @throws {DTypeError} unless all three are f32 or all f16, or for a mask of i32.
 * @throws {ArgumentError} for a dropout outside [0, 1).
 */
export function scaledDotProductAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: AttentionOptions = {},
): Tensor {
  return attend(query, key, value, options).output;
}
