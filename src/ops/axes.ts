/** Axes that come and go, and tensors along them: squeeze, unsqueeze, stack, split, tile. */
import { ArgumentError, ShapeError } from '../errors.ts';
import { normalizeAxes, normalizeAxis, type Shape, sameShape, show } from '../tensor/shape.ts';
import { commonEngine, type Tensor } from '../tensor/tensor.ts';
import { reshape } from './reshape.ts';
import { concat, slice } from './strided.ts';

/**
 * Without axes of length 1: without all of them, or without those named. No copy.
 * @throws {ShapeError} when an axis is out of range, given twice, or of another length.
 */
export function squeeze(x: Tensor, axes?: number | readonly number[]): Tensor {
  x.assertLive('squeeze');
  const named = normalizeAxes(axes, x.rank, 'squeeze');
  const dropped = axes === undefined ? named.filter((axis) => x.shape[axis] === 1) : named;
  const long = dropped.find((axis) => x.shape[axis] !== 1);
  if (long !== undefined) {
    throw new ShapeError({
      where: 'squeeze',
      message: `axis ${long} of ${show(x.shape)} has the length ${x.shape[long]}; only axes of length 1 can be dropped.`,
    });
  }
  return reshape(
    x,
    x.shape.filter((_, axis) => !dropped.includes(axis)),
  );
}

/**
 * With an axis of length 1 at `axis` of the result; negative ones count from its end. No copy.
 * @example unsqueeze(x, -1) // [n] becomes [n, 1]
 * @throws {ShapeError} when the axis is out of range.
 */
export function unsqueeze(x: Tensor, axis: number): Tensor {
  x.assertLive('unsqueeze');
  const at = normalizeAxis(axis, x.rank + 1, 'unsqueeze');
  return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
}

/**
 * Joins tensors of one shape along a new axis, the first by default: n of [a, b] become [n, a, b].
 * @throws {ShapeError} when their shapes differ, or the axis is out of range.
 * @throws {DTypeError} when their dtypes differ.
 */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  commonEngine('stack', tensors);
  const { shape } = tensors[0] as Tensor;
  if (!tensors.every((t) => sameShape(t.shape, shape))) {
    throw new ShapeError({
      where: 'stack',
      message: `shapes ${tensors.map((t) => show(t.shape)).join(', ')} differ; all must be the same.`,
      fix: 'Use concat() for tensors that differ along an axis.',
    });
  }
  const at = normalizeAxis(axis, shape.length + 1, 'stack');
  return concat(
    tensors.map((t) => unsqueeze(t, at)),
    at,
  );
}

/**
 * Pieces along an axis, the first by default: of `size` each, the last of what is left; or of the sizes listed.
 * @throws {ShapeError} when sizes are no whole numbers of at least 1, those listed do not add up, or the axis is out of range.
 */
export function split(x: Tensor, size: number | readonly number[], axis = 0): Tensor[] {
  x.assertLive('split');
  const at = normalizeAxis(axis, x.rank, 'split');
  const length = x.shape[at] as number;
  const every = typeof size === 'number' ? size : 1;
  const whole = (n: number) => Number.isInteger(n) && n >= 1;
  const sizes =
    typeof size !== 'number'
      ? size
      : Array.from({ length: whole(every) ? Math.ceil(length / every) : 0 }, (_, i) =>
          Math.min(every, length - i * every),
        );
  if (!sizes.every(whole) || sizes.reduce((a, b) => a + b, 0) !== length) {
    throw new ShapeError({
      where: 'split',
      message: `${JSON.stringify(size)} does not split axis ${at} of ${show(x.shape)}: whole numbers of at least 1 that add up to ${length} are needed, or one of them.`,
    });
  }
  let end = 0;
  return sizes.map((n) => {
    end += n;
    return slice(
      x,
      x.shape.map((_, i) => (i === at ? [end - n, end] : null)),
    );
  });
}

/**
 * The tensor repeated along its axes, so often each; with more numbers than axes, axes of length 1 come first, as in NumPy.
 * @example tile(x, [2, 1]) // [3, 4] becomes [6, 4]
 * @throws {ArgumentError} unless there is a whole number of at least 1 for every axis.
 */
export function tile(x: Tensor, times: Shape): Tensor {
  x.assertLive('tile');
  if (times.length < x.rank || !times.every((n) => Number.isInteger(n) && n >= 1)) {
    throw new ArgumentError({
      where: 'tile',
      message: `[${times.join(', ')}] does not repeat ${show(x.shape)}: a whole number of at least 1 is needed for each axis.`,
    });
  }
  const lead = reshape(x, [...times.slice(x.rank).map(() => 1), ...x.shape]);
  return times.reduce((y, n, axis) => (n === 1 ? y : concat(new Array<Tensor>(n).fill(y), axis)), lead);
}
