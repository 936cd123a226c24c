/** The same elements in another shape: no kernel, another view of the buffer. */
import { record } from '../autograd/tape.ts';
import { ShapeError } from '../errors.ts';
import { checkShape, type Shape, show, sizeOf } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';

/**
 * The same elements in another shape. One dimension may be −1: it follows from the others.
 * @throws {ShapeError} when the sizes differ, or `shape` is not one.
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const open = shape.indexOf(-1);
  const rest = sizeOf(shape.filter((n) => n !== -1));
  const target = open < 0 ? shape : shape.map((n, i) => (i === open ? x.size / rest : n));
  if (sizeOf(target) !== x.size || !target.every(Number.isInteger) || shape.filter((n) => n === -1).length > 1) {
    throw new ShapeError({
      where: 'reshape',
      message: `${show(x.shape)} (${x.size} elements) cannot be seen as ${show(shape)}.`,
    });
  }
  checkShape(target, 'reshape');
  return record(
    Tensor.view(x, target, 'reshape'),
    'reshape',
    [x],
    (dy) => [Tensor.view(dy, x.shape, 'reshape')],
    (dy) => [reshape(dy, x.shape)],
  );
}

/**
 * Everything from `axis` on in one dimension: [n, h, w, c] becomes [n, h·w·c], in the order row, column, channel. PyTorch,
 * whose images are [n, c, h, w], flattens to channel, row, column: for weights from there use the layer `Flatten`, or
 * `x.transpose([0, 3, 1, 2]).flatten()`.
 */
export function flatten(x: Tensor, axis = 1): Tensor {
  x.assertLive('flatten');
  return reshape(x, [...x.shape.slice(0, axis), sizeOf(x.shape.slice(axis))]);
}
