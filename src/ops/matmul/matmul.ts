/** Matrix products: batched, either operand transposed without a copy. */
import { record } from '../../autograd/tape.ts';
import { ShapeError } from '../../errors.ts';
import { commonFloat } from '../../tensor/dtype.ts';
import { broadcastShapes, type Shape, sameShape, show, sizeOf } from '../../tensor/shape.ts';
import { commonEngine, Tensor } from '../../tensor/tensor.ts';
import { tile } from '../axes.ts';
import { convert } from '../elementwise/elementwise-kernel.ts';
import { sum } from '../reduce.ts';
import { reshape } from '../reshape.ts';
import { multiply } from './multiply.ts';

/** Which operands of {@link matmul} are transposed, without a copy. */
export interface MatmulOptions {
  /** Use a with its last two axes swapped. */
  transposeA?: boolean;
  /** Use b with its last two axes swapped. */
  transposeB?: boolean;
}

/** One operand: the shape of its batch, its matrices after the transposition, and their strides. */
interface Side {
  batch: Shape;
  rows: number;
  columns: number;
  rowStride: number;
  columnStride: number;
}

function sideOf(t: Tensor, transposed: boolean): Side {
  const [rows = 1, columns = 1] = t.shape.slice(-2);
  const batch = t.shape.slice(0, -2);
  return transposed
    ? { batch, rows: columns, columns: rows, rowStride: 1, columnStride: columns }
    : { batch, rows, columns, rowStride: columns, columnStride: 1 };
}

/**
 * Without gradients; the shapes fit. A matrix without a batch serves the whole batch of the other.
 * @param result Dtype of the product; by default the operands' own.
 */
function product(
  a: Tensor,
  b: Tensor,
  transposeA: boolean,
  transposeB: boolean,
  result = commonFloat('matmul', [a, b]),
): Tensor {
  const left = sideOf(a, transposeA);
  const right = sideOf(b, transposeB);
  const batchShape = left.batch.length >= right.batch.length ? left.batch : right.batch;
  const count = sizeOf(batchShape);
  // Rows of a plain batch lie one after the other: one tall matrix.
  const tall = !transposeA && right.batch.length === 0;
  return multiply(
    'matmul',
    a,
    b,
    {
      m: tall ? left.rows * count : left.rows,
      n: right.columns,
      k: left.columns,
      batch: tall ? 1 : count,
      aRow: left.rowStride,
      aCol: left.columnStride,
      aBatch: left.batch.length === 0 ? 0 : left.rows * left.columns,
      bRow: right.rowStride,
      bCol: right.columnStride,
      bBatch: right.batch.length === 0 ? 0 : right.rows * right.columns,
    },
    [...batchShape, left.rows, right.columns],
    result,
  );
}

/** The gradient of an operand that served a whole batch is the sum over the batch; its summands come in f32. */
function overBatch(gradient: Tensor, like: Tensor): Tensor {
  if (gradient.rank === like.rank) return gradient;
  const total = sum(
    gradient,
    Array.from({ length: gradient.rank - 2 }, (_, i) => i),
  );
  gradient.dispose();
  const result = convert(total, like.dtype);
  if (result !== total) total.dispose();
  return result;
}

/** [..., r, c] as [..·r, c]. */
function asMatrix(t: Tensor): Tensor {
  const columns = t.shape.at(-1) ?? 1;
  return Tensor.view(t, [t.size / columns, columns], 'matmul');
}

/** @throws {ShapeError} when batches do not broadcast. */
function commonBatch(a: Shape, b: Shape, operands: string): Shape {
  try {
    return broadcastShapes('matmul', a, b);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new ShapeError({
      where: 'matmul',
      message: `${operands}: the batches ${show(a)} and ${show(b)} differ; they must be equal or broadcast: lengths, from the last one on, are equal or 1.`,
      cause: error,
    });
  }
}

/** An operand for each matrix of a batch that its own broadcasts to; one alone as it is, which serves them all. */
function spread(t: Tensor, batch: Shape): Tensor {
  const [own, matrix] = [t.shape.slice(0, -2), t.shape.slice(-2)];
  if (sameShape(own, batch)) return t;
  if (sizeOf(own) === 1) return reshape(t, matrix);
  const lead = batch.length - own.length;
  const times = batch.map((n, axis) => n / (own[axis - lead] ?? 1));
  return tile(t, [...times, 1, 1]);
}

/**
 * Matrix product of the last two axes: [..., m, k] · [..., k, n] gives [..., m, n]. The axes before them broadcast. An operand that has none
 * of them, or of length 1 alone, serves the whole batch of the other as it is; others are repeated first.
 * @throws {ShapeError} when the operands do not fit.
 * @throws {DTypeError} when they are not both f32 or both f16.
 */
export function matmul(a: Tensor, b: Tensor, { transposeA = false, transposeB = false }: MatmulOptions = {}): Tensor {
  commonEngine('matmul', [a, b]);
  const dtype = commonFloat('matmul', [a, b]);
  const operands = `${show(a.shape)}${transposeA ? 'ᵀ' : ''} · ${show(b.shape)}${transposeB ? 'ᵀ' : ''}`;
  if (a.rank < 2 || b.rank < 2) {
    throw new ShapeError({
      where: 'matmul',
      message: `${operands}: both operands need at least two axes.`,
      fix: 'Reshape a vector to a matrix of one row or one column.',
    });
  }
  const left = sideOf(a, transposeA);
  const right = sideOf(b, transposeB);
  if (left.columns !== right.rows) {
    throw new ShapeError({
      where: 'matmul',
      message: `${operands}: the left has ${left.columns} columns, the right ${right.rows} rows; they must be equal.`,
      fix: 'Check transposeA and transposeB.',
    });
  }
  if (!sameShape(left.batch, right.batch) && left.batch.length > 0 && right.batch.length > 0) {
    const batch = commonBatch(left.batch, right.batch, operands);
    const options = { transposeA, transposeB };
    return reshape(matmul(spread(a, batch), spread(b, batch), options), [...batch, left.rows, right.columns]);
  }
  const backward = (dc: Tensor) => {
    const typeOf = (operand: Tensor) => (operand.rank === dc.rank ? dtype : 'f32');
    const gradientA = () => {
      const type = typeOf(a);
      const da = transposeA ? product(b, dc, transposeB, true, type) : product(dc, b, false, !transposeB, type);
      return overBatch(da, a);
    };
    const gradientB = () => {
      if (b.rank === 2 && !transposeA) {
        const [rows, columns] = [asMatrix(a), asMatrix(dc)];
        const db = transposeB ? product(columns, rows, true, false) : product(rows, columns, true, false);
        rows.dispose();
        columns.dispose();
        return db;
      }
      const type = typeOf(b);
      const db = transposeB ? product(dc, a, true, transposeA, type) : product(a, dc, !transposeA, false, type);
      return overBatch(db, b);
    };
    return [a.requiresGrad ? gradientA() : null, b.requiresGrad ? gradientB() : null];
  };
  const recorded = (dc: Tensor) => [
    transposeA
      ? matmul(b, dc, { transposeA: transposeB, transposeB: true })
      : matmul(dc, b, { transposeB: !transposeB }),
    transposeB
      ? matmul(dc, a, { transposeA: true, transposeB: transposeA })
      : matmul(a, dc, { transposeA: !transposeA }),
  ];
  // A matrix that serves a whole batch would have to be added up over it.
  const isPlain = dtype === 'f32' && a.rank === b.rank;
  return record(product(a, b, transposeA, transposeB), 'matmul', [a, b], backward, isPlain ? recorded : undefined, {
    transposeA,
    transposeB,
  });
}
