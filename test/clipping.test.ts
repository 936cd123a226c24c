/** Gradient clipping: norms as float64 has them, in place, in a few launches; what is not finite goes as in PyTorch. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { capture, clipGradNorm, clipGradValue, type Tensor } from '../src/index.ts';
import { engine, errorOf, leaf, near, needs, uniform } from './support/engine.ts';
import { HALF_EPSILON, rounded } from './support/half.ts';

/** A parameter with this gradient. */
function withGradient(values: ArrayLike<number>, dtype: 'f32' | 'f16' = 'f32'): Tensor {
  const parameter = engine.zeros([values.length], dtype);
  parameter.requiresGrad = true;
  parameter.grad = engine.tensor(Float32Array.from(values), [values.length], dtype);
  return parameter;
}

const SIZES = [1, 63, 64, 65, 1023, 1024, 1025, 5000, 2, 70_000, 3, 200];
const drawn = (scale = 1) => SIZES.map((n, k) => uniform(n, k).map((g) => g * scale));

/** Clips to `most` and compares norm and gradients with float64. Tolerances are those of a sum of squares in f32. */
async function clips(values: readonly Float32Array[], most: number, what: string): Promise<void> {
  const parameters = values.map((v) => withGradient(v));
  const norm = Math.sqrt(values.reduce((sum, v) => v.reduce((total, g) => total + g * g, sum), 0));
  await near(clipGradNorm(parameters, most), [norm], 1e-6, `the norm of ${what}`);
  const scale = Math.min(1, most / (norm + 1e-6));
  for (const [k, parameter] of parameters.entries())
    await near(
      parameter.grad,
      Float64Array.from(values[k]!, (g) => g * scale),
      2e-6,
      `gradient ${k} of ${what}`,
    );
}

test('all gradients are scaled together, and only when they are too long', async () => {
  await clips(drawn(), 1, 'gradients too long');
  await clips(drawn(), 1e6, 'short gradients');
  await clips([uniform(5, 1)], 0.25, 'one gradient');
});

test('norms whose squares f32 cannot hold are those of float64', async () => {
  for (const scale of [1e25, 3e35, 1e-25, 1e-36]) await clips(drawn(scale), 1, `gradients of ${scale}`);
  // Each size hides the ones below, but not altogether.
  for (const [a, b] of [
    [1e25, 1e14],
    [4e14, 2e14],
    [5e-15, 2e-15],
    [1, 1e-20],
  ] as const)
    await clips([uniform(2000, 1).map((g) => g * a), uniform(3000, 2).map((g) => g * b)], 1, `${a} and ${b}`);
  await clips([new Float32Array(70_000).fill(1e-20), Float32Array.of(1e-18)], 1, 'many small ones');
  await clips([new Float32Array(100)], 1, 'zeros');
});

test('forty parameters take a few launches, not some for each', () => {
  const parameters = Array.from({ length: 40 }, (_, k) => withGradient(uniform(1 + 50 * k, k)));
  const launches = (fn: () => unknown) => {
    const before = engine.memory().dispatches;
    engine.scope(fn);
    return engine.memory().dispatches - before;
  };
  // Seven a launch, and five that are left over.
  assert.is(
    launches(() => clipGradNorm(parameters, 1)),
    2 * (5 + 5) + 1,
  );
  assert.is(
    launches(() => clipGradNorm(parameters, Number.POSITIVE_INFINITY)),
    5 + 5 + 1,
  );
  assert.is(
    launches(() => clipGradValue(parameters, 1)),
    5 + 5,
  );
});

const finite = [1, -2, 3, 0];
test('an infinite gradient makes the norm infinite, finite ones 0 and itself NaN', async () => {
  for (const sign of [1, -1]) {
    const parameters = [withGradient(finite), withGradient([2, sign * Infinity, 5])];
    assert.is(await clipGradNorm(parameters, 1).item(), Infinity);
    assert.ok((await parameters[0]!.grad!.data()).every((g) => g === 0));
    const [a, b, c] = await parameters[1]!.grad!.data();
    assert.equal([a, b, c], [0, Number.NaN, 0]);
  }
});

