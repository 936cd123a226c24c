/** Operations of one's own: one expression, or kernels of their own, with what `src/index.ts` exports and nothing else; their check is `engram/testing`'s. */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gradcheck } from '../src/entries/testing.ts';
import { ArgumentError, capture, DTypeError, elementwise, type Tensor } from '../src/index.ts';
import { rmsNorm } from './examples/own-op.ts';
import { engine, errorOf, leaf, needs, uniform } from './support/engine.ts';
import { HALF_EPSILON, halves } from './support/half.ts';

const cube = elementwise('cube', { operands: ['a'], forward: 'a * a * a', gradients: ['dy * 3.0 * a * a'] });
/** a + c·(b − a) */
const mix = elementwise('mix', {
  operands: ['a', 'b', 'c'],
  forward: 'a + c * (b - a)',
  gradients: ['dy * (1.0 - c)', 'dy * c', 'dy * (b - a)'],
});

const rmsNorm64 = (n: number) => (x: Float64Array) =>
  x.map((value, i) => {
    const row = x.subarray(i - (i % n), i - (i % n) + n);
    return value / Math.sqrt(row.reduce((sum, v) => sum + v * v, 0) / n + 1e-5);
  });

test('an expression with its gradient is an operation', async () => {
  const x = engine.tensor(uniform(12, 1), [3, 4]);
  await gradcheck(cube, (v) => v.map((a) => a ** 3), [x]);
  await gradcheck(
    (t) => cube(t.add(1)).sigmoid(),
    (v) => v.map((a) => 1 / (1 + Math.exp(-((a + 1) ** 3)))),
    [x],
  );
});

test('it broadcasts, takes numbers and calls functions of the engine', async () => {
  const a = engine.tensor(uniform(12, 2), [3, 4]);
  const b = engine.tensor(uniform(4, 3), [4]);
  const c = engine.tensor(uniform(3, 4), [3, 1]);
  const mix64 = (p: Float64Array, q: Float64Array, r: Float64Array) =>
    p.map((v, i) => v + r[Math.floor(i / 4)]! * (q[i % 4]! - v));
  await gradcheck(mix, mix64, [a, b, c]);
  await gradcheck(
    (s, t) => mix(s, t, 0.25),
    (p, q) => mix64(p, q, Float64Array.of(0.25, 0.25, 0.25)),
    [a, b],
  );
  const gate = elementwise('gate', {
    operands: ['a', 'b'],
    forward: 'a * sigmoid(b)',
    gradients: ['dy * sigmoid(b)', 'dy * a * sigmoid(b) * (1.0 - sigmoid(b))'],
  });
  await gradcheck(gate, (p, q) => p.map((v, i) => v / (1 + Math.exp(-q[i % 4]!))), [a, b]);
});

needs('shader-f16')('it computes f16 in f32', async () => {
  const x = halves(uniform(12, 5), [12]);
  assert.is(cube(x).dtype, 'f16');
  await gradcheck(cube, (v) => v.map((a) => a ** 3), [x], { tolerance: 3 * HALF_EPSILON });
});

test('it may compute integers by another expression, and give another dtype', async () => {
  const halved = elementwise('halved', {
    operands: ['a'],
    forward: 'a * 0.5',
    integers: 'a / 2',
    gradients: ['dy * 0.5'],
    dtypes: ['f32', 'i32'],
  });
  assert.equal(await halved(engine.tensor(Int32Array.of(5, -4))).data(), Int32Array.of(2, -2));
  assert.equal(await halved(engine.tensor([5])).data(), Float32Array.of(2.5));
  const isPositive = elementwise('isPositive', {
    operands: ['a'],
    forward: 'select(0u, 1u, a > 0.0)',
    gradients: [null],
    result: 'u32',
  });
  assert.equal(await isPositive(leaf([1, -1], [2])).data(), Uint32Array.of(1, 0));
});

test('two of one name and different expressions are two', async () => {
  const named = (forward: string) => elementwise('mine', { operands: ['a'], forward, gradients: [null] });
  const x = engine.tensor([3]);
  const [one, other] = [named('a + 1.0')(x), named('a + 2.0')(x)];
  assert.is(await one.item(), 4);
  assert.is(await other.item(), 5);
});

test('what cannot be is refused by its name', () => {
  const refusal = (fn: () => unknown, type: typeof ArgumentError | typeof DTypeError) => {
    const error = errorOf(fn);
    assert.instance(error, type);
    return error.message;
  };
  assert.match(
    refusal(() => elementwise('odd', { operands: ['a', 'b'], forward: 'a', gradients: ['dy'] }), ArgumentError),
    /odd: has 2 operands and 1 gradients/,
  );
  assert.match(
    refusal(() => (mix as (...x: Tensor[]) => Tensor)(engine.ones([1])), ArgumentError),
    /mix: takes 3 operands; was given 1/,
  );
  assert.match(
    refusal(() => mix(1, 2, 3), ArgumentError),
    /mix: needs at least one tensor/,
  );
  assert.match(
    refusal(() => cube(engine.zeros([2], 'i32')), DTypeError),
    /cube: takes operands of one dtype among f32, f16; was given i32\[2\]/,
  );
});

test('kernels of their own, with a gradient, take less than 40 lines and what the package exports', async () => {
  const text = readFileSync('test/examples/own-op.ts', 'utf8');
  assert.ok(text.trimEnd().split('\n').length < 40);
  const sources = [...text.matchAll(/from '(.*)'/g)].map(([, from]) => from);
  assert.equal(sources, ['../../src/index.ts']);
  const x = engine.tensor(uniform(70 * 9, 6, -2, 2), [70, 9]);
  await gradcheck((t) => rmsNorm(t), rmsNorm64(9), [x]);
  await gradcheck(
    (t) => rmsNorm(t.mul(3)).tanh(),
    (v) => rmsNorm64(9)(v.map((a) => 3 * a)).map(Math.tanh),
    [x],
    { tolerance: 4e-5 },
  );
});

test('they work in scopes, and leave nothing there', async () => {
  const before = engine.memory().liveBuffers;
  const x = leaf(uniform(12, 7), [3, 4]);
  engine.scope(() => rmsNorm(cube(x)).sum().backward());
  assert.is(engine.memory().liveBuffers, before + 2, 'the leaf and its gradient');
  x.grad?.dispose();
  x.dispose();
});

test('they are captured: a replay gives the same bits', async () => {
  const parameter = leaf(uniform(12, 8), [3, 4]);
  const eager = (x: Tensor): Tensor[] => {
    const loss = rmsNorm(cube(parameter).mul(x)).square().mul(x).sum();
    loss.backward();
    const gradient = parameter.grad!.add(0);
    parameter.grad?.dispose();
    parameter.grad = null;
    return [loss, gradient];
  };
  const step = capture(engine, eager);
  for (const seed of [9, 10, 11, 12]) {
    const x = engine.tensor(uniform(12, seed), [3, 4]);
    const expected = await Promise.all(eager(x).map((t) => t.data()));
    assert.equal(await Promise.all(step(x).map((t) => t.data())), expected);
  }
  assert.is(step.recordings, 1);
  step.dispose();
});

test.run();
