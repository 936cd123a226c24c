import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gradcheck } from '../src/entries/testing.ts';
import { cosineSimilarity, logSumExp, normalize, vectorNorm } from '../src/index.ts';
import { engine, errorOf, leaf, near, needs, uniform } from './support/engine.ts';
import { HALF_EPSILON, halves } from './support/half.ts';
import { logSumExp as reference, rowsOf } from './support/rows.ts';

const x = engine.tensor(uniform(12, 1, -2, 2), [3, 4]);

test('lengths and directions along either axis have their slopes', async () => {
  const rows = (values: Float64Array) => rowsOf(values, 4);
  const columns = (values: Float64Array) => [0, 1, 2, 3].map((c) => rows(values).map((row) => row[c]!));
  await gradcheck(
    (t) => vectorNorm(t),
    (t) => rows(t!).map((row) => Math.hypot(...row)),
    [x],
  );
  await gradcheck(
    (t) => vectorNorm(t, 0),
    (t) => columns(t!).map((column) => Math.hypot(...column)),
    [x],
  );
  await gradcheck(
    (t) => normalize(t),
    (t) => rows(t!).flatMap((row) => row.map((value) => value / Math.hypot(...row))),
    [x],
  );
  const lengths = (values: Float64Array) => columns(values).map((column) => Math.hypot(...column));
  await gradcheck(
    (t) => normalize(t, 0),
    (t) => t!.map((value, i) => value / lengths(t!)[i % 4]!),
    [x],
  );
  assert.equal(vectorNorm(x, 1, { keepDims: true }).shape, [3, 1]);
});

test('vectors of zeros have no direction: zeros, with finite gradients that are zero', async () => {
  for (const of of [normalize, vectorNorm]) {
    const zeros = engine.tensor([
      [0, 0],
      [3, 4],
      [1e-30, 0],
    ]);
    zeros.requiresGrad = true;
    const y = of(zeros);
    y.sum().backward();
    const gradient = await zeros.grad!.data();
    assert.equal([...gradient.slice(0, 2), ...gradient.slice(4)], [0, 0, 0, 0]);
    assert.ok(gradient[2] !== 0 && gradient.every(Number.isFinite));
    const values = await y.data();
    assert.ok(values.every(Number.isFinite));
    assert.is(values[0], 0);
  }
});

test('vectors with NaN or ∞ have lengths and directions as in PyTorch', async () => {
  const inf = Infinity;
  const rows = leaf([NaN, 1, inf, 1, 3, 4], [3, 2]);
  const y = normalize(rows);
  assert.equal([...(await y.data())].map(Math.fround), [NaN, NaN, NaN, 0, 0.6, 0.8].map(Math.fround));
  y.sum().backward();
  const gradient = await rows.grad!.data();
  assert.ok(gradient.slice(0, 2).every(Number.isNaN) && gradient.slice(4).every(Number.isFinite));
  assert.equal([...(await vectorNorm(rows).data())], [NaN, inf, 5]);
});

test('log Σ exp has its slope, and does not overflow', async () => {
  await gradcheck(
    (t) => logSumExp(t),
    (t) => rowsOf(t!, 4).map(reference),
    [x],
  );
  const large = engine.tensor([
    [1000, 1000],
    [-1000, -1e30],
  ]);
  await near(logSumExp(large), [1000 + Math.LN2, -1000], 1e-6);
  assert.equal(logSumExp(large, 0, { keepDims: true }).shape, [1, 2]);
});

test('log Σ exp of what is not finite, and its gradient, are PyTorch’s', async () => {
  const inf = Infinity;
  const rows = leaf([-inf, -inf, inf, 1, -inf, 2, NaN, 1], [4, 2]);
  const y = logSumExp(rows);
  y.sum().backward();
  assert.equal([...(await y.data())], [-inf, inf, 2, NaN]);
  assert.equal([...(await rows.grad!.data())], [NaN, NaN, NaN, 0, 0, 1, NaN, NaN]);
});

needs('shader-f16')('f16 vectors whose squares f16 does not hold', async () => {
  const x = halves([300, 400], [2]);
  await near(vectorNorm(x), [500], 1e-6);
  await near(cosineSimilarity(x, x), [1], 1e-6);
  await near(normalize(x), [0.6, 0.8], HALF_EPSILON);
  assert.is(normalize(x).dtype, 'f16');
  const gradients = { tolerance: 3 * HALF_EPSILON };
  const z = halves(uniform(12, 2, 100, 300), [3, 4]);
  const rows = (values: Float64Array) => rowsOf(values, 4);
  await gradcheck(
    (t) => vectorNorm(t),
    (t) => rows(t!).map((row) => Math.hypot(...row)),
    [z],
    gradients,
  );
  await gradcheck(
    (t) => normalize(t),
    (t) => rows(t!).flatMap((row) => row.map((value) => value / Math.hypot(...row))),
    [z],
    gradients,
  );
  await gradcheck(
    (t) => logSumExp(t),
    (t) => rows(t!).map(reference),
    [halves(uniform(12, 3, -2, 2), [3, 4])],
    gradients,
  );
  const far = halves([60000, 60000], [2]);
  await near(logSumExp(far), [60000 + Math.LN2], 1e-6);
});

test('integers are refused', () => {
  const whole = engine.ones([2], 'i32');
  for (const of of [vectorNorm, normalize, logSumExp])
    assert.match(errorOf(() => of(whole)).message, new RegExp(`${of.name}: takes f32 or f16.*was given i32`));
});

test.run();
