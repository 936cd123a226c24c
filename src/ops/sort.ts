/** Sorting along an axis, and the largest k: stable, and the same on every device. */
import source from '../../shaders/sort/sort.wgsl';
import { ArgumentError } from '../errors.ts';
import { plane } from '../gpu/plane.ts';
import { isFloat } from '../tensor/dtype.ts';
import { normalizeAxis, show, sizeOf } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { gather } from './gather.ts';

/** Elements in order, and where they came from. */
export interface Sorted {
  /** Of the dtype of what was sorted; their gradient goes to where they came from. */
  readonly values: Tensor;
  /** i32: positions along the axis. */
  readonly indices: Tensor;
}

/** In which order {@link sort} and {@link argsort} put elements. */
export interface SortOptions {
  /** The axis to sort along, the last by default. */
  axis?: number;
  /** Largest first. */
  descending?: boolean;
}

/** Which elements {@link topk} takes. */
export interface TopKOptions {
  /** The axis to look along, the last by default. */
  axis?: number;
  /** The largest (default), or the smallest. */
  largest?: boolean;
}

/** Pairs that workgroups sort, 4 KiB; fewer where lines are short. */
const MOST = 512;
const FEW = 64;
/** Threads that a CPU computes at once: between them a barrier costs nothing. */
const VECTOR = 8;

/** Where the first `kept` of each line in order come from; the lines are along axis `at`. */
function firstPlaces(x: Tensor, where: string, at: number, kept: number, descending: boolean): Tensor {
  const { engine } = x;
  const n = x.shape[at] as number;
  const outer = sizeOf(x.shape.slice(0, at));
  const inner = sizeOf(x.shape.slice(at + 1));
  const lines = outer * inner;
  const BLOCK = n <= FEW ? FEW : MOST;
  const THREADS = engine.adapterKind === 'software' ? VECTOR : BLOCK / 2;
  const KIND = isFloat(x.dtype) ? 0 : x.dtype === 'i32' ? 1 : 2;
  const run = (entry: string, buffers: readonly Tensor[], groups: number, params: Record<string, number>) =>
    engine.dispatch({
      kernel: { name: 'sort', source, entry },
      constants: { T: x.dtype, KIND, DESCENDING: descending, BLOCK, THREADS },
      buffers: buffers.map(({ storage }) => storage),
      params: { outer, n, inner, length: n, kept: BLOCK, span: 0, reach: 0, ...params },
      workgroups: plane(engine, groups),
    });
  const empty = (length: number) => Tensor.empty(engine, [lines, length, 2], 'u32', where);
  const isFew = kept <= BLOCK / 2;
  // All of a line: blocks are joined in twos, so their number is a power of two.
  let blocks = isFew ? Math.ceil(n / BLOCK) : 2 ** Math.ceil(Math.log2(n / BLOCK));
  blocks = Math.max(1, blocks);
  const each = isFew ? kept : BLOCK;
  let pairs = empty(blocks * each);
  run('block_of_input', [x, pairs], lines * blocks, { length: blocks * BLOCK, kept: each });
  while (isFew && blocks > 1) {
    const length = blocks * each;
    blocks = Math.ceil(length / BLOCK);
    const fewer = empty(blocks * each);
    run('block_of_pairs', [pairs, fewer], lines * blocks, { length, kept: each });
    pairs.dispose();
    pairs = fewer;
  }
  const length = blocks * each;
  for (let span = 2 * BLOCK; !isFew && span <= length; span *= 2) {
    for (let reach = span / 2; reach >= BLOCK; reach /= 2) {
      run('merge_far', [pairs], Math.ceil((lines * length) / 128), { length, span, reach });
    }
    run('merge_near', [pairs], (lines * length) / BLOCK, { length });
  }
  const shape = x.shape.map((size, axis) => (axis === at ? kept : size));
  const places = Tensor.empty(engine, shape, 'i32', where);
  run('origins', [pairs, places], Math.ceil(places.size / 64), { length, kept });
  pairs.dispose();
  return places;
}

/**
 * Elements in ascending order along an axis, the last by default. Stable: equal elements keep their order. NaN counts as larger than all
 * else, as in PyTorch.
 * @throws {ShapeError} when the axis is out of range.
 * @example const { values, indices } = sort(scores, { descending: true });
 */
export function sort(x: Tensor, options: SortOptions = {}): Sorted {
  x.assertLive('sort');
  const indices = argsort(x, options);
  return { values: gather(x, indices, normalizeAxis(options.axis ?? -1, x.rank, 'sort')), indices };
}

/**
 * The positions (i32) that {@link sort} takes elements from.
 * @throws {ShapeError} when the axis is out of range.
 */
export function argsort(x: Tensor, { axis = -1, descending = false }: SortOptions = {}): Tensor {
  x.assertLive('argsort');
  const at = normalizeAxis(axis, x.rank, 'argsort');
  return firstPlaces(x, 'argsort', at, x.shape[at] as number, descending);
}

/**
 * The k largest elements along an axis, the last by default, largest first; among equal ones those that come first. NaN counts as
 * larger than all else, as in PyTorch. A small k needs no whole sort.
 * @throws {ShapeError} when the axis is out of range.
 * @throws {ArgumentError} unless k is a whole number from 1 to the length of the axis.
 */
export function topk(x: Tensor, k: number, { axis = -1, largest = true }: TopKOptions = {}): Sorted {
  x.assertLive('topk');
  const at = normalizeAxis(axis, x.rank, 'topk');
  if (!(Number.isInteger(k) && k >= 1 && k <= (x.shape[at] as number))) {
    throw new ArgumentError({
      where: 'topk',
      message: `k is ${k}; a whole number from 1 to ${x.shape[at]} was expected, the length of axis ${at} of ${show(x.shape)}.`,
    });
  }
  const indices = firstPlaces(x, 'topk', at, k, largest);
  return { values: gather(x, indices, at), indices };
}
