import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gradcheck } from '../src/entries/testing.ts';
import {
  crossEntropy,
  Engine,
  logSoftmax,
  nllLoss,
  recordedGradients,
  softmax,
  supportsF16,
  type Tensor,
} from '../src/index.ts';
import { engine, errorOf, leaf, near, uniform } from './support/engine.ts';
import { HALF_EPSILON, halves } from './support/half.ts';

/** log softmax of the rows [rows, n] in float64. */
function logRows(values: Float64Array, n: number): Float64Array {
  const out = new Float64Array(values.length);
  for (let first = 0; first < values.length; first += n) {
    const row = values.subarray(first, first + n);
    const most = row.reduce((a, b) => Math.max(a, b));
    const log = Math.log(row.reduce((sum, v) => sum + Math.exp(v - most), 0));
    row.forEach((v, k) => {
      out[first + k] = v - most - log;
    });
  }
  return out;
}

/** Cross entropy of each row, by the definition with a smoothed target distribution. */
function losses(values: Float64Array, n: number, targets: readonly number[], smoothing = 0): Float64Array {
  const logs = logRows(values, n);
  return Float64Array.from(targets, (target, row) => {
    let loss = 0;
    for (let k = 0; k < n; k++) {
      loss -= logs[row * n + k]! * ((k === target ? 1 - smoothing : 0) + smoothing / n);
    }
    return target >= 0 && target < n ? loss : 0;
  });
}

async function crossEntropyMatches(on: Engine, rows: number, n: number): Promise<void> {
  const x = on.tensor(uniform(rows * n, 2, -4, 4), [rows, n]);
  const targets = Array.from({ length: rows }, (_, i) => (i * 7) % n);
  const index = on.tensor(Int32Array.from(targets));
  const total = (v: Float64Array, smoothing: number) => losses(v, n, targets, smoothing).reduce((a, b) => a + b, 0);
  for (const labelSmoothing of [0, 0.1]) {
    const check = (reduction: 'mean' | 'sum' | 'none', reference: (v: Float64Array) => number[] | Float64Array) =>
      gradcheck((t) => crossEntropy(t, index, { labelSmoothing, reduction }), reference, [x], { tolerance: 3e-6 });
    await check('mean', (v) => [total(v, labelSmoothing) / rows]);
    await check('sum', (v) => [total(v, labelSmoothing)]);
    await check('none', (v) => losses(v, n, targets, labelSmoothing));
  }
}

const sizes = [
  [4, 10],
  [3, 1],
  [2, 131],
  [70, 3],
] as const;

/** Of a batch of rows that lie along the middle axis of [a, b, c]. */
function alongMiddle(values: Float64Array, [a, b, c]: readonly [number, number, number]): Float64Array {
  const out = new Float64Array(values.length);
  for (let row = 0; row < a * c; row++) {
    const at = (j: number) => (Math.floor(row / c) * b + j) * c + (row % c);
    logRows(
      Float64Array.from({ length: b }, (_, j) => values[at(j)]!),
      b,
    ).forEach((log, j) => {
      out[at(j)] = log;
    });
  }
  return out;
}

/** Both along the middle axis of `x`. */
async function softmaxMatches(x: Tensor, tolerance: number): Promise<void> {
  const shape = x.shape as readonly number[] as [number, number, number];
  const log = (v: Float64Array) => alongMiddle(v, shape);
  await gradcheck(
    (t) => softmax(t, 1),
    (v) => log(v!).map(Math.exp),
    [x],
    { tolerance },
  );
  await gradcheck(
    (t) => logSoftmax(t, 1),
    (v) => log(v!),
    [x],
    { tolerance },
  );
}

for (const [rows, n] of sizes) {
  test(`softmax and its logarithm over ${rows} rows of ${n}, or columns`, async () => {
    for (const shape of [
      [rows, n, 1],
      [2, n, rows],
    ]) {
      await softmaxMatches(
        engine.tensor(
          uniform(
            shape.reduce((a, b) => a * b),
            1,
            -4,
            4,
          ),
          shape,
        ),
        3e-6,
      );
    }
  });

  (supportsF16(engine) ? test : test.skip)(`softmax and its logarithm of f16, ${rows} rows of ${n}`, async () => {
    const x = halves(uniform(rows * n * 2, 5, -4, 4), [2, n, rows]);
    assert.is(softmax(x, 1).dtype, 'f16');
    // The gradient is that of the rounded result.
    await softmaxMatches(x, 3 * HALF_EPSILON);
  });

  test(`cross entropy over ${rows} rows of ${n}, with and without smoothing`, () =>
    crossEntropyMatches(engine, rows, n));
}

