/** Operations that only move elements: transpose, slice, flip, pad, concat. One kernel does them all. */

import source from '../../shaders/lib/strided-copy.wgsl';
import { record } from '../autograd/tape.ts';
import { ArgumentError, DTypeError, ShapeError } from '../errors.ts';
import { plane } from '../gpu/plane.ts';
import { full, zeros } from '../tensor/create.ts';
import {
  inverseOrder,
  MOST_RANK,
  normalizeAxis,
  padded,
  type Shape,
  show,
  sizeOf,
  stridesOf,
} from '../tensor/shape.ts';
import { commonEngine, Tensor } from '../tensor/tensor.ts';

interface Walk {
  dims: Shape;
  from: readonly number[];
  to: readonly number[];
  fromOffset?: number;
  toOffset?: number;
}

function copy(
  input: Tensor,
  output: Tensor,
  where: string,
  { dims, from, to, fromOffset = 0, toOffset = 0 }: Walk,
): void {
  if (dims.length > MOST_RANK)
    throw new ShapeError({ where, message: `takes at most ${MOST_RANK} dimensions, not ${show(dims)}.` });
  const size = sizeOf(dims);
  const [x, y] = plane(input.engine, Math.ceil(size / 64));
  input.engine.dispatch({
    kernel: { name: 'strided_copy', source },
    constants: { T: input.dtype, RANK: dims.length },
    buffers: [input.storage, output.storage],
    params: {
      size,
      row: x * 64,
      from_offset: fromOffset,
      to_offset: toOffset,
      dims: padded(dims),
      from_strides: padded(from),
      to_strides: padded(to),
    },
    workgroups: [x, y],
  });
}

/**
 * Reorders the axes; reverses them when `axes` is left out.
 * @throws {ShapeError} unless `axes` names every axis once.
 */
export function transpose(x: Tensor, axes: readonly number[] = x.shape.map((_, i) => x.rank - 1 - i)): Tensor {
  x.assertLive('transpose');
  const order = axes.map((axis) => normalizeAxis(axis, x.rank, 'transpose'));
  if (order.length !== x.rank || new Set(order).size !== x.rank) {
    throw new ShapeError({
      where: 'transpose',
      message: `axes ${show(axes)} must name each of the ${x.rank} axes of ${show(x.shape)} once.`,
    });
  }
  const shape = order.map((axis) => x.shape[axis] as number);
  const strides = stridesOf(x.shape);
  const y = Tensor.empty(x.engine, shape, x.dtype, 'transpose');
  copy(x, y, 'transpose', { dims: shape, from: order.map((axis) => strides[axis] as number), to: stridesOf(shape) });
  const back = (dy: Tensor) => [transpose(dy, inverseOrder(order))];
  return record(y, 'transpose', [x], back, back, { order });
}

/** `[start, end, step]` of one axis as in Python: negative positions count from the end, a negative step walks backwards. */
export type Range = readonly [start?: number | null, end?: number | null, step?: number];

function resolveRange(
  range: Range | undefined,
  n: number,
  axis: number,
): { start: number; count: number; step: number } {
  const step = range?.[2] ?? 1;
  if (!Number.isInteger(step) || step === 0) {
    throw new ArgumentError({
      where: 'slice',
      message: `step ${step} of axis ${axis} must be a whole number other than 0.`,
    });
  }
  const limit = (value: number | null | undefined, fallback: number) => {
    if (value === null || value === undefined) return fallback;
    const at = value < 0 ? value + n : value;
    return step > 0 ? Math.min(Math.max(at, 0), n) : Math.min(Math.max(at, -1), n - 1);
  };
  const start = limit(range?.[0], step > 0 ? 0 : n - 1);
  const end = limit(range?.[1], step > 0 ? n : -1);
  const count = Math.max(0, Math.ceil((end - start) / step));
  if (count === 0) {
    throw new ShapeError({
      where: 'slice',
      message: `the range ${JSON.stringify(range)} of axis ${axis} (length ${n}) is empty.`,
    });
  }
  return { start, count, step };
}

/**
 * A box of elements, one range an axis; axes without a range are taken whole.
 * @example slice(x, [[0, 10], null, [null, null, 2]]) // x[0:10, :, ::2]
 * @throws {ShapeError} when a range is empty, or there are more ranges than axes.
 * @throws {ArgumentError} when a step is not a whole number other than 0.
 */
