/** Random tensors and dropout: the distributions they promise, and the same numbers whenever seed and stream are the same. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Dropout, dropout, Engine, Sequential } from '../src/index.ts';
import { philox, wordToUniform } from '../src/tensor/philox.ts';
import { engine, errorOf, leaf, near, uniform } from './support/engine.ts';

const COUNT = 100_000;
function mean(values: ArrayLike<number>, of: (x: number, i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += of(values[i]!, i);
  return sum / values.length;
}

/** Within five standard errors of an estimate whose single terms have this variance. */
function close(actual: number, expected: number, variance: number, what: string): void {
  const most = 5 * Math.sqrt(variance / COUNT);
  assert.ok(Math.abs(actual - expected) <= most, `${what}: ${actual}, ${expected} ± ${most} expected`);
}

test('uniform numbers fill their interval evenly', async () => {
  const values = await engine.uniform([COUNT], { low: -2, high: 4, from: { seed: 1 } }).data();
  assert.ok(values.every((v) => v >= -2 && v < 4));
  close(
    mean(values, (v) => v),
    1,
    3,
    'mean',
  );
  close(
    mean(values, (v) => (v - 1) ** 2),
    3,
    9 * 0.8,
    'variance',
  );
  for (let k = 0; k < 6; k++) {
    const share = mean(values, (v) => Number(Math.floor(v) === k - 2));
    close(share, 1 / 6, 5 / 36, `share of [${k - 2}, ${k - 1})`);
  }
});

test('uniform numbers stay below their end, however coarse f32 is there', async () => {
  for (const [low, high] of [
    [1e5, 1e5 + 1],
    [-1e5 - 1, -1e5],
  ] as const) {
    const values = await engine.uniform([10_000], { low, high, from: { seed: 1 } }).data();
    assert.ok(values.every((v) => v >= low && v < high));
  }
  assert.equal([...(await engine.uniform([2], { low: 3, high: 3 }).data())], [3, 3]);
});

test('normal numbers have the moments and the tails of the normal distribution', async () => {
  const values = await engine.normal([COUNT], { mean: 3, std: 2, from: { seed: 2, stream: 5 } }).data();
  const moment = (k: number) => mean(values, (v) => ((v - 3) / 2) ** k);
  close(moment(1), 0, 1, 'mean');
  close(moment(2), 1, 2, 'variance');
  close(moment(3), 0, 15, 'skewness');
  close(moment(4), 3, 96, 'kurtosis');
  close(
    mean(values, (v) => Number(Math.abs(v - 3) > 4)),
    0.0455,
    0.0434,
    'share beyond two deviations',
  );
});

test('normal numbers are Box and Muller’s of the random words, on every adapter', async () => {
  const values = await engine.normal([40_000], { from: { seed: 4, stream: 2 } }).data();
  for (let i = 0; i < values.length; i += 2) {
    const [u = 0, v = 0] = philox(4, 2, Math.floor(i / 4))
      .map(wordToUniform)
      .slice(i % 4);
    const radius = Math.sqrt(-2 * Math.log1p(-u));
    const expected = [radius * Math.cos(2 * Math.PI * v), radius * Math.sin(2 * Math.PI * v)];
    const error = Math.max(...expected.map((x, k) => Math.abs(values[i + k]! - x))) / radius;
    assert.ok(error < 5e-7, `${error} of the radius ${radius} at ${i}`);
  }
});

test('neighbours, also those made from the same four random words, are independent', async () => {
  const values = await engine.normal([COUNT], { from: { seed: 3 } }).data();
  for (let place = 0; place < 4; place++) {
    for (const lag of [1, 2, 3, 4]) {
      // The mean over every fourth element, of a product of powers with the expectation and variance of independent ones.
      const product = (k: number, l: number, expected: number, variance: number) =>
        close(
          mean(values, (v, i) => (i % 4 === place ? 4 * v ** k * values[(i + lag) % COUNT]! ** l : 0)),
          expected,
          4 * variance + 3 * expected ** 2,
          `v^${k}·w^${l} at place ${place}, distance ${lag}`,
        );
      product(1, 1, 0, 1);
      product(1, 2, 0, 3);
      product(2, 1, 0, 3);
      product(2, 2, 1, 8);
    }
  }
});

