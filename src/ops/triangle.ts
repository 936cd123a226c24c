/** Triangles of matrices. */
import { ShapeError } from '../errors.ts';
import { arange } from '../tensor/create.ts';
import { show } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { where } from './elementwise/elementwise.ts';
import { launchElementwise } from './elementwise/elementwise-kernel.ts';
import { reshape } from './reshape.ts';

/** Keeps the elements whose column minus row, `a`, satisfies the condition; zeros elsewhere. */
function keep(name: string, x: Tensor, condition: string, diagonal: number): Tensor {
  x.assertLive(name);
  if (x.rank < 2) {
    throw new ShapeError({ where: name, message: `takes matrices [..., rows, columns], not ${show(x.shape)}.` });
  }
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const row = reshape(arange(x.engine, rows, 'i32'), [rows, 1]);
  const column = arange(x.engine, columns, 'i32');
  const mask = launchElementwise(
    name,
    `select(0u, 1u, column - row ${condition} diagonal)`,
    { row, column, diagonal },
    { shape: [rows, columns], result: 'u32' },
  );
  return where(mask, x, 0);
}

/**
 * The lower triangle of matrices [..., rows, columns], zeros above the diagonal: the main one, or `diagonal` places to its right.
 * @throws {ShapeError} for fewer than two axes.
 * @throws {DTypeError} when `diagonal` is not a whole number.
 */
export function tril(x: Tensor, diagonal = 0): Tensor {
  return keep('tril', x, '<=', diagonal);
}

/**
 * The upper triangle of matrices [..., rows, columns], zeros below the diagonal: the main one, or `diagonal` places to its right.
 * @throws {ShapeError} for fewer than two axes.
 * @throws {DTypeError} when `diagonal` is not a whole number.
 */
export function triu(x: Tensor, diagonal = 0): Tensor {
  return keep('triu', x, '>=', diagonal);
}