export function slice(x: Tensor, ranges: readonly (Range | null | undefined)[]): Tensor {
  x.assertLive('slice');
  if (ranges.length > x.rank) {
    throw new ShapeError({
      where: 'slice',
      message: `${ranges.length} ranges were given for a tensor of shape ${show(x.shape)}.`,
    });
  }
  const boxes = x.shape.map((n, axis) => resolveRange(ranges[axis] ?? undefined, n, axis));
  const shape = boxes.map((box) => box.count);
  const strides = stridesOf(x.shape);
  const offset = boxes.reduce((total, box, axis) => total + box.start * (strides[axis] as number), 0);
  const steps = boxes.map((box, axis) => box.step * (strides[axis] as number));
  const y = Tensor.empty(x.engine, shape, x.dtype, 'slice');
  copy(x, y, 'slice', { dims: shape, from: steps, to: stridesOf(shape), fromOffset: offset });
  const back = (dy: Tensor): Tensor => {
    const dx = zeros(x.engine, x.shape, x.dtype);
    copy(dy, dx, 'slice', { dims: shape, from: stridesOf(shape), to: steps, toOffset: offset });
    return dx;
  };
  // Linear: the gradient of the gradient is the slice again.
  const recorded = (dy: Tensor) => [record(back(dy), 'slice’s gradient', [dy], (d) => [slice(d, ranges)])];
  return record(y, 'slice', [x], (dy) => [back(dy)], recorded, { boxes });
}

/**
 * Reverses the elements along the axes.
 * @throws {ShapeError} when an axis is out of range.
 */
export function flip(x: Tensor, axes: readonly number[]): Tensor {
  x.assertLive('flip');
  const over = axes.map((axis) => normalizeAxis(axis, x.rank, 'flip'));
  return slice(
    x,
    x.shape.map((_, axis) => (over.includes(axis) ? [null, null, -1] : null)),
  );
}

/**
 * Surrounds with a constant: `[before, after]` an axis.
 * @throws {ShapeError} unless there is one pair of whole numbers ≥ 0 for every axis.
 */
export function pad(x: Tensor, padding: readonly (readonly [number, number])[], value = 0): Tensor {
  x.assertLive('pad');
  if (padding.length !== x.rank || padding.flat().some((n) => !Number.isInteger(n) || n < 0)) {
    throw new ShapeError({
      where: 'pad',
      message: `${JSON.stringify(padding)} does not pad ${show(x.shape)}: one [before, after] of whole numbers ≥ 0 is needed for each axis.`,
    });
  }
  const shape = x.shape.map((n, i) => n + (padding[i]?.[0] ?? 0) + (padding[i]?.[1] ?? 0));
  const strides = stridesOf(shape);
  const offset = padding.reduce((total, [before], axis) => total + before * (strides[axis] as number), 0);
  const y = full(x.engine, shape, value, x.dtype);
  copy(x, y, 'pad', { dims: x.shape, from: stridesOf(x.shape), to: strides, toOffset: offset });
  const back = (dy: Tensor) => [
    slice(
      dy,
      x.shape.map((n, i) => [padding[i]?.[0] ?? 0, (padding[i]?.[0] ?? 0) + n]),
    ),
  ];
  return record(y, 'pad', [x], back, back, { padding, value });
}

/**
 * Joins tensors along an axis.
 * @throws {ShapeError} when they differ in another dimension, or the axis is out of range.
 * @throws {DTypeError} when their dtypes differ.
 */
export function concat(tensors: readonly Tensor[], axis = 0): Tensor {
  const engine = commonEngine('concat', tensors);
  const first = tensors[0] as Tensor;
  const at = normalizeAxis(axis, first.rank, 'concat');
  for (const t of tensors) {
    if (t.rank !== first.rank || t.shape.some((n, i) => i !== at && n !== first.shape[i])) {
      throw new ShapeError({
        where: 'concat',
        message: `shapes ${tensors.map((x) => show(x.shape)).join(', ')} differ in an axis other than ${at}.`,
      });
    }
    if (t.dtype !== first.dtype) {
      throw new DTypeError({
        where: 'concat',
        message: `dtypes ${tensors.map((x) => x.dtype).join(', ')} differ.`,
        fix: 'Convert with cast().',
      });
    }
  }
  const starts: number[] = [];
  let length = 0;
  for (const t of tensors) {
    starts.push(length);
    length += t.shape[at] as number;
  }
  const shape = first.shape.map((n, i) => (i === at ? length : n));
  const strides = stridesOf(shape);
  const y = Tensor.empty(engine, shape, first.dtype, 'concat');
  tensors.forEach((t, i) => {
    const toOffset = (starts[i] as number) * (strides[at] as number);
    copy(t, y, 'concat', { dims: t.shape, from: stridesOf(t.shape), to: strides, toOffset });
  });
  const back = (dy: Tensor) =>
    tensors.map((t, i) => {
      if (!t.requiresGrad) return null;
      const start = starts[i] as number;
      return slice(
        dy,
        shape.map((_, k) => (k === at ? [start, start + (t.shape[at] as number)] : null)),
      );
    });
  return record(y, 'concat', tensors, back, back, { axis: at });
}
