/** Matrix products: batched, either operand transposed without a copy, and the linear layer. */
import { record } from '../../autograd/tape.ts';
import { ShapeError } from '../../errors.ts';
import { commonFloat, type FloatType } from '../../tensor/dtype.ts';
import { type Shape, sameShape, show, sizeOf } from '../../tensor/shape.ts';
import { commonEngine, Tensor } from '../../tensor/tensor.ts';
import { convert, launchElementwise } from '../elementwise/elementwise-kernel.ts';
import { weightsFor } from '../mixed-precision.ts';
import { sum } from '../reduce.ts';
import { matmulFamily } from '../variants/kernel-families.ts';
import { chooseVariant } from '../variants/kernel-variants.ts';
import type { Product } from './variants.ts';

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

/** Runs the product of two tensors of one dtype, adds up its splits, adds the bias (f32). */
function multiply(
  where: string,
  a: Tensor,
  b: Tensor,
  sizes: Omit<Product, 'stored'>,
  shape: Shape,
  result: FloatType,
  bias?: Tensor,
): Tensor {
  const { engine } = a;
  const product = { ...sizes, stored: commonFloat(where, [a, b]) };
  const variant = chooseVariant(engine, matmulFamily, product);
  const split = variant.split(engine, product);
  const operands = { a: a.storage, b: b.storage };
  if (split.splits === 1) {
    const c = Tensor.empty(engine, shape, result, where);
    variant.dispatch(engine, product, split, { ...operands, bias: bias?.storage, c: c.storage, result });
    return c;
  }
  const parts = Tensor.empty(engine, [split.splits, ...shape], 'f32', where);
  variant.dispatch(engine, product, split, { ...operands, c: parts.storage, result: 'f32' });
  const total = sum(parts, 0);
  parts.dispose();
  const finished = bias
    ? launchElementwise('bias', 'a + b', { a: total, b: bias }, { shape, result })
    : convert(total, result);
  if (finished !== total) total.dispose();
  return finished;
}

/**
 * Without gradients; the shapes fit. A matrix without a batch serves the whole batch of the other.
 * @param result dtype; the operands' own unless said.
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

/**
 * Matrix product of the last two axes: [..., m, k] · [..., k, n] gives [..., m, n]. The axes before them are equal, or
 * one operand has none and serves the whole batch of the other.
 * @throws ShapeError for operands that do not fit; DTypeError unless both are f32, or both f16.
 */
export function matmul(a: Tensor, b: Tensor, { transposeA = false, transposeB = false }: MatmulOptions = {}): Tensor {
  commonEngine('matmul', [a, b]);
  const dtype = commonFloat('matmul', [a, b]);
  const told = `${show(a.shape)}${transposeA ? 'ᵀ' : ''} · ${show(b.shape)}${transposeB ? 'ᵀ' : ''}`;
  if (a.rank < 2 || b.rank < 2) {
    throw new ShapeError({
      where: 'matmul',
      message: `${told}: both operands need at least two axes.`,
      fix: 'Reshape a vector to a matrix of one row or one column.',
    });
  }
  const left = sideOf(a, transposeA);
  const right = sideOf(b, transposeB);
  if (left.columns !== right.rows) {
    throw new ShapeError({
      where: 'matmul',
      message: `${told}: the left has ${left.columns} columns, the right ${right.rows} rows; they must be equal.`,
      fix: 'Check transposeA and transposeB.',
    });
  }
  if (!sameShape(left.batch, right.batch) && left.batch.length > 0 && right.batch.length > 0) {
    throw new ShapeError({
      where: 'matmul',
      message: `${told}: the batches ${show(left.batch)} and ${show(right.batch)} differ; they must be equal, or one operand a single matrix.`,
    });
  }
  return record(product(a, b, transposeA, transposeB), 'matmul', [a, b], (dc) => {
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
  });
}

/**
 * y = x·weight + bias for x [..., in], weight [in, out] and bias [out] or none. PyTorch keeps the weight as [out, in].
 * With x in f16, weight and bias may be f32, and y is f16.
 * @throws ShapeError for operands that do not fit; DTypeError unless all are f32, or x is f16 and they are f32 or f16.
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  const inputs = bias ? [x, weight, bias] : [x, weight];
  commonEngine('linear', inputs);
  const [features = 0, outputs = 0] = weight.shape;
  if (weight.rank !== 2 || x.rank < 1 || x.shape.at(-1) !== features) {
    throw new ShapeError({
      where: 'linear',
      message: `x ${show(x.shape)} and weight ${show(weight.shape)}: takes [..., in] and [in, out].`,
      fix: 'Flatten images before a linear layer; PyTorch weights [out, in] must be transposed.',
    });
  }
  if (bias && (bias.rank !== 1 || bias.size !== outputs)) {
    throw new ShapeError({
      where: 'linear',
      message: `the bias has shape ${show(bias.shape)}; weight ${show(weight.shape)} needs [${outputs}].`,
    });
  }
  const rows = x.size / features;
  const dtype = commonFloat('linear', [x]);
  const read = weightsFor('linear', x, weight, bias);
  const plain = { m: rows, n: outputs, k: features, batch: 1, aBatch: 0, bBatch: 0 };
  const strides = { aRow: features, aCol: 1, bRow: outputs, bCol: 1 };
  const y = multiply(
    'linear',
    x,
    read.weight,
    { ...plain, ...strides },
    [...x.shape.slice(0, -1), outputs],
    dtype,
    read.bias,
  );
  record(y, 'linear', inputs, (dy) => {
    const flat = Tensor.view(dy, [rows, outputs], 'linear');
    const gradients: (Tensor | null)[] = [null, null];
    if (x.requiresGrad) {
      const task = { ...plain, n: features, k: outputs, aRow: outputs, aCol: 1, bRow: 1, bCol: outputs };
      gradients[0] = multiply('linear', dy, read.weight, task, x.shape, dtype);
    }
    if (weight.requiresGrad) {
      const task = { ...plain, m: features, k: rows, aRow: 1, aCol: features, bRow: outputs, bCol: 1 };
      gradients[1] = multiply('linear', x, dy, task, weight.shape, commonFloat('linear', [weight]));
    }
    if (bias) gradients.push(bias.requiresGrad ? convert(sum(flat, 0), bias.dtype) : null);
    flat.dispose();
    return gradients;
  });
  if (!y.node) read.release();
  return y;
}
