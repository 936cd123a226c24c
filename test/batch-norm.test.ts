import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { backward, type DType, Engine, supportsF16, type Tensor } from '../src/index.ts';
import { batchNorm } from '../src/ops/batch-norm.ts';
import { engine, errorOf, leaf, near, needs, uniform } from './support/engine.ts';
import { HALF_EPSILON, rounded } from './support/half.ts';

interface Given {
  x: Float32Array;
  weight: Float32Array;
  bias: Float32Array;
  dy: Float32Array;
  residual?: Float32Array | undefined;
  relu?: boolean;
}

/** Batch norm with the batch's statistics and its gradient in float64, straight from the definition. */
function reference({ x, weight, bias, dy, residual, relu = false }: Given, eps = 1e-5) {
  const c = weight.length;
  const rows = x.length / c;
  const y = new Float64Array(x.length);
  const g = new Float64Array(x.length);
  const dx = new Float64Array(x.length);
  const dweight = new Float64Array(c);
  const dbias = new Float64Array(c);
  const means = new Float64Array(c);
  const unbiased = new Float64Array(c);
  for (let k = 0; k < c; k++) {
    let mean = 0;
    for (let r = 0; r < rows; r++) mean += x[r * c + k]! / rows;
    let squares = 0;
    for (let r = 0; r < rows; r++) squares += (x[r * c + k]! - mean) ** 2;
    const inverse = 1 / Math.sqrt(squares / rows + eps);
    for (let at = k; at < x.length; at += c) {
      const value = (x[at]! - mean) * inverse * weight[k]! + bias[k]! + (residual?.[at] ?? 0);
      y[at] = relu ? Math.max(0, value) : value;
      g[at] = relu && !(value > 0) ? 0 : dy[at]!;
      dbias[k]! += g[at]!;
      dweight[k]! += g[at]! * (x[at]! - mean) * inverse;
    }
    for (let at = k; at < x.length; at += c) {
      const hat = (x[at]! - mean) * inverse;
      dx[at] = weight[k]! * inverse * (g[at]! - dbias[k]! / rows - (hat * dweight[k]!) / rows);
    }
    means[k] = mean;
    unbiased[k] = squares / (rows - 1);
  }
  return { y, dx, dweight, dbias, dresidual: g, means, unbiased };
}

const shapes: number[][] = [
  [4, 6, 6, 8],
  [2, 5, 3, 3],
  [3, 7, 5, 5],
  [2, 1],
  [300, 12],
  [2, 9, 9, 64],
  [5, 512],
  [3, 2, 2049],
  [8, 32, 32, 16],
];

/** Trains one step on `on` and compares everything with the reference. @param dtype of the images. */
async function trainingMatches(
  on: Engine,
  shape: number[],
  withResidual: boolean,
  relu: boolean,
  dtype: DType = 'f32',
): Promise<void> {
  const half = dtype === 'f16';
  const drawn = half ? (...from: Parameters<typeof uniform>) => rounded(uniform(...from)) : uniform;
  const tolerance = (full: number) => (half ? full + HALF_EPSILON : full);
  const c = shape.at(-1)!;
  const size = shape.reduce((a, b) => a * b);
  const given = {
    x: drawn(size, 1, -2, 3),
    weight: uniform(c, 2, 0.5, 1.5),
    bias: uniform(c, 3),
    dy: drawn(size, 4),
    residual: withResidual ? drawn(size, 5) : undefined,
    relu,
  };
  const expected = reference(given);
  const wanting = (data: Float32Array, of: number[], type?: DType) => {
    const tensor = on.tensor(Float32Array.from(data), of, type);
    tensor.requiresGrad = true;
    return tensor;
  };
  const x = wanting(given.x, shape, dtype);
  const weight = wanting(given.weight, [c]);
  const bias = wanting(given.bias, [c]);
  const residual = given.residual ? wanting(given.residual, shape, dtype) : undefined;
  const runningMean = on.full([c], 0.5);
  const runningVar = on.full([c], 2);
  const options = { weight, bias, runningMean, runningVar, training: true, relu, momentum: 0.25 };
  const y = batchNorm(x, residual ? { ...options, residual } : options);
  assert.is(y.dtype, dtype);
  backward(y, on.tensor(given.dy, shape, dtype));
  await near(y, expected.y, tolerance(1e-6), 'y');
  // With two values a channel the gradient is what is left of two nearly equal numbers.
  await near(x.grad, expected.dx, shape[0] === 2 && shape.length === 2 ? 1e-2 : tolerance(3e-6), 'dx');
  await near(weight.grad, expected.dweight, 3e-6, 'dweight');
  await near(bias.grad, expected.dbias, 3e-6, 'dbias');
  if (residual) await near(residual.grad, expected.dresidual, 1e-7, 'dresidual');
  const moved = (before: number, batch: Float64Array) => batch.map((value) => 0.75 * before + 0.25 * value);
  await near(runningMean, moved(0.5, expected.means), 1e-6, 'running mean');
  await near(runningVar, moved(2, expected.unbiased), 1e-6, 'running variance');
}

