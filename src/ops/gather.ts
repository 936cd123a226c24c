/** Picking elements by index, adding them back by index, and one-hot rows. */

import source from '../../shaders/indexing/gather.wgsl';
import { record } from '../autograd/tape.ts';
import { DTypeError, ShapeError } from '../errors.ts';
import { plane } from '../gpu/plane.ts';
import type { Runtime } from '../gpu/runtime.ts';
import { arange, zeros } from '../tensor/create.ts';
import { normalizeAxis, sameShape, show, sizeOf } from '../tensor/shape.ts';
import { commonEngine, Tensor } from '../tensor/tensor.ts';
import { convert, launchElementwise } from './elementwise/elementwise-kernel.ts';
import { expectShapes } from './expect-shapes.ts';
import { sum } from './reduce.ts';

interface Lines {
  outer: number;
  n: number;
  m: number;
  inner: number;
  shared: boolean;
  /** Whether negative positions count from the end; they do not exist otherwise. */
  fromEnd: boolean;
}

/** Elements that a thread reads before it adds them up: a GPU's loads take their time, and wait for no sum. */
const AHEAD = 8;
/** Threads that lines are shared by, all together: each reads all of a line's index. */
const SHARING_THREADS = 2048;

function run(
  engine: Runtime,
  entry: 'take' | 'scatter_add' | 'scatter_add_shared',
  input: Tensor,
  index: Tensor,
  output: Tensor,
  { outer, n, m, inner, shared, fromEnd }: Lines,
  threads: number,
  owners = 1,
): void {
  engine.dispatch({
    kernel: { name: 'gather', source, entry },
    constants: { T: input.dtype, R: output.dtype, SHARED: shared, FROM_END: fromEnd, AHEAD },
    buffers: [input.storage, index.storage, output.storage],
    params: { outer, n, m, inner, owners },
    workgroups: plane(engine, Math.ceil(threads / 64)),
  });
}

/** Picks elements of `input` into `output`. */
function take(engine: Runtime, input: Tensor, index: Tensor, output: Tensor, lines: Lines): void {
  run(engine, 'take', input, index, output, lines, lines.outer * lines.m * lines.inner);
}

/**
 * Adds elements of `input` to `output`. A GPU's watchdog may end a thread that adds up millions one after the other, so it shares lines
 * that are few. A CPU computes all threads in turn: lavapipe takes four times as long for a line that eight share.
 */
function addTo(engine: Runtime, input: Tensor, index: Tensor, output: Tensor, lines: Lines): void {
  const count = lines.outer * lines.inner;
  const isShared = engine.adapterKind === 'hardware' && count <= SHARING_THREADS / 2;
  const owners = isShared ? 2 ** Math.floor(Math.log2(Math.min(lines.n, SHARING_THREADS / count))) : 1;
  const entry = isShared ? 'scatter_add_shared' : 'scatter_add';
  run(engine, entry, input, index, output, lines, count * owners, owners);
}

/** Either one list of positions, or an index of the rank of `x` that agrees with it outside the axis. */
function linesOf(where: string, shape: readonly number[], index: Tensor, axis: number, fromEnd = true): Lines {
  if (index.dtype !== 'i32') {
    throw new DTypeError({
      where,
      message: `the index must be i32, not ${index.dtype}.`,
      fix: "Use index.cast('i32').",
    });
  }
  const shared = index.rank === 1 && shape.length !== 1;
  const fits = index.rank === shape.length && index.shape.every((k, i) => i === axis || k === shape[i]);
  if (!shared && !fits) {
    throw new ShapeError({
      where,
      message: `the index has shape ${show(index.shape)}; for ${show(shape)} along axis ${axis} it must be one list, or agree with it in every other axis.`,
    });
  }
  return {
    outer: sizeOf(shape.slice(0, axis)),
    n: shape[axis] as number,
    m: (shared ? index.shape[0] : index.shape[axis]) as number,
    inner: sizeOf(shape.slice(axis + 1)),
    shared,
    fromEnd,
  };
}

/**
 * Elements along an axis by index. A one-dimensional index picks whole slices (rows of an embedding); an index of the
 * rank of `x` picks element by element, as PyTorch's gather. Negative positions count from the end; those that do not
 * exist give 0, and their gradient goes nowhere.
 * @param index i32.
 * @throws {ShapeError} when the axis is out of range, or the index is neither one list nor agrees with `x` in every other axis.
 * @throws {DTypeError} when the index is not i32.
 */
export function gather(x: Tensor, index: Tensor, axis = 0): Tensor {
  return pick(x, index, axis, true);
}