test('a NaN makes the norm and every gradient NaN, beside an infinity too', async () => {
  for (const odd of [[Number.NaN], [Infinity, Number.NaN]]) {
    const parameters = [withGradient(finite), withGradient([...odd, 5])];
    assert.ok(Number.isNaN(await clipGradNorm(parameters, 1).item()));
    for (const { grad } of parameters) assert.ok((await grad!.data()).every(Number.isNaN));
  }
});

test('clipping by value limits each element; NaN stays', async () => {
  const values = drawn();
  const parameters = values.map((v) => withGradient(v));
  clipGradValue(parameters, 0.3);
  for (const [k, { grad }] of parameters.entries())
    await near(
      grad,
      values[k]!.map((g) => Math.min(0.3, Math.max(-0.3, g))),
      1e-7,
    );
  const odd = withGradient([Infinity, -Infinity, Number.NaN, 0.5, -7]);
  clipGradValue([odd], 2);
  assert.equal([...(await odd.grad!.data())], [2, -2, Number.NaN, 0.5, -2]);
  clipGradValue([], 1);
});

test('a gradient that others look at is clipped for its own parameter alone', async () => {
  const [a, b] = [leaf([0, 0], [2]), leaf([0, 0], [2])];
  const seed = engine.tensor([3, 4]);
  a.add(b).backward(seed);
  // A parameter given twice counts once: the norm is √2 · 5.
  await near(clipGradNorm([a, b, a], Math.SQRT1_2), [5 * Math.SQRT2], 1e-6);
  for (const { grad } of [a, b]) await near(grad, [0.3, 0.4], 1e-6);
  await near(seed, [3, 4], 0);
});

test('clipping allocates nothing that stays', async () => {
  const parameters = drawn().map((v) => withGradient(v));
  const before = engine.memory().liveBuffers;
  clipGradNorm(parameters, 1).dispose();
  clipGradValue(parameters, 1);
  assert.is(engine.memory().liveBuffers, before);
});

needs('shader-f16')('f16 and f32 gradients are clipped together', async () => {
  const [half, full] = [rounded(uniform(2001, 1)), uniform(50, 2)];
  const parameters = [withGradient(half, 'f16'), withGradient(full), withGradient([60000, 60000], 'f16')];
  const norm = Math.hypot(...half, ...full, 60000, 60000);
  await near(clipGradNorm(parameters, norm / 4), [norm], 1e-6);
  await near(
    parameters[0]!.grad,
    half.map((g) => g / 4),
    HALF_EPSILON,
  );
  await near(
    parameters[1]!.grad,
    full.map((g) => g / 4),
    1e-6,
  );
  assert.is(parameters[0]!.grad!.dtype, 'f16');
});

test('a captured step clips as the step itself', async () => {
  const x = engine.tensor(uniform(300, 3));
  const [eager, captured] = [leaf(uniform(300, 1), [300]), leaf(uniform(300, 1), [300])];
  const step = (p: Tensor) => (input: Tensor) => {
    p.grad?.dispose();
    p.grad = null;
    p.mul(input).sum().backward();
    return { norm: clipGradNorm([p], 0.5), gradient: p.grad as unknown as Tensor };
  };
  const replay = capture(engine, step(captured));
  for (let i = 0; i < 3; i++) {
    const [a, b] = [step(eager)(x.mul(i + 1)), replay(x.mul(i + 1))];
    assert.equal(await b.norm.data(), await a.norm.data());
    assert.equal(await b.gradient.data(), await a.gradient.data());
  }
  replay.dispose();
});

test('what makes no sense is refused', () => {
  const message = (fn: () => unknown) => errorOf(fn).message;
  const bare = leaf([1], [1]);
  const tells: [() => unknown, RegExp][] = [
    [() => clipGradNorm([bare], 1), /clipGradNorm: no parameter has a gradient\. Call it after backward\(\)/],
    [() => clipGradNorm([], 1), /clipGradNorm: no parameter has a gradient/],
    [() => clipGradNorm([withGradient([1])], 0), /the largest norm must be above 0, not 0/],
    [() => clipGradNorm([withGradient([1])], Number.NaN), /the largest norm must be above 0, not NaN/],
    [() => clipGradValue([withGradient([1])], -1), /clipGradValue: the limit must be above 0, not -1/],
  ];
  for (const [fn, expected] of tells) assert.match(message(fn), expected);
});

test.run();