needs('shader-f16')('f16 images, to their rounding; parameters and statistics are as exact as ever', async () => {
  for (const shape of shapes.filter(([rows]) => rows !== 2)) {
    for (const fused of [false, true]) await trainingMatches(engine, shape, fused, fused, 'f16');
  }
  const parameters = () => ({
    weight: engine.ones([4]),
    bias: engine.zeros([4]),
    runningMean: engine.tensor([1, 2, 3, 4]),
    runningVar: engine.tensor([1, 4, 1, 4]),
    training: false,
  });
  const y = batchNorm(engine.full([3, 4], 5, 'f16'), { ...parameters(), eps: 0 });
  assert.equal([...(await y.data())].slice(0, 4), [4, 1.5, 2, 0.5]);
  const message = (fn: () => unknown) => errorOf(fn).message;
  assert.match(
    message(() => batchNorm(engine.ones([3, 4], 'f16'), { ...parameters(), residual: engine.ones([3, 4]) })),
    /batchNorm: takes f32 or f16, the same .* f16, f32/,
  );
  assert.match(
    message(() => batchNorm(engine.ones([3, 4], 'f16'), { ...parameters(), weight: engine.ones([4], 'f16') })),
    /weight is f16; parameters and statistics must be f32/,
  );
});

for (const shape of shapes) {
  for (const [withResidual, relu] of [
    [false, false],
    [true, true],
    [true, false],
    [false, true],
  ] as const) {
    if (shape.length !== 4 && withResidual !== relu) continue;
    test(`training on ${shape.join('×')}${withResidual ? ' + residual' : ''}${relu ? ' + relu' : ''}`, () =>
      trainingMatches(engine, shape, withResidual, relu));
  }
}

test('the walk of the other kind of adapter gives the same', async () => {
  const kind = engine.adapterKind === 'software' ? 'hardware' : 'software';
  const other = Engine.from(engine.device, { kind });
  for (const shape of shapes) await trainingMatches(other, shape, true, true);
  await other.destroy();
});

test('a mean a thousand times the deviation keeps its digits', async () => {
  const shape = [16, 15, 15, 6];
  const size = 16 * 15 * 15 * 6;
  const given = {
    x: uniform(size, 7, -1.7, 1.7).map((v, i) => v + [1000, -1000, 0, 5000, 1000, 1e5][i % 6]!),
    weight: uniform(6, 8, 0.5, 1.5),
    bias: uniform(6, 9),
    dy: uniform(size, 10),
  };
  const expected = reference(given);
  const x = leaf(given.x, shape);
  const weight = leaf(given.weight, [6]);
  const y = batchNorm(x, {
    weight,
    bias: engine.tensor(given.bias),
    runningMean: engine.zeros([6]),
    runningVar: engine.ones([6]),
    training: true,
  });
  backward(y, engine.tensor(given.dy, shape));
  await near(y, expected.y, 1e-6, 'y');
  await near(x.grad, expected.dx, 3e-6, 'dx');
  await near(weight.grad, expected.dweight, 3e-6, 'dweight');
});

