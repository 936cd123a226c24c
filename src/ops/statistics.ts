/** Variance, standard deviation and norms over axes, in f32. */
import { ArgumentError } from '../errors.ts';
import { commonFloat } from '../tensor/dtype.ts';
import { normalizeAxes, sizeOf } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import './methods.ts';
import { where } from './elementwise/elementwise.ts';
import type { ReduceOptions } from './reduce.ts';

/** The shape and the divisor of a variance. */
export interface VarianceOptions extends ReduceOptions {
  /** What is taken from the count of elements before dividing by it: 1 by default (Bessel's correction), 0 for the biased variance. */
  correction?: number;
}

/**
 * Mean square distance from the mean over the axes, all by default: Σ(x − mean)² / (n − correction). Of two passes, so that a
 * large mean costs no digits.
 * @throws {ShapeError} when an axis is out of range or given twice.
 * @throws {DTypeError} for integers.
 * @throws {ArgumentError} when the correction leaves nothing to divide by.
 */
export function variance(
  x: Tensor,
  axes?: number | readonly number[],
  { correction = 1, keepDims = false }: VarianceOptions = {},
): Tensor {
  commonFloat('variance', [x]);
  const over = normalizeAxes(axes, x.rank, 'variance');
  const n = sizeOf(over.map((axis) => x.shape[axis] as number));
  if (!(n - correction > 0)) {
    throw new ArgumentError({
      where: 'variance',
      message: `${n} elements with a correction of ${correction} leave nothing to divide by.`,
      fix: 'Use { correction: 0 } for the biased variance.',
    });
  }
  const wide = x.cast('f32');
  return wide
    .sub(wide.mean(over, { keepDims: true }))
    .square()
    .sum(over, { keepDims })
    .mul(1 / (n - correction));
}

/**
 * The root of {@link variance}, whose options it takes and whose errors it throws. Where nothing varies its gradient is zero.
 */
export function std(x: Tensor, axes?: number | readonly number[], options: VarianceOptions = {}): Tensor {
  return rooted(variance(x, axes, options), 2);
}

/** The p-th root, with the gradient zero at 0, where that of a length has no direction. */
function rooted(powers: Tensor, p: number): Tensor {
  const isZero = powers.detach().equal(0);
  const positive = where(isZero, 1, powers);
  return where(isZero, 0, p === 2 ? positive.sqrt() : positive.pow(1 / p));
}

/**
 * The p-norm of the elements over the axes, all by default: (Σ|x|ᵖ)^(1/p), f32. `Infinity` is the largest |x|, `-Infinity` the smallest,
 * 0 the number of those that are not 0. For lengths of vectors see `vectorNorm` and `normalize` too.
 * @param p 2 by default: the Euclidean or Frobenius norm. The gradient of zeros is zero.
 * @throws {ShapeError} when an axis is out of range or given twice.
 * @throws {DTypeError} for integers.
 * @throws {ArgumentError} when `p` is not a number.
 */
export function norm(x: Tensor, p = 2, axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
  if (Number.isNaN(p)) throw new ArgumentError({ where: 'norm', message: 'p must be a number, not NaN.' });
  commonFloat('norm', [x]);
  const wide = x.cast('f32');
  if (p === 2) return rooted(wide.square().sum(axes, options), 2);
  if (p === 0) return wide.notEqual(0).cast('f32').sum(axes, options);
  const lengths = wide.abs();
  if (p === 1) return lengths.sum(axes, options);
  if (p === Infinity) return lengths.max(axes, options);
  if (p === -Infinity) return lengths.min(axes, options);
  return rooted(lengths.pow(p).sum(axes, options), p);
}
