/** Matrix products: any size, transposed without copies, batched, split along k; and the linear layer. */

import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type DType, DTypeError, linear, matmul, ShapeError } from '../src/index.ts';
import { readSafetensors } from '../src/nn/safetensors.ts';
import { matmulFamily } from '../src/ops/matmul/family.ts';
import { addWideVariants } from '../src/ops/matmul/wide-variants.ts';
import { preferVariant, variantsOf } from '../src/ops/variants/kernel-variants.ts';
import { centralDifferences, product } from './support/conv-reference.ts';
import { engine, errorOf, leaf, near, needs, uniform } from './support/engine.ts';
import { HALF_EPSILON, halfLeaf, rounded } from './support/half.ts';

addWideVariants(engine);
const variants = variantsOf(engine, matmulFamily).map((variant) => variant.name);
const flags = [false, true];

test.after.each(() => preferVariant(engine, 'matmul', null));

/** Forward and both gradients of one product, against float64. */
async function compare(
  m: number,
  k: number,
  n: number,
  transposeA: boolean,
  transposeB: boolean,
  dtype: DType = 'f32',
): Promise<void> {
  const half = dtype === 'f16';
  const drawn = (size: number, seed: number) => (half ? rounded(uniform(size, seed)) : uniform(size, seed));
  const make = half ? halfLeaf : leaf;
  const tolerance = half ? HALF_EPSILON : 1e-5;
  const what = `${m}×${k}${transposeA ? 'ᵀ' : ''} · ${k}×${n}${transposeB ? 'ᵀ' : ''}`;
  const a = drawn(m * k, m + k);
  const b = drawn(k * n, k + n);
  const dc = drawn(m * n, m + n);
  const ta = make(a, transposeA ? [k, m] : [m, k]);
  const tb = make(b, transposeB ? [n, k] : [k, n]);
  const c = matmul(ta, tb, { transposeA, transposeB });
  assert.equal(c.shape, [m, n], what);
  c.backward(engine.tensor(dc, [m, n], dtype));
  await near(c, product(m, k, n, a, b, transposeA, transposeB), tolerance, `${what}: c`);
  const da = transposeA ? product(k, n, m, b, dc, transposeB, true) : product(m, n, k, dc, b, false, !transposeB);
  const db = transposeB ? product(n, m, k, dc, a, true, transposeA) : product(k, m, n, a, dc, !transposeA, false);
  await near(ta.grad, da, tolerance, `${what}: da`);
  await near(tb.grad, db, tolerance, `${what}: db`);
  for (const t of [c, ta.grad, tb.grad, ta, tb]) t?.dispose();
}