/** {@link gather}, where negative positions do not exist either. */
export function gatherUnsigned(x: Tensor, index: Tensor, axis = 0): Tensor {
  return pick(x, index, axis, false);
}

function pick(x: Tensor, index: Tensor, axis: number, fromEnd: boolean): Tensor {
  const engine = commonEngine('gather', [x, index]);
  const at = normalizeAxis(axis, x.rank, 'gather');
  const lines = linesOf('gather', x.shape, index, at, fromEnd);
  const shape = x.shape.map((n, i) => (i === at ? lines.m : n));
  const y = Tensor.empty(engine, shape, x.dtype, 'gather');
  take(engine, x, index, y, lines);
  const back = (dy: Tensor): Tensor => {
    const dx = zeros(engine, x.shape);
    addTo(engine, dy, index, dx, lines);
    return convert(dx, x.dtype);
  };
  // Linear: the gradient of the gradient picks again.
  const recorded = (dy: Tensor) => [record(back(dy), 'gather’s gradient', [dy], (d) => [pick(d, index, at, fromEnd)])];
  return record(y, 'gather', [x], (dy) => [back(dy)], x.dtype === 'f32' ? recorded : undefined, {
    operands: [x, index],
    axis: at,
  });
}

/**
 * A copy of `x` with `source` added at the positions of `index` along the axis: positions may repeat, the order of the
 * additions is fixed. Negative positions count from the end; what goes to positions that do not exist is dropped.
 * @param index i32, one list or of the shape of `source`.
 * @throws {ShapeError} when the axis is out of range, or `index` or `source` does not fit.
 * @throws {DTypeError} when the index is not i32, or the dtypes of `x` and `source` differ.
 */
export function scatterAdd(x: Tensor, index: Tensor, source: Tensor, axis = 0): Tensor {
  const engine = commonEngine('scatterAdd', [x, index, source]);
  const at = normalizeAxis(axis, x.rank, 'scatterAdd');
  const lines = linesOf('scatterAdd', x.shape, index, at);
  const expected = x.shape.map((n, i) => (i === at ? lines.m : n));
  if (!sameShape(source.shape, expected)) {
    throw new ShapeError({
      where: 'scatterAdd',
      message: `the source has shape ${show(source.shape)}; the index of shape ${show(index.shape)} asks for ${show(expected)}.`,
    });
  }
  if (x.dtype !== source.dtype) {
    throw new DTypeError({
      where: 'scatterAdd',
      message: `dtypes ${x.dtype} and ${source.dtype} differ.`,
      fix: 'Convert with cast().',
    });
  }
  // f16 is added up in f32.
  const total = launchElementwise(
    'copy',
    'a',
    { a: x },
    { shape: x.shape, result: x.dtype === 'f16' ? 'f32' : x.dtype },
  );
  addTo(engine, source, index, total, lines);
  const y = convert(total, x.dtype);
  if (y !== total) total.dispose();
  const back = (dy: Tensor) => [dy, gather(dy, index, at)];
  return record(y, 'scatterAdd', [x, source], back, back);
}

/**
 * Rows of zeros with a one at each index: [n] becomes [n, classes], f32. Indices out of range give rows of zeros.
 * @throws {DTypeError} when the index is not i32.
 */
export function oneHot(index: Tensor, classes: number): Tensor {
  index.assertLive('oneHot');
  if (index.dtype !== 'i32') {
    throw new DTypeError({
      where: 'oneHot',
      message: `the index must be i32, not ${index.dtype}.`,
      fix: "Use index.cast('i32').",
    });
  }
  const column = Tensor.view(index, [...index.shape, 1], 'oneHot');
  const numbers = arange(index.engine, classes, 'i32');
  return launchElementwise(
    'oneHot',
    'select(0.0, 1.0, a == b)',
    { a: column, b: numbers },
    { shape: [...index.shape, classes] },
  );
}

/**
 * How many of `labels` (i32) equal `predictions` (i32), as a scalar i32 on the device.
 * @throws {ShapeError} unless both have one shape.
 * @throws {DTypeError} unless both are i32.
 */
export function countEqual(predictions: Tensor, labels: Tensor): Tensor {
  const axes = labels.shape.map((_, i) => `n${i}`);
  expectShapes('countEqual', { predictions: [predictions, 'i32', axes], labels: [labels, 'i32', axes] });
  return sum(
    launchElementwise(
      'equal',
      'select(0, 1, a == b)',
      { a: predictions, b: labels },
      { shape: labels.shape, result: 'i32' },
    ),
  );
}
