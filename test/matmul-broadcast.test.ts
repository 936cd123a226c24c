/** Matrix products of batches that broadcast, as NumPy's and PyTorch's. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gradcheck } from '../src/entries/testing.ts';
import { matmul, ShapeError } from '../src/index.ts';
import { engine, errorOf, uniform } from './support/engine.ts';

/** Of float64, batches broadcast as in NumPy. */
function batched64(
  a: Float64Array,
  aShape: readonly number[],
  b: Float64Array,
  bShape: readonly number[],
): Float64Array {
  const [[m, k], n] = [aShape.slice(-2) as [number, number], bShape.at(-1)!];
  const rank = Math.max(aShape.length, bShape.length) - 2;
  const own = (shape: readonly number[]) => [...Array<number>(rank + 2 - shape.length).fill(1), ...shape.slice(0, -2)];
  const [p, q] = [own(aShape), own(bShape)];
  const batch = p.map((length, axis) => Math.max(length, q[axis]!));
  const count = batch.reduce((x, y) => x * y, 1);
  const out = new Float64Array(count * m * n);
  for (let at = 0; at < count; at++) {
    const matrixOf = (shape: readonly number[]) => {
      let [left, step, index] = [at, 1, 0];
      for (let axis = rank - 1; axis >= 0; axis--) {
        const place = left % batch[axis]!;
        left = Math.floor(left / batch[axis]!);
        index += shape[axis] === 1 ? 0 : place * step;
        step *= shape[axis]!;
      }
      return index;
    };
    const [i, j] = [matrixOf(p), matrixOf(q)];
    for (let row = 0; row < m; row++)
      for (let column = 0; column < n; column++)
        for (let at2 = 0; at2 < k; at2++)
          out[(at * m + row) * n + column] =
            out[(at * m + row) * n + column]! + a[(i * m + row) * k + at2]! * b[(j * k + at2) * n + column]!;
  }
  return out;
}

test('batches broadcast, with their gradients', async () => {
  for (const [p, q] of [
    [
      [2, 1, 1, 5],
      [3, 5, 4],
    ],
    [
      [1, 1, 3, 5],
      [2, 5, 4],
    ],
    [
      [4, 1, 2, 3],
      [1, 3, 3, 2],
    ],
    [
      [2, 3, 2, 3],
      [1, 3, 4],
    ],
    [
      [3, 2, 3],
      [2, 1, 3, 1],
    ],
  ] as const) {
    const size = (shape: readonly number[]) => shape.reduce((x, y) => x * y, 1);
    const a = engine.tensor(uniform(size(p), 1), p);
    const b = engine.tensor(uniform(size(q), 2), q);
    await gradcheck(
      (x, y) => matmul(x!, y!),
      (x, y) => batched64(x, p, y, q),
      [a, b],
    );
    const rank = Math.max(p.length, q.length);
    assert.is(matmul(a, b).rank, rank);
  }
});

test('batches that do not broadcast are refused with their shapes', () => {
  const error = errorOf(() => matmul(engine.zeros([2, 3, 4]), engine.zeros([3, 4, 5])));
  assert.instance(error, ShapeError);
  assert.match(
    error.message,
    /\[2, 3, 4\] · \[3, 4, 5\]: the batches \[2\] and \[3\] differ.*from the last one on, are equal or 1/,
  );
});

test.run();