for (const variant of variants) {
  test(`${variant}: every transposition of every odd size`, async () => {
    preferVariant(engine, 'matmul', variant);
    const sizes = [
      [1, 1, 1],
      [1, 7, 1],
      [5, 1, 3],
      [16, 8, 8],
      [17, 9, 33],
      [64, 64, 64],
      [70, 31, 45],
      [36, 12, 20], // in quads, but not in whole blocks of them
      [7, 20, 44],
      [60, 4, 8],
      [16400, 2, 9], // rows enough for the largest workgroups
      [16400, 1, 40],
    ] as const;
    for (const [m, k, n] of sizes) for (const aT of flags) for (const bT of flags) await compare(m, k, n, aT, bT);
  });

  test(`${variant}: a long sum with few results is split, and still exact`, async () => {
    preferVariant(engine, 'matmul', variant);
    for (const aT of flags) for (const bT of flags) await compare(9, 3001, 11, aT, bT);
  });

  if (variant !== 'blocks') {
    needs('shader-f16')(`${variant}: f16 operands, to their rounding`, async () => {
      preferVariant(engine, 'matmul', variant);
      const sizes = [
        [5, 1, 3],
        [1, 4, 4], // of fewer bytes than a quad of f32
        [17, 9, 33],
        [36, 12, 20],
        [64, 64, 64],
        [9, 3001, 11],
        [8, 3000, 12],
      ] as const;
      for (const [m, k, n] of sizes)
        for (const aT of flags) for (const bT of flags) await compare(m, k, n, aT, bT, 'f16');
    });
  }

  test(`${variant}: batches, and one matrix for a whole batch`, async () => {
    preferVariant(engine, 'matmul', variant);
    const [batch, m, k, n] = [6, 10, 7, 9];
    for (const transposeA of flags) {
      for (const transposeB of flags) {
        for (const single of ['none', 'a', 'b'] as const) {
          const what = `${single} is single, ${transposeA} ${transposeB}`;
          const sizeA = m * k * (single === 'a' ? 1 : batch);
          const sizeB = k * n * (single === 'b' ? 1 : batch);
          const [a, b, dc] = [uniform(sizeA, 1), uniform(sizeB, 2), uniform(batch * m * n, 3)];
          const ta = leaf(a, [...(single === 'a' ? [] : [2, 3]), ...(transposeA ? [k, m] : [m, k])]);
          const tb = leaf(b, [...(single === 'b' ? [] : [2, 3]), ...(transposeB ? [n, k] : [k, n])]);
          const c = matmul(ta, tb, { transposeA, transposeB });
          assert.equal(c.shape, [2, 3, m, n]);
          c.backward(engine.tensor(dc, c.shape));
          const expected = new Float64Array(batch * m * n);
          const da = new Float64Array(sizeA);
          const db = new Float64Array(sizeB);
          for (let i = 0; i < batch; i++) {
            const [atA, atB] = [single === 'a' ? 0 : i * m * k, single === 'b' ? 0 : i * k * n];
            const [ai, bi] = [a.subarray(atA, atA + m * k), b.subarray(atB, atB + k * n)];
            const dci = dc.subarray(i * m * n, (i + 1) * m * n);
            expected.set(product(m, k, n, ai, bi, transposeA, transposeB), i * m * n);
            const dai = transposeA
              ? product(k, n, m, bi, dci, transposeB, true)
              : product(m, n, k, dci, bi, false, !transposeB);
            const dbi = transposeB
              ? product(n, m, k, dci, ai, true, transposeA)
              : product(k, m, n, ai, dci, !transposeA, false);
            for (const [j, v] of dai.entries()) da[atA + j]! += v;
            for (const [j, v] of dbi.entries()) db[atB + j]! += v;
          }
          await near(c, expected, 1e-5, `${what}: c`);
          await near(ta.grad, da, 1e-5, `${what}: da`);
          await near(tb.grad, db, 1e-5, `${what}: db`);
        }
      }
    }
  });

  test(`${variant}: linear agrees with PyTorch`, async () => {
    preferVariant(engine, 'matmul', variant);
    const files = readdirSync('test/golden').filter((name) => name.startsWith('linear_ce_'));
    assert.ok(files.length >= 1);
    for (const file of files) {
      const { tensors } = readSafetensors(new Uint8Array(readFileSync(`test/golden/${file}`)));
      const get = (name: string) => tensors.get(name)?.data as Float32Array;
      const [n = 0, features = 0] = tensors.get('x')?.shape ?? [];
      const classes = tensors.get('bias')?.shape[0] ?? 0;
      const transposed = (data: Float32Array, rows: number, columns: number) =>
        Float32Array.from(data, (_, i) => data[(i % rows) * columns + Math.floor(i / rows)] as number);
      const x = leaf(get('x'), [n, features]);
      const weight = leaf(transposed(get('weight'), classes, features), [features, classes]);
      const bias = leaf(get('bias'), [classes]);
      const logits = linear(x, weight, bias);
      await near(logits, get('logits'), 1e-5, `${file}: logits`);
      // The loss is the mean cross entropy: its gradient for the logits is (softmax − one-hot)/n.
      const target = get('target');
      const dlogits = Float32Array.from({ length: n * classes }, () => 0);
      for (let i = 0; i < n; i++) {
        const row = Array.from(get('logits').subarray(i * classes, (i + 1) * classes));
        const top = Math.max(...row);
        const total = row.reduce((sum, z) => sum + Math.exp(z - top), 0);
        row.forEach((z, c) => {
          dlogits[i * classes + c] = (Math.exp(z - top) / total - (c === Number(target[i]) ? 1 : 0)) / n;
        });
      }
      logits.backward(engine.tensor(dlogits, [n, classes]));
      await near(x.grad, get('dx'), 1e-5, `${file}: dx`);
      await near(weight.grad, transposed(get('dweight'), classes, features), 1e-5, `${file}: dweight`);
      await near(bias.grad, get('dbias'), 1e-5, `${file}: dbias`);
    }
  });
}

function columnSums(values: ArrayLike<number>, columns: number): Float64Array {
  const sums = new Float64Array(columns);
  for (let i = 0; i < values.length; i++) sums[i % columns]! += values[i]!;
  return sums;
}

