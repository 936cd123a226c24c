/**
 * Reductions over axes: sum, mean, max, min, argmax, argmin; products are in `prod.ts`. Deterministic: chunks first, then the
 * chunks' results. f16 is added up in f32, and the sum stays f32: f16 could often not hold it.
 */

import source from '../../shaders/reduce/reduce.wgsl';
import { type RecordedBackward, record } from '../autograd/tape.ts';
import { plane } from '../gpu/plane.ts';
import { copyOf } from '../tensor/copy-into.ts';
import { full } from '../tensor/create.ts';
import { commonFloat, type DType } from '../tensor/dtype.ts';
import { normalizeAxes, normalizeAxis, type Shape, sameShape, sizeOf } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { convert, launchElementwise } from './elementwise/elementwise-kernel.ts';
import { reshape } from './reshape.ts';
import { rowTeams } from './row-teams.ts';

/** The shape of a reduction's result. */
export interface ReduceOptions {
  /** Keep reduced axes with length 1. */
  keepDims?: boolean;
}

const OPS = { sum: 0, max: 1, min: 2, prod: 3 } as const;
type Reduction = keyof typeof OPS;

/** Elements that one thread adds up before splitting pays. */
const CHUNK = 256;
/** Threads that keep an adapter busy. */
const ENOUGH_THREADS = 4096;

const resultOf = (kind: Reduction, { dtype }: Tensor): DType =>
  (kind === 'sum' || kind === 'prod') && dtype === 'f16' ? 'f32' : dtype;

/** Reduces the middle of [outer, n, inner]; contents of `x` in that shape. */
function reduceMiddle(x: Tensor, kind: Reduction, outer: number, n: number, inner: number): Tensor {
  const { engine } = x;
  const byRows = inner === 1 && n >= 64;
  const chunk = byRows ? CHUNK * 16 : CHUNK;
  const busy = outer * inner * (byRows ? 64 : 1) >= ENOUGH_THREADS;
  const splits = n <= chunk || (busy && n <= chunk * 16) ? 1 : Math.ceil(n / chunk);
  const output = Tensor.empty(engine, [outer, splits, inner], resultOf(kind, x), kind);
  const length = Math.ceil(n / splits);
  const { constants, workgroups } = rowTeams(engine, outer * splits, length, inner);
  engine.dispatch({
    kernel: { name: 'reduce', source, entry: 'reduce' },
    constants: { ...constants, T: x.dtype, R: output.dtype, OP: OPS[kind], SPLIT: splits > 1 },
    buffers: [x.storage, output.storage],
    params: { outer, n, inner, splits, chunk: length },
    workgroups: plane(engine, workgroups),
  });
  if (splits === 1) return output;
  const total = reduceMiddle(output, kind, outer, splits, inner);
  output.dispose();
  return total;
}

export const keptShape = (shape: Shape, axes: readonly number[]): number[] =>
  shape.map((n, i) => (axes.includes(i) ? 1 : n));
export const finalShape = (shape: Shape, axes: readonly number[], keepDims = false): number[] =>
  keepDims ? keptShape(shape, axes) : shape.filter((_, i) => !axes.includes(i));

/** Reduces runs of neighbouring axes one after the other, innermost first. */
export function reduceAxes(x: Tensor, kind: Reduction, axes: readonly number[], shape: Shape): Tensor {
  const dims = [...x.shape];
  let current = x;
  for (let end = dims.length - 1; end >= 0; end--) {
    if (!axes.includes(end)) continue;
    let start = end;
    while (start > 0 && axes.includes(start - 1)) start--;
    const n = sizeOf(dims.slice(start, end + 1));
    if (n > 1) {
      const next = reduceMiddle(current, kind, sizeOf(dims.slice(0, start)), n, sizeOf(dims.slice(end + 1)));
      if (current !== x) current.dispose();
      current = next;
    }
    dims.fill(1, start, end + 1);
    end = start;
  }
  // One element a sum: nothing was reduced. The result is another tensor all the same, which stays when x is written over.
  const result = current === x && resultOf(kind, x) === x.dtype ? copyOf(x, kind) : convert(current, resultOf(kind, x));
  const view = Tensor.view(result, shape, kind);
  result.dispose();
  return view;
}

/**
 * Sum over the axes, all by default; of f16 in f32.
 * @throws {ShapeError} when an axis is out of range or given twice.
 */
export function sum(x: Tensor, axes?: number | readonly number[], { keepDims = false }: ReduceOptions = {}): Tensor {
  x.assertLive('sum');
  const over = normalizeAxes(axes, x.rank, 'sum');
  const y = reduceAxes(x, 'sum', over, finalShape(x.shape, over, keepDims));
  return record(y, 'sum', [x], (dy) => [expand(dy, x, over)], recordedExpand(x, over), { axes: over });
}

/**
 * Mean over the axes, all by default, in f32.
 * @throws {ShapeError} when an axis is out of range or given twice.
 * @throws {DTypeError} for integers.
 */
