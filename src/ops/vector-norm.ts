/**
 * Lengths of vectors along an axis, and vectors of length 1, with gradients that stay finite for vectors of zeros. Of f16 computed in
 * f32: f16 does not hold the squares.
 */
import { commonFloat } from '../tensor/dtype.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { where } from './elementwise/elementwise.ts';
import './methods.ts';
import type { ReduceOptions } from './reduce.ts';

/** Squares of lengths below this are taken for none: a vector shorter than 1e-12 has no direction (as PyTorch's `normalize`). */
const NONE = 1e-24;
/** The least normal number, nearly: what is below may be 0 to an adapter, and the slope of its root no number. */
const LEAST = 1e-37;

/**
 * Euclidean lengths along an axis, the last by default, f32. A vector of zeros, or one whose square f32 does not hold, has the length
 * and the gradient zero.
 * @throws {ShapeError} when the axis is out of range.
 * @throws {DTypeError} for integers.
 */
export function vectorNorm(x: Tensor, axis = -1, options: ReduceOptions = {}): Tensor {
  commonFloat('vectorNorm', [x]);
  const squares = x.cast('f32').square().sum(axis, options);
  return where(squares.less(LEAST), 0, squares.clamp(LEAST).sqrt());
}

/**
 * Vectors along an axis, the last by default, divided by their Euclidean length. A vector shorter than 1e-12 becomes zeros, with
 * the gradient zero: it has no direction to turn from.
 * @throws {ShapeError} when the axis is out of range.
 * @throws {DTypeError} for integers.
 */
export function normalize(x: Tensor, axis = -1): Tensor {
  const dtype = commonFloat('normalize', [x]);
  const wide = x.cast('f32');
  const squares = wide.square().sum(axis, { keepDims: true });
  // Not by what is longer: a vector with NaN is neither longer nor shorter, and NaN altogether.
  return wide.mul(where(squares.lessEqual(NONE), 0, squares.clamp(NONE).rsqrt())).cast(dtype);
}
