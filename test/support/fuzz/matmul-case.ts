/** Products of matrices: transposed operands, batches, one matrix for a whole batch. */
import fc from 'fast-check';
import { matmul } from '../../../src/index.ts';
import { engine, leaf } from '../engine.ts';
import { checkBounded, Sums } from './bounded.ts';
import { draw, drawing, size } from './draw.ts';
import { read } from './read.ts';
import { sizeOf } from './strides.ts';

const MOST_PRODUCTS = 60_000;

export const matmulCases = fc
  .record({
    m: size(5000),
    k: size(10_000),
    n: size(130),
    batch: fc.constantFrom([], [], [1], [3], [2, 2]),
    batched: fc.constantFrom('both', 'a', 'b'),
    transposeA: fc.boolean(),
    transposeB: fc.boolean(),
    drawing,
  })
  .filter(({ m, k, n, batch }) => m * k * n * sizeOf(batch) <= MOST_PRODUCTS);

type Case = typeof matmulCases extends fc.Arbitrary<infer T> ? T : never;

export async function checkMatmul({
  m,
  k,
  n,
  batch,
  batched,
  transposeA,
  transposeB,
  drawing: from,
}: Case): Promise<void> {
  const count = sizeOf(batch);
  const shapeA = [...(batched === 'b' ? [] : batch), ...(transposeA ? [k, m] : [m, k])];
  const shapeB = [...(batched === 'a' ? [] : batch), ...(transposeB ? [n, k] : [k, n])];
  const shapeC = [...batch, m, n];
  const [a, b, dc] = [shapeA, shapeB, shapeC].map((shape, i) => draw(from, sizeOf(shape), i)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];

  const actual = await read(() => {
    const [ta, tb] = [leaf(a, shapeA), leaf(b, shapeB)];
    const c = matmul(ta, tb, { transposeA, transposeB });
    c.backward(engine.tensor(Float32Array.from(dc), shapeC));
    return { c, da: ta.grad, db: tb.grad };
  });

  const [sumC, sumA, sumB] = [new Sums(count * m * n), new Sums(a.length), new Sums(b.length)];
  for (let g = 0; g < count; g++)
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++)
        for (let p = 0; p < k; p++) {
          const atA = (batched === 'b' ? 0 : g * m * k) + (transposeA ? p * m + i : i * k + p);
          const atB = (batched === 'a' ? 0 : g * k * n) + (transposeB ? j * k + p : p * n + j);
          const atC = (g * m + i) * n + j;
          sumC.add(atC, a[atA]! * b[atB]!);
          sumA.add(atA, dc[atC]! * b[atB]!);
          sumB.add(atB, dc[atC]! * a[atA]!);
        }
  checkBounded('c', actual.c, sumC.bounded());
  checkBounded('da', actual.da, sumA.bounded());
  checkBounded('db', actual.db, sumB.bounded());
}
