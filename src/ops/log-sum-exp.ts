/** log Σ exp along an axis. */
import type { Tensor } from '../tensor/tensor.ts';
import './methods.ts';
import type { ReduceOptions } from './reduce.ts';

/**
 * log Σ exp(x) along an axis, the last by default, without overflow; its gradient is the softmax.
 * @throws {ShapeError} when the axis is out of range.
 * @throws {DTypeError} for integers.
 */
export function logSumExp(x: Tensor, axis = -1, { keepDims = false }: ReduceOptions = {}): Tensor {
  const most = x.detach().max(axis, { keepDims: true });
  const sums = x.sub(most).exp().sum(axis, { keepDims }).log();
  return sums.add(keepDims ? most : most.reshape(sums.shape));
}
