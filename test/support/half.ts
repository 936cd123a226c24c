/** f16 tensors for tests: values that are f16 already, so that references start from the same numbers. */
import type { Tensor } from '../../src/index.ts';
import { fromHalfBits, halfBits } from '../../src/tensor/float-bits.ts';
import { engine } from './engine.ts';

/** Largest relative error of one rounding to f16. */
export const HALF_EPSILON = 2 ** -11;

/** Numbers rounded to f16. */
export const rounded = (data: ArrayLike<number>): Float32Array<ArrayBuffer> =>
  Float32Array.from(data, (x) => fromHalfBits(halfBits(x)));

/** An f16 tensor. */
export const halves = (data: ArrayLike<number>, shape: readonly number[]): Tensor =>
  engine.tensor(Float32Array.from(data), shape, 'f16');

/** An f16 leaf whose gradient `backward()` keeps. */
export function halfLeaf(data: ArrayLike<number>, shape: readonly number[]): Tensor {
  const tensor = halves(data, shape);
  tensor.requiresGrad = true;
  return tensor;
}