export function mean(x: Tensor, axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
  const dtype = commonFloat('mean', [x]);
  const over = normalizeAxes(axes, x.rank, 'mean');
  const scale = 1 / sizeOf(over.map((axis) => x.shape[axis] as number));
  const total = reduceAxes(x, 'sum', over, finalShape(x.shape, over, options.keepDims));
  const y = launchElementwise('scale', 'a * b', { a: total, b: scale }, { shape: total.shape });
  total.dispose();
  const backward = (dy: Tensor) => [
    launchElementwise(
      'scale',
      'a * b',
      { a: Tensor.view(dy, keptShape(x.shape, over), 'mean'), b: scale },
      { shape: x.shape, result: dtype },
    ),
  ];
  return record(y, 'mean', [x], backward, recordedExpand(x, over, scale), { axes: over });
}

/** dy in the reduced shape, spread over x, which it came from. */
function expand(dy: Tensor, { shape, dtype }: Tensor, axes: readonly number[]): Tensor {
  return launchElementwise(
    'expand',
    'a',
    { a: Tensor.view(dy, keptShape(shape, axes), 'expand') },
    { shape, result: dtype },
  );
}

/** As {@link expand} times a factor, recorded; of f32. */
function recordedExpand(x: Tensor, axes: readonly number[], factor = 1): RecordedBackward | undefined {
  if (x.dtype !== 'f32') return undefined;
  return (dy) => [full(x.engine, x.shape, factor).mul(reshape(dy, keptShape(x.shape, axes)))];
}

function extremum(
  kind: 'max' | 'min',
  x: Tensor,
  axes: number | readonly number[] | undefined,
  options: ReduceOptions,
): Tensor {
  x.assertLive(kind);
  const over = normalizeAxes(axes, x.rank, kind);
  const kept = keptShape(x.shape, over);
  const y = reduceAxes(x, kind, over, finalShape(x.shape, over, options.keepDims));
  const backward = (dy: Tensor) => {
    const hit = launchElementwise(
      'hit',
      'select(0.0, 1.0, a == b)',
      { a: x, b: Tensor.view(y, kept, kind) },
      { shape: x.shape },
    );
    const count = reduceAxes(hit, 'sum', over, kept);
    return [
      launchElementwise(
        'share',
        'a * b / c',
        { a: hit, b: Tensor.view(dy, kept, kind), c: count },
        { shape: x.shape, result: x.dtype },
      ),
    ];
  };
  return record(y, kind, [x], backward, undefined, { axes: over });
}

/** Largest element over the axes, NaN if there is one; equal ones share the gradient, as PyTorch's amax. */
export function max(x: Tensor, axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
  return extremum('max', x, axes, options);
}

/** Smallest element over the axes, NaN if there is one; equal ones share the gradient, as PyTorch's amin. */
export function min(x: Tensor, axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
  return extremum('min', x, axes, options);
}

function arg(kind: 'max' | 'min', x: Tensor, axis: number, { keepDims }: ReduceOptions): Tensor {
  x.assertLive(`arg${kind}`);
  const at = normalizeAxis(axis, x.rank, `arg${kind}`);
  const outer = sizeOf(x.shape.slice(0, at));
  const inner = sizeOf(x.shape.slice(at + 1));
  const y = Tensor.empty(x.engine, finalShape(x.shape, [at], keepDims), 'i32', `arg${kind}`);
  const n = x.shape[at] as number;
  const { constants, workgroups } = rowTeams(x.engine, outer, n, inner);
  x.engine.dispatch({
    kernel: { name: 'reduce', source, entry: 'arg' },
    constants: { ...constants, T: x.dtype, R: x.dtype, OP: OPS[kind], SPLIT: false },
    buffers: [x.storage, y.storage],
    params: { outer, n, inner, splits: 1, chunk: n },
    workgroups: plane(x.engine, workgroups),
  });
  return y;
}

/** Index (i32) of the largest element along the axis (the last by default); the first one among equals, or the first NaN. */
export function argmax(x: Tensor, axis = -1, options: ReduceOptions = {}): Tensor {
  return arg('max', x, axis, options);
}

/** Index (i32) of the smallest element along the axis (the last by default); the first one among equals, or the first NaN. */
export function argmin(x: Tensor, axis = -1, options: ReduceOptions = {}): Tensor {
  return arg('min', x, axis, options);
}

/** Undoes broadcasting: sums a gradient down to the shape and dtype of the operand it belongs to. Consumes nothing. */
export function sumTo(gradient: Tensor, shape: Shape, dtype = gradient.dtype): Tensor {
  if (sameShape(gradient.shape, shape)) return convert(gradient, dtype);
  const lead = gradient.rank - shape.length;
  const axes = gradient.shape.flatMap((n, i) => (i < lead || (shape[i - lead] === 1 && n !== 1) ? [i] : []));
  return convert(axes.length === 0 ? reshape(gradient, shape) : reduceAxes(gradient, 'sum', axes, shape), dtype);
}
