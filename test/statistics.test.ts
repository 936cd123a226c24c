import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gradcheck } from '../src/entries/testing.ts';
import { cumsum, DTypeError, norm, prod, std, supportsF16, type Tensor, variance } from '../src/index.ts';
import { engine, errorOf, leaf, near, uniform } from './support/engine.ts';
import { HALF_EPSILON, halves, rounded } from './support/half.ts';
import { mean, rowsOf, sum } from './support/rows.ts';

const x = engine.tensor(uniform(20, 1, -2, 2), [4, 5]);
const rows = (values: Float64Array | undefined) => rowsOf(values!, 5);
const spread = (row: readonly number[], correction: number) =>
  sum(row.map((v) => (v - mean(row)) ** 2)) / (row.length - correction);

test('variance and standard deviation, corrected or not', async () => {
  for (const correction of [0, 1, 2]) {
    await gradcheck(
      (t) => variance(t, 1, { correction }),
      (t) => rows(t).map((row) => spread(row, correction)),
      [x],
    );
    await gradcheck(
      (t) => std(t, undefined, { correction }),
      (t) => [Math.sqrt(spread([...t!], correction))],
      [x],
    );
  }
  assert.equal(variance(x, 0, { keepDims: true }).shape, [1, 5]);
  await near(
    variance(x.add(1e4), 1),
    rows(Float64Array.from(await x.data())).map((row) => spread(row, 1)),
    1e-2,
  );
  assert.match(
    errorOf(() => variance(engine.zeros([3, 1]), 1)).message,
    /1 elements with a correction of 1 leave nothing/,
  );
});

test('where nothing varies the deviation is 0, and its slope too', async () => {
  const flat = leaf([3, 3, 3, 1, 2, 3], [2, 3]);
  std(flat, 1).sum().backward();
  assert.equal(
    [...(await flat.grad!.data())].map((v) => Math.round(v * 10) / 10),
    [0, 0, 0, -0.5, 0, 0.5],
  );
});

test('norms of every kind', async () => {
  const of = (p: number) => (t: Float64Array | undefined) =>
    rows(t).map((row) => {
      const lengths = row.map(Math.abs);
      if (Math.abs(p) === Infinity) return p > 0 ? Math.max(...lengths) : Math.min(...lengths);
      return sum(lengths.map((v) => v ** p)) ** (1 / p);
    });
  for (const p of [1, 2, 3, 0.5, Infinity, -Infinity])
    await gradcheck((t) => norm(t, p, 1), of(p), [x], { tolerance: 3e-5 });
  await gradcheck(
    (t) => norm(t),
    (t) => [Math.hypot(...t!)],
    [x],
  );
  assert.equal([...(await norm(engine.tensor([0, 2, -0, -1]), 0).data())], [2]);
  for (const p of [2, 3]) {
    const zeros = leaf([0, 0, 3, 4], [2, 2]);
    norm(zeros, p, 1).sum().backward();
    const gradient = await zeros.grad!.data();
    assert.equal([...gradient.slice(0, 2)], [0, 0]);
    assert.ok(gradient[2]! > 0 && gradient.every(Number.isFinite));
  }
  assert.match(errorOf(() => norm(x, Number.NaN)).message, /p must be a number/);
});

/** Folds the rows of [a, n, b] along n into a list of results, in float64. */
function alongMiddle(values: ArrayLike<number>, [a, n, b]: readonly [number, number, number]): number[][] {
  return Array.from({ length: a * b }, (_, line) =>
    Array.from({ length: n }, (_, i) => values[(Math.floor(line / b) * n + i) * b + (line % b)]!),
  );
}

test('products, next to zeros too', async () => {
  const shape = [3, 4, 2] as const;
  for (const zeros of [[], [3], [3, 5], [0, 2, 4]]) {
    const values = uniform(24, 7, 0.5, 2).map((v, i) => (zeros.includes(i) ? 0 : v));
    const lines = (t: Float64Array) => alongMiddle(t, shape).map((line) => line.reduce((p, v) => p * v, 1));
    await gradcheck(
      (t) => prod(t, 1),
      (t) => lines(t!),
      [engine.tensor(values, shape)],
    );
    await gradcheck(
      (t) => prod(t, [0, 2]),
      (t) => [0, 1, 2, 3].map((j) => t!.reduce((p, v, i) => (Math.floor(i / 2) % 4 === j ? p * v : p), 1)),
      [engine.tensor(values, shape)],
    );
  }
  const many = uniform(5000, 8, 0.99, 1.01);
  await gradcheck(
    (t) => prod(t),
    (t) => [t!.reduce((p, v) => p * v, 1)],
    [engine.tensor(many)],
    { tolerance: 1e-4 },
  );
  assert.equal([...(await prod(engine.tensor(Int32Array.of(2, -3, 7))).data())], [-42]);
  assert.equal(prod(x, 0, { keepDims: true }).shape, [1, 5]);
});

/** Running sums of a tensor's middle axis against float64. */
async function runs(of: Tensor, shape: readonly [number, number, number], tolerance = 1e-5): Promise<void> {
  await gradcheck(
    (t) => cumsum(t, 1),
    (t) => {
      const out = new Float64Array(t!.length);
      alongMiddle(t!, shape).forEach((line, k) => {
        let total = 0;
        line.forEach((v, i) => {
          total += v;
          out[(Math.floor(k / shape[2]) * shape[1] + i) * shape[2] + (k % shape[2])] = total;
        });
      });
      return out;
    },
    [of],
    { tolerance },
  );
}

for (const shape of [
  [1, 1, 1],
  [3, 7, 2],
  [2, 64, 1],
  [1, 65, 3],
  [1, 300, 1],
] as const) {
  test(`running sums of ${shape.join('×')}`, async () => {
    const size = shape.reduce<number>((a, b) => a * b, 1);
    await runs(engine.tensor(uniform(size, 9), shape), shape);
    if (supportsF16(engine)) await runs(halves(rounded(uniform(size, 9)), shape), shape, 2 * HALF_EPSILON);
  });
}

test('running sums of many numbers keep their digits, of integers exactly', async () => {
  const n = 300_001;
  const values = uniform(n, 10, 0, 1);
  let total = 0;
  await near(
    cumsum(engine.tensor(values)),
    Float64Array.from(values, (v) => (total += v)),
    1e-6,
  );
  const last = (await cumsum(engine.ones([n], 'i32')).data())[n - 1];
  assert.is(last, n);
  assert.match(errorOf(() => cumsum(x, 2)).message, /cumsum: axis 2 is out of range/);
});

test('variance and norms of integers are refused, as documented', () => {
  const whole = engine.tensor(Int32Array.of(1, 2, 3));
  for (const of of [variance, std, norm]) {
    const error = errorOf(() => of(whole));
    assert.instance(error, DTypeError);
    assert.match(error.message, /(variance|norm): .*i32/);
  }
});

test.run();