test('a mean that is nearly zero keeps its digits too', async () => {
  const values = uniform(32768 * 4, 22);
  const { means } = reference({
    x: values,
    weight: new Float32Array(4),
    bias: new Float32Array(4),
    dy: new Float32Array(values.length),
  });
  const runningMean = engine.zeros([4]);
  const [weight, bias, runningVar] = [engine.ones([4]), engine.zeros([4]), engine.ones([4])];
  const x = engine.tensor(values, [32768, 4]);
  batchNorm(x, { weight, bias, runningMean, runningVar, training: true, momentum: 1 });
  await near(runningMean, means, 3e-6);
});

test('a channel of one value only normalises to its bias', async () => {
  const y = batchNorm(engine.full([4, 3, 2], 7), {
    weight: engine.ones([2]),
    bias: engine.tensor([0.5, -1]),
    runningMean: engine.zeros([2]),
    runningVar: engine.ones([2]),
    training: true,
  });
  assert.equal([...(await y.data())].slice(0, 4), [0.5, -1, 0.5, -1]);
});

for (const c of [4, 3]) {
  test(`inference on ${c} channels uses the running statistics, leaves them alone and has a gradient`, async () => {
    const shape = [2, 3, 3, c];
    const size = 18 * c;
    const values = uniform(size, 11);
    const dyValues = uniform(size, 12);
    const x = leaf(values, shape);
    const weight = leaf(uniform(c, 13, 0.5, 2), [c]);
    const bias = leaf(uniform(c, 14), [c]);
    const residual = leaf(uniform(size, 17), shape);
    const runningMean = engine.tensor(uniform(c, 15));
    const runningVar = engine.tensor(uniform(c, 16, 0.5, 2));
    const y = batchNorm(x, { weight, bias, runningMean, runningVar, training: false, relu: true, residual });
    backward(y, engine.tensor(dyValues, shape));
    const [w, b, m, v] = await Promise.all([weight, bias, runningMean, runningVar].map((t) => t.data()));
    const r = await residual.data();
    const hat = [...values].map((value, i) => (value - m![i % c]!) / Math.sqrt(v![i % c]! + 1e-5));
    const expected = hat.map((h, i) => Math.max(0, h * w![i % c]! + b![i % c]! + r[i]!));
    const g = [...dyValues].map((dy, i) => (expected[i]! > 0 ? dy : 0));
    const perChannel = (list: number[]) =>
      Array.from({ length: c }, (_, k) => list.reduce((s, e, i) => s + (i % c === k ? e : 0), 0));
    await near(y, expected, 1e-6, 'y');
    await near(
      x.grad,
      g.map((e, i) => (e * w![i % c]!) / Math.sqrt(v![i % c]! + 1e-5)),
      1e-6,
      'dx',
    );
    await near(residual.grad, g, 1e-7, 'dresidual');
    await near(weight.grad, perChannel(g.map((e, i) => e * hat[i]!)), 3e-6, 'dweight');
    await near(bias.grad, perChannel(g), 3e-6, 'dbias');
    await near(runningMean, uniform(c, 15), 0, 'running mean');
    await near(runningVar, uniform(c, 16, 0.5, 2), 0, 'running variance');
  });
}

/** Inference on 3 rows of c channels, the first value of x or of the residual NaN; with the gradient of x. */
async function withNaN(c: number, dtype: DType, where: 'x' | 'residual') {
  const values = { x: new Float32Array(3 * c).fill(2), residual: new Float32Array(3 * c).fill(-1) };
  values[where][0] = Number.NaN;
  const [x, residual] = [engine.tensor(values.x, [3, c], dtype), engine.tensor(values.residual, [3, c], dtype)];
  x.requiresGrad = residual.requiresGrad = true;
  const [weight, bias, runningVar] = [engine.ones([c]), engine.zeros([c]), engine.ones([c])];
  const options = { weight, bias, runningMean: engine.zeros([c]), runningVar };
  const y = batchNorm(x, { ...options, residual, relu: true, training: false, eps: 0 });
  backward(y, engine.full([3, c], 5, dtype));
  const trained = batchNorm(x, { ...options, residual, relu: true, training: true });
  return Promise.all([y, x.grad!, residual.grad!, trained].map(async (t) => [...(await t.data())]));
}