test('what the other kind of adapter does is the same', async () => {
  const kind = engine.adapterKind === 'software' ? 'hardware' : 'software';
  const other = Engine.from(engine.device, { kind });
  for (const [rows, n] of [...sizes, [3, 1000]] as const) {
    await crossEntropyMatches(other, rows, n);
    if (n > 1) await softmaxMatches(other.tensor(uniform(rows * n, 1, -4, 4), [1, n, rows]), 3e-6);
  }
  await near(
    softmax(other.tensor(uniform(6e4, 6), [3, 2e4])),
    logRows(Float64Array.from(uniform(6e4, 6)), 2e4).map(Math.exp),
    1e-6,
  );
  await other.destroy();
});

test('softmax runs along any axis', async () => {
  const values = uniform(120, 3);
  const x = engine.tensor(values, [2, 3, 4, 5]);
  for (const [axis, shape] of [
    [0, [1, 2, 60]],
    [1, [2, 3, 20]],
    [2, [6, 4, 5]],
    [3, [24, 5, 1]],
  ] as const) {
    const expected = alongMiddle(Float64Array.from(values), shape);
    await near(softmax(x, axis), expected.map(Math.exp), 1e-6, `axis ${axis}`);
    await near(logSoftmax(x, axis - 4), expected, 1e-6, `axis ${axis - 4}`);
  }
});

test('long rows keep their digits', async () => {
  for (const n of [1e5, 1e6]) {
    const values = uniform(n, 7, -4, 4);
    const x = leaf(values, [1, n]);
    const log = logRows(Float64Array.from(values), n);
    const index = engine.tensor(Int32Array.of(3));
    const loss = crossEntropy(x, index);
    loss.backward();
    await near(loss, [-log[3]!], 1e-6, `loss over ${n}`);
    const even = -log.reduce((a, b) => a + b) / n;
    await near(crossEntropy(x, index, { labelSmoothing: 0.5 }), [0.5 * (even - log[3]!)], 1e-6, `smoothed over ${n}`);
    const probabilities = log.map(Math.exp);
    await near(
      x.grad,
      probabilities.map((p, i) => p - (i === 3 ? 1 : 0)),
      1e-6,
      `gradient over ${n}`,
    );
    await near(softmax(x), probabilities, 1e-6, `softmax over ${n}`);
    await near(logSoftmax(x), log, 1e-6, `logarithm over ${n}`);
  }
});

test('a million rows of one element are one each', async () => {
  for (const [shape, axis] of [
    [[1e6, 1], 1],
    [[1000, 1, 1000], 1],
  ] as const) {
    const x = leaf(uniform(1e6, 8), shape);
    const y = softmax(x, axis);
    y.backward(engine.ones(shape));
    assert.ok((await y.data()).every((v) => v === 1));
    assert.ok((await x.grad!.data()).every((v) => v === 0));
    assert.ok((await logSoftmax(x, axis).data()).every((v) => v === 0));
  }
});

/** Rows with what is not finite, their softmax and their cross entropy with target 1: PyTorch's. */
const nonfinite = [
  { x: [Number.NaN, 1, 2, 3], y: 'NaN', loss: Number.NaN },
  { x: [1, 2, 3, Number.NaN], y: 'NaN', loss: Number.NaN },
  { x: [1, Infinity, 2, 3], y: 'NaN', loss: Number.NaN },
  { x: [-Infinity, -Infinity, -Infinity, -Infinity], y: 'NaN', loss: Number.NaN },
  { x: [-Infinity, 0, -Infinity, -Infinity], y: [0, 1, 0, 0], loss: 0 },
  { x: [2, -Infinity, 2, -Infinity], y: [0.5, 0, 0.5, 0], loss: Infinity },
] as const;

test('NaN takes its row along, and −∞ masks', async () => {
  const other = Engine.from(engine.device, { kind: 'hardware' });
  for (const on of [engine, other]) {
    const n = 4;
    const x = on.tensor(nonfinite.map((row) => [...row.x]));
    x.requiresGrad = true;
    const expected = nonfinite.flatMap(({ y }) => (y === 'NaN' ? new Array<number>(n).fill(Number.NaN) : [...y]));
    assert.equal([...(await softmax(x).data())], expected);
    assert.equal([...(await softmax(x.transpose(), 0).transpose().data())], expected);
    await near(logSoftmax(x), expected.map(Math.log), 1e-6);
    const targets = on.full([nonfinite.length], 1, 'i32');
    const losses = crossEntropy(x, targets, { reduction: 'none' });
    assert.equal(
      [...(await losses.data())],
      nonfinite.map(({ loss }) => loss),
    );
    // With a smoothed target distribution every masked class costs ∞.
    const smoothed = crossEntropy(x, targets, { labelSmoothing: 0.1, reduction: 'none' });
    assert.equal(
      [...(await smoothed.data())],
      nonfinite.map(({ loss }) => (Number.isNaN(loss) ? loss : Infinity)),
    );
    losses.sum().backward();
    const gradient = expected.map((p, i) => p - (i % n === 1 ? 1 : 0));
    assert.equal([...(await x.grad!.data())], gradient);
    // Unless it is one to ignore.
    assert.is(await crossEntropy(x, on.full([nonfinite.length], -1, 'i32'), { reduction: 'sum' }).item(), 0);
  }
  await other.destroy();
});

