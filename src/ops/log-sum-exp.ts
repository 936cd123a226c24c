/** log Σ exp along an axis. */
import { commonFloat } from '../tensor/dtype.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { where } from './elementwise/elementwise.ts';
import './methods.ts';
import type { ReduceOptions } from './reduce.ts';

/**
 * log Σ exp(x) along an axis, the last by default, without overflow, f32; its gradient is the softmax.
 * @throws {ShapeError} when the axis is out of range.
 * @throws {DTypeError} for integers.
 */
export function logSumExp(x: Tensor, axis = -1, { keepDims = false }: ReduceOptions = {}): Tensor {
  commonFloat('logSumExp', [x]);
  const wide = x.cast('f32');
  const most = wide.detach().max(axis, { keepDims: true });
  // ∞ from itself would be NaN.
  const shift = where(most.isFinite(), most, 0);
  const sums = wide.sub(shift).exp().sum(axis, { keepDims }).log();
  return sums.add(keepDims ? shift : shift.reshape(sums.shape));
}