async function carriesNaN(dtype: DType): Promise<void> {
  for (const c of [3, 4]) {
    const rest = new Array<number>(3 * c - 1);
    for (const where of ['x', 'residual'] as const) {
      const [y, dx, dresidual, trained] = await withNaN(c, dtype, where);
      assert.equal(y, [Number.NaN, ...rest.fill(1)], `${where} of ${c} channels`);
      assert.equal(dx, [5, ...rest.fill(5)]);
      assert.equal(dresidual, dx);
      // The batch's statistics carry it to the whole channel.
      const lost = trained!.map((v, i) => (Number.isNaN(v) ? i : -1)).filter((i) => i >= 0);
      assert.equal(lost, where === 'x' ? [0, c, 2 * c] : [0]);
    }
  }
}

test('NaN passes the fused ReLU and the shortcut, and so does its gradient', () => carriesNaN('f32'));
(supportsF16(engine) ? test : test.skip)('NaN passes in f16 too', () => carriesNaN('f16'));

test('only what requires a gradient gets one', async () => {
  const weight = leaf([1, 1], [2]);
  const options = {
    weight,
    bias: engine.zeros([2]),
    runningMean: engine.zeros([2]),
    runningVar: engine.ones([2]),
    training: true,
  };
  const x = engine.tensor(uniform(12, 18), [6, 2]);
  batchNorm(x, options).square().sum().backward();
  assert.ok(weight.grad);
  assert.is(x.grad, null);
  const residual = leaf(uniform(12, 19), [6, 2]);
  batchNorm(x, { ...options, weight: engine.ones([2]), residual, relu: true })
    .sum()
    .backward();
  const expected = reference({
    x: uniform(12, 18),
    weight: Float32Array.of(1, 1),
    bias: new Float32Array(2),
    dy: new Float32Array(12).fill(1),
    residual: uniform(12, 19),
    relu: true,
  });
  await near(residual.grad, expected.dresidual, 0);
});

test('two runs give the same bits', async () => {
  const run = async () => {
    const x = leaf(uniform(8192 * 7, 20), [8192, 7]);
    const weight = leaf(uniform(7, 21), [7]);
    const statistics = { runningMean: engine.zeros([7]), runningVar: engine.ones([7]) };
    const y = batchNorm(x, { weight, bias: engine.zeros([7]), ...statistics, training: true, relu: true });
    y.square().mean().backward();
    return Promise.all([y, x.grad!, weight.grad!].map((t: Tensor) => t.data()));
  };
  assert.equal(await run(), await run());
});

test('what does not fit is refused', () => {
  const c3 = engine.zeros([3]);
  const options = { weight: c3, bias: c3, runningMean: c3, runningVar: c3, training: true };
  const message = (fn: () => unknown) => errorOf(fn).message;
  assert.match(
    message(() => batchNorm(engine.zeros([1, 1, 1, 3]), options)),
    /batchNorm: x of shape \[1, 1, 1, 3\] has one value a channel.*batch of at least two/,
  );
  assert.match(
    message(() => batchNorm(engine.zeros([4, 5]), options)),
    /weight has shape \[3\].*needs \[5\]/,
  );
  assert.match(
    message(() => batchNorm(engine.zeros([3]), options)),
    /at least \[batch, channels\]/,
  );
  assert.match(
    message(() => batchNorm(engine.zeros([2, 3], 'i32'), options)),
    /takes f32 or f16.*i32/,
  );
  assert.match(
    message(() => batchNorm(engine.zeros([2, 3]), { ...options, residual: engine.zeros([3]) })),
    /residual has shape \[3\], x \[2, 3\]/,
  );
  assert.is(batchNorm(engine.zeros([1, 3]), { ...options, training: false }).size, 3);
});

test.run();