test('logits of thousands neither overflow nor vanish', async () => {
  const x = leaf([6000, -6000, 5999, -1e4, 0, 1e4], [2, 3]);
  await near(softmax(x), [1 / (1 + Math.exp(-1)), 0, 1 / (1 + Math.E), 0, 0, 1], 1e-6);
  const loss = crossEntropy(x, engine.tensor(Int32Array.of(1, 0)), { reduction: 'none' });
  await near(loss, [12000 + Math.log(1 + Math.exp(-1)), 20000], 1e-6);
  loss.sum().backward();
  await near(x.grad, [1 / (1 + Math.exp(-1)), -1, 1 / (1 + Math.E), -1, 0, 1], 1e-6);
});

test('a target out of range counts for nothing and has no gradient', async () => {
  const x = leaf(uniform(12, 4), [3, 4]);
  const loss = crossEntropy(x, engine.tensor(Int32Array.of(2, -1, 4)), { reduction: 'sum' });
  await near(loss, [losses(Float64Array.from(uniform(12, 4)), 4, [2])[0]!], 1e-6);
  loss.backward();
  assert.equal([...(await x.grad!.data())].slice(4), new Array(8).fill(0));
});

test('a mean is over the rows that count, as PyTorch’s, or over all', async () => {
  const values = Float64Array.from(uniform(20, 4, -2, 2));
  const targets = [2, -100, 1, 3, 4];
  const index = engine.tensor(Int32Array.from(targets));
  const x = engine.tensor(Float32Array.from(values), [5, 4]);
  for (const labelSmoothing of [0, 0.1]) {
    const total = (v: Float64Array) => losses(v, 4, targets, labelSmoothing).reduce((a, b) => a + b, 0);
    await gradcheck(
      (t) => crossEntropy(t, index, { labelSmoothing }),
      (v) => [total(v!) / 3],
      [x],
      { tolerance: 3e-6 },
    );
    const overAllRows = true;
    await gradcheck(
      (t) => crossEntropy(t, index, { labelSmoothing, overAllRows }),
      (v) => [total(v!) / 5],
      [x],
      {
        tolerance: 3e-6,
      },
    );
  }
  const [a, b] = [leaf(values, [5, 4]), leaf(values, [5, 4])];
  nllLoss(logSoftmax(a), index).backward();
  const [g] = recordedGradients(crossEntropy(b, index), [b]);
  await near(g, await a.grad!.data(), 1e-6);
  const none = leaf(values, [5, 4]);
  const loss = crossEntropy(none, engine.full([5], -100, 'i32'));
  assert.ok(Number.isNaN(await loss.item()));
  loss.backward();
  assert.equal([...(await none.grad!.data())], new Array(20).fill(0));
});

test('what does not fit is refused', () => {
  const x = engine.zeros([3, 4]);
  const targets = engine.zeros([3], 'i32');
  const message = (fn: () => unknown) => errorOf(fn).message;
  assert.match(
    message(() => crossEntropy(x, engine.zeros([4], 'i32'))),
    /crossEntropy: takes logits \[n, classes\] and targets \[n\]; was given \[3, 4\] and \[4\]/,
  );
  assert.match(
    message(() => crossEntropy(x, engine.zeros([3]))),
    /i32 targets; was given f32 and f32/,
  );
  assert.match(
    message(() => crossEntropy(x, targets, { labelSmoothing: 1 })),
    /labelSmoothing must be in \[0, 1\), not 1/,
  );
  assert.match(
    message(() => crossEntropy(x, targets, { reduction: 'avg' as never })),
    /crossEntropy: reduction is avg; mean, sum or none was expected/,
  );
  assert.match(
    message(() => softmax(targets)),
    /softmax: takes f32 or f16.*i32/,
  );
  assert.match(
    message(() => logSoftmax(x, 2)),
    /logSoftmax: axis 2 is out of range/,
  );
});

test.run();
