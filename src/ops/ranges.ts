/** Numbers at even distances, and unit matrices; whole numbers from 0 on are `engine.arange`. */
import { ArgumentError } from '../errors.ts';
import type { Runtime } from '../gpu/runtime.ts';
import { arange as counted, tensorFrom } from '../tensor/create.ts';
import type { DType } from '../tensor/dtype.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { cast } from './elementwise/elementwise.ts';
import { oneHot } from './gather.ts';

/** In float64, and rounded once. */
const numbers = (engine: Runtime, n: number, at: (i: number) => number, dtype: DType): Tensor =>
  tensorFrom(
    engine,
    Float64Array.from({ length: n }, (_, i) => at(i)),
    [n],
    dtype,
  );

/**
 * `[start, start + step, …]` up to but without `end`, f32 by default: ⌈(end − start)/step⌉ numbers, as PyTorch's.
 * @throws {ArgumentError} when there are no numbers between the two: a step of 0 or away from the end.
 * @throws {DTypeError} when an integer dtype cannot hold them.
 */
export function arange(engine: Runtime, start: number, end: number, step = 1, dtype: DType = 'f32'): Tensor {
  const n = Math.ceil((end - start) / step);
  if (!(n >= 1 && Number.isFinite(n))) {
    throw new ArgumentError({
      where: 'arange',
      message: `there are no numbers from ${start} to below ${end} in steps of ${step}.`,
    });
  }
  return numbers(engine, n, (i) => start + i * step, dtype);
}

/**
 * `count` numbers at even distances from `start` to `end`, both included, f32 by default.
 * @throws {ArgumentError} unless `count` is a whole number of at least 1, and both ends are finite.
 * @throws {DTypeError} when an integer dtype cannot hold them.
 */
export function linspace(engine: Runtime, start: number, end: number, count: number, dtype: DType = 'f32'): Tensor {
  if (!(Number.isInteger(count) && count >= 1 && Number.isFinite(start) && Number.isFinite(end))) {
    throw new ArgumentError({
      where: 'linspace',
      message: `${count} numbers from ${start} to ${end} were asked for; a whole number of at least 1, and finite ends, were expected.`,
    });
  }
  const share = (i: number) => (count === 1 ? 0 : i / (count - 1));
  // A weighted sum is exact at both ends.
  return numbers(engine, count, (i) => start * (1 - share(i)) + end * share(i), dtype);
}

/**
 * [rows, columns] with ones on the main diagonal, f32 by default; square unless columns are given.
 * @throws {ShapeError} when a size is not a whole number of at least 1.
 */
export function eye(engine: Runtime, rows: number, columns = rows, dtype: DType = 'f32'): Tensor {
  return cast(oneHot(counted(engine, rows, 'i32'), columns), dtype);
}
