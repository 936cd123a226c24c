import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { crossEntropy, Engine, gradcheck, logSoftmax, softmax } from '../src/index.ts';
import { engine, errorOf, leaf, near, uniform } from './support/engine.ts';

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

for (const [rows, n] of sizes) {
  test(`softmax and its logarithm over ${rows} rows of ${n}`, async () => {
    const x = engine.tensor(uniform(rows * n, 1, -4, 4), [rows, n]);
    await gradcheck(
      (t) => softmax(t),
      (v) => logRows(v, n).map(Math.exp),
      [x],
      { tolerance: 3e-6 },
    );
    await gradcheck(
      (t) => logSoftmax(t),
      (v) => logRows(v, n),
      [x],
      { tolerance: 3e-6 },
    );
  });

  test(`cross entropy over ${rows} rows of ${n}, with and without smoothing`, () =>
    crossEntropyMatches(engine, rows, n));
}

test('the cross entropy of the other kind of adapter is the same', async () => {
  const kind = engine.adapterKind === 'software' ? 'hardware' : 'software';
  const other = Engine.from(engine.device, { kind });
  for (const [rows, n] of sizes) await crossEntropyMatches(other, rows, n);
  await other.destroy();
});

test('softmax runs along any axis', async () => {
  const [a, b, c] = [2, 5, 3];
  const reference = (v: Float64Array) => {
    const out = new Float64Array(v.length);
    for (let i = 0; i < a; i++) {
      for (let k = 0; k < c; k++) {
        const at = (j: number) => (i * b + j) * c + k;
        const line = logRows(
          Float64Array.from({ length: b }, (_, j) => v[at(j)]!),
          b,
        );
        for (let j = 0; j < b; j++) out[at(j)] = Math.exp(line[j]!);
      }
    }
    return out;
  };
  const x = engine.tensor(uniform(a * b * c, 3), [a, b, c]);
  await gradcheck((t) => softmax(t, 1), reference, [x]);
  await near(softmax(x, -2), await softmax(x, 1).data(), 0);
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
    message(() => softmax(targets)),
    /softmax: takes f32, not i32/,
  );
  assert.match(
    message(() => logSoftmax(x, 2)),
    /logSoftmax: axis 2 is out of range/,
  );
});

test.run();
