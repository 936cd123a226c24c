/** Products over axes. */
import { record } from '../autograd/tape.ts';
import { inverseOrder, normalizeAxes, sizeOf } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { launchElementwise } from './elementwise/elementwise-kernel.ts';
import { finalShape, keptShape, type ReduceOptions, reduceAxes } from './reduce.ts';
import { scan } from './scan.ts';
import { transpose } from './strided.ts';

/** For each element the product of all others over the axes: without a division, so that zeros among them are none of its concern. */
function productOfOthers(x: Tensor, axes: readonly number[]): Tensor {
  const order = [...x.shape.keys()].sort((a, b) => Number(axes.includes(a)) - Number(axes.includes(b)) || a - b);
  const moved = transpose(x, order);
  const n = sizeOf(axes.map((axis) => x.shape[axis] as number));
  const rows = Tensor.view(moved, [x.size / n, n], 'prod');
  const [before, behind] = [false, true].map((reverse) => scan(rows, 1, { product: true, exclusive: true, reverse }));
  const others = launchElementwise(
    'others',
    'a * b',
    { a: before as Tensor, b: behind as Tensor },
    { shape: rows.shape },
  );
  return transpose(Tensor.view(others, moved.shape, 'prod'), inverseOrder(order));
}

/**
 * Product over the axes, all by default; of f16 in f32. Its gradient is right next to zeros too.
 * @throws {ShapeError} when an axis is out of range or given twice.
 */
export function prod(x: Tensor, axes?: number | readonly number[], { keepDims = false }: ReduceOptions = {}): Tensor {
  x.assertLive('prod');
  const over = normalizeAxes(axes, x.rank, 'prod');
  const y = reduceAxes(x, 'prod', over, finalShape(x.shape, over, keepDims));
  const backward = (dy: Tensor) => [
    launchElementwise(
      'prod',
      'a * b',
      { a: productOfOthers(x, over), b: Tensor.view(dy, keptShape(x.shape, over), 'prod') },
      { shape: x.shape, result: x.dtype },
    ),
  ];
  return record(y, 'prod', [x], backward, undefined, { axes: over });
}