test('a number depends on seed, stream and place alone', async () => {
  const draw = (seed: number, stream: number, shape: number[]) =>
    engine.uniform(shape, { from: { seed, stream } }).data();
  const first = [...(await draw(7, 1, [1000]))];
  assert.equal([...(await draw(7, 1, [10, 100]))], first);
  assert.equal([...(await draw(7, 1, [333]))], first.slice(0, 333));
  for (const [seed, stream] of [
    [8, 1],
    [7, 2],
    [7 + 2 ** 32, 1],
    [7 + 2 ** 52, 1],
  ] as const) {
    const other = await draw(seed, stream, [1000]);
    assert.ok(mean(other, (v, i) => Number(v === first[i])) < 0.01, `seed ${seed}, stream ${stream}`);
  }
  assert.is(first[997], wordToUniform(philox(7, 1, 249)[1]!));
});

test('an engine draws on and on, and starts over when seeded', async () => {
  const other = await Engine.create();
  const take = async () => [...(await other.normal([50]).data()), ...(await other.uniform([50]).data())];
  const unseeded = await take();
  const next = await take();
  assert.not.equal(next, unseeded);
  other.seed(0);
  assert.equal(await take(), unseeded);
  other.seed(9);
  const nine = await take();
  assert.not.equal(nine, unseeded);
  other.seed(9);
  assert.equal(await take(), nine);
  await other.destroy();
});

test('dropout draws a new mask at each call, every element by itself, and keeps the expectation', async () => {
  const x = engine.ones([COUNT]);
  for (const p of [0.1, 0.5, 0.9]) {
    const values = await dropout(x, p).data();
    close(
      mean(values, (v) => v),
      1,
      p / (1 - p),
      `mean at p = ${p}`,
    );
    const dropped = (i: number) => Number(values[i % COUNT] === 0);
    close(
      mean(values, (_, i) => dropped(i) * dropped(i + 1)),
      p * p,
      3 * p * p,
      `pairs dropped together at p = ${p}`,
    );
    assert.not.equal(await dropout(x, p).data(), values);
  }
});

test('the gradient goes through the mask of the forward pass, however often another was drawn meanwhile', async () => {
  const x = leaf(uniform(1001, 1, 0.5, 1.5), [7, 143]);
  const y = dropout(x, 0.4);
  dropout(x, 0.4);
  engine.normal([10]);
  const dy = uniform(1001, 2);
  y.backward(engine.tensor(dy, y.shape));
  const scales = Array.from(await y.data(), (v) => (v === 0 ? 0 : 1 / 0.6));
  await near(
    x.grad,
    scales.map((scale, i) => scale * dy[i]!),
    1e-6,
  );
});

test('the dropout layer rests in inference', async () => {
  const model = new Sequential(engine, new Dropout(engine, 0.5));
  const x = engine.ones([1000]);
  assert.ok(mean(await model.forward(x).data(), (v) => Number(v === 0)) > 0.3);
  assert.is(model.eval().forward(x), x);
});

test('what makes no sense is refused', () => {
  const message = (fn: () => unknown) => errorOf(fn).message;
  const tells: [() => unknown, RegExp][] = [
    [() => engine.normal([2, 0]), /normal: \[2, 0\] is not a shape/],
    [() => engine.uniform([2], { from: { seed: -1 } }), /uniform: seed: -1 is not a whole number/],
    [
      () => engine.uniform([2], { from: { seed: 0, stream: 2 ** 32 } }),
      /uniform: stream 4294967296 is not below 2\^32/,
    ],
    [() => engine.seed(1.5), /seed: 1\.5 is not a whole number/],
    [() => dropout(engine.zeros([2]), -0.1), /dropout: the probability must be in \[0, 1\), not -0\.1/],
    [() => dropout(engine.zeros([2], 'i32'), 0.5), /dropout: takes f32 or f16.*was given i32/],
    [() => new Dropout(engine, 1), /Dropout: the probability must be in \[0, 1\), not 1/],
  ];
  for (const [fn, expected] of tells) assert.match(message(fn), expected);
});

test.run();