needs('shader-f16')('linear rounds its weights to f16 for f16 features; their gradients stay f32', async () => {
  for (const rows of [6, 3000]) {
    const [x, weight, bias] = [rounded(uniform(rows * 12, 1)), rounded(uniform(12 * 8, 2)), uniform(8, 3)];
    const dy = rounded(uniform(rows * 8, 4));
    const [tx, tweight, tbias] = [halfLeaf(x, [rows, 12]), leaf(weight, [12, 8]), leaf(bias, [8])];
    const y = linear(tx, tweight, tbias);
    assert.is(y.dtype, 'f16');
    y.backward(engine.tensor(dy, [rows, 8], 'f16'));
    await near(
      y,
      product(rows, 12, 8, x, weight).map((v, i) => v + bias[i % 8]!),
      HALF_EPSILON,
      'y',
    );
    await near(tx.grad, product(rows, 8, 12, dy, weight, false, true), HALF_EPSILON, 'dx');
    await near(tweight.grad, product(12, rows, 8, x, dy, true), 1e-5, 'dweight');
    await near(tbias.grad, columnSums(dy, 8), 1e-5, 'dbias');
  }
  // One matrix for a batch: the sum over the batch is taken before the gradient is rounded.
  const [a, b] = [halfLeaf(uniform(60, 5), [3, 5, 4]), halfLeaf(uniform(5 * 6, 6), [5, 6])];
  matmul(a, b, { transposeA: true }).backward(engine.ones([3, 4, 6], 'f16'));
  assert.is(b.grad?.dtype, 'f16');
  const data = Array.from(await a.data());
  const sums = Float64Array.from({ length: 5 }, (_, p) =>
    data.reduce((total, v, i) => total + (Math.floor(i / 4) % 5 === p ? v : 0), 0),
  );
  await near(
    b.grad,
    Float64Array.from({ length: 30 }, (_, i) => sums[Math.floor(i / 6)]!),
    HALF_EPSILON,
  );
});

test('gradients agree with central differences of a float64 product', async () => {
  const [m, k, n] = [3, 5, 4];
  const [a, b, w] = [uniform(m * k, 1), uniform(k * n, 2), uniform(m * n, 3)];
  const loss = (p: ArrayLike<number>, q: ArrayLike<number>) =>
    product(m, k, n, p, q).reduce((total, c, i) => total + c * c * (w[i] as number), 0);
  const [ta, tb] = [leaf(a, [m, k]), leaf(b, [k, n])];
  const c = matmul(ta, tb);
  c.mul(c)
    .mul(engine.tensor(w, [m, n]))
    .sum()
    .backward();
  await near(
    ta.grad,
    centralDifferences((at) => loss(at, b), a),
    1e-5,
    'da',
  );
  await near(
    tb.grad,
    centralDifferences((at) => loss(a, at), b),
    1e-5,
    'db',
  );
});

test('linear takes any leading axes, with and without a bias', async () => {
  const [x, weight, bias] = [uniform(2 * 3 * 4, 1), uniform(4 * 5, 2), uniform(5, 3)];
  const plain = product(6, 4, 5, x, weight);
  const y = linear(engine.tensor(x, [2, 3, 4]), engine.tensor(weight, [4, 5]));
  assert.equal(y.shape, [2, 3, 5]);
  await near(y, plain);
  const shifted = linear(engine.tensor(x, [2, 3, 4]), engine.tensor(weight, [4, 5]), engine.tensor(bias));
  await near(
    shifted,
    plain.map((v, i) => v + (bias[i % 5] as number)),
  );
});

test('linear adds its bias once, even when the sum is split', async () => {
  const [x, weight, bias] = [uniform(2 * 4000, 1), uniform(4000 * 3, 2), uniform(3, 3)];
  const expected = product(2, 4000, 3, x, weight).map((v, i) => v + (bias[i % 3] as number));
  await near(linear(engine.tensor(x, [2, 4000]), engine.tensor(weight, [4000, 3]), engine.tensor(bias)), expected);
});

test('operands that do not fit are refused with their shapes', () => {
  const wrong = (fn: () => unknown, kind: new (details: never) => Error, message: RegExp) => {
    const error = errorOf(fn);
    assert.instance(error, kind);
    assert.match(error.message, message);
  };
  wrong(() => matmul(engine.zeros([2, 3]), engine.zeros([2, 3])), ShapeError, /\[2, 3\] · \[2, 3\].*3 columns.*2 rows/);
  wrong(() => matmul(engine.zeros([3]), engine.zeros([3, 2])), ShapeError, /at least two axes/);
  wrong(() => matmul(engine.zeros([2, 3, 4]), engine.zeros([3, 4, 5])), ShapeError, /batches \[2\] and \[3\]/);
  wrong(() => matmul(engine.zeros([2, 2], 'i32'), engine.zeros([2, 2])), DTypeError, /i32/);
  wrong(() => linear(engine.zeros([2, 3]), engine.zeros([4, 5])), ShapeError, /\[2, 3\].*\[4, 5\]/);
  wrong(() => linear(engine.zeros([2, 3]), engine.zeros([3, 5]), engine.zeros([4])), ShapeError, /needs \[5\]/);
});

test.run();
