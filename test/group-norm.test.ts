import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gradcheck } from '../src/entries/testing.ts';
import {
  Engine,
  GroupNorm,
  groupNorm,
  LayerNorm,
  layerNorm,
  stateDict,
  supportsF16,
  type Tensor,
} from '../src/index.ts';
import { engine, errorOf, leaf, near, uniform } from './support/engine.ts';
import { HALF_EPSILON, halves, rounded } from './support/half.ts';

/** x as [batch, places, channels], in groups of channels, in float64. A layer norm is one place and one group. */
function reference(
  values: ArrayLike<number>,
  { batch, places, channels, groups }: { batch: number; places: number; channels: number; groups: number },
  weight: ArrayLike<number> = new Array(channels).fill(1),
  bias: ArrayLike<number> = new Array(channels).fill(0),
  eps = 1e-5,
): Float64Array {
  const out = new Float64Array(values.length);
  const width = channels / groups;
  for (let b = 0; b < batch; b++) {
    for (let g = 0; g < groups; g++) {
      const at = Array.from(
        { length: places * width },
        (_, i) => (b * places + Math.floor(i / width)) * channels + g * width + (i % width),
      );
      const mean = at.reduce((total, i) => total + values[i]!, 0) / at.length;
      const variance = at.reduce((total, i) => total + (values[i]! - mean) ** 2, 0) / at.length;
      for (const i of at) {
        out[i] = ((values[i]! - mean) / Math.sqrt(variance + eps)) * weight[i % channels]! + bias[i % channels]!;
      }
    }
  }
  return out;
}

const vectors = (on: Engine, channels: number) =>
  [on.tensor(uniform(channels, 8, 0.5, 2)), on.tensor(uniform(channels, 9))] as const;

async function layerNormMatches(on: Engine, rows: number, n: number): Promise<void> {
  const x = on.tensor(uniform(rows * n, 1, -3, 3), [rows, n]);
  const [weight, bias] = vectors(on, n);
  const view = { batch: rows, places: 1, channels: n, groups: 1 };
  await gradcheck(
    (t, w, b) => layerNorm(t, [n], { weight: w!, bias: b! }),
    (t, w, b) => reference(t!, view, w, b),
    [x, weight, bias],
    { tolerance: 2e-5 },
  );
}

async function groupNormMatches(on: Engine, shape: readonly [number, number, number, number], groups: number) {
  const [batch, height, width, channels] = shape;
  const x = on.tensor(uniform(batch * height * width * channels, 2, -3, 3), shape);
  const [weight, bias] = vectors(on, channels);
  const view = { batch, places: height * width, channels, groups };
  await gradcheck(
    (t, w, b) => groupNorm(t, groups, { weight: w!, bias: b! }),
    (t, w, b) => reference(t!, view, w, b),
    [x, weight, bias],
    { tolerance: 2e-5 },
  );
}

const LAYERS = [
  [1, 3],
  [5, 7],
  [33, 16],
  [3, 130],
  [19, 64],
] as const;
const GROUPS = [
  [[2, 3, 3, 6], 3],
  [[1, 1, 1, 6], 2],
  [[3, 4, 5, 8], 1],
  [[2, 3, 5, 8], 2],
  [[2, 1, 1, 12], 3],
  [[2, 2, 3, 5], 5],
] as const;

for (const [rows, n] of LAYERS) {
  test(`layer norm of ${rows} rows of ${n}`, () => layerNormMatches(engine, rows, n));
}
for (const [shape, groups] of GROUPS) {
  test(`group norm of ${shape.join('×')} in ${groups}`, () => groupNormMatches(engine, shape, groups));
}

test('what the other kind of adapter does is the same', async () => {
  const kind = engine.adapterKind === 'software' ? 'hardware' : 'software';
  const other = Engine.from(engine.device, { kind });
  for (const [rows, n] of LAYERS) await layerNormMatches(other, rows, n);
  for (const [shape, groups] of GROUPS) await groupNormMatches(other, shape, groups);
  await other.destroy();
});

test('several axes, or none of the parameters', async () => {
  const x = engine.tensor(uniform(24, 3), [2, 3, 4]);
  const view = { batch: 2, places: 1, channels: 12, groups: 1 };
  await gradcheck(
    (t) => layerNorm(t, [3, 4], { eps: 0.1 }),
    (t) => reference(t!, view, undefined, undefined, 0.1),
    [x],
  );
  const weight = engine.tensor(uniform(12, 4), [3, 4]);
  await gradcheck(
    (t, w) => layerNorm(t, [3, 4], { weight: w! }),
    (t, w) => reference(t!, view, w),
    [x, weight],
  );
});

test('many rows, and long ones far from zero, keep their digits', async () => {
  await gradcheck(
    (w, b) => layerNorm(engine.tensor(uniform(3000, 5), [1000, 3]), [3], { weight: w!, bias: b! }),
    (w, b) => reference(uniform(3000, 5), { batch: 1000, places: 1, channels: 3, groups: 1 }, w, b),
    [...vectors(engine, 3)],
    { tolerance: 3e-6 },
  );
  const far = uniform(40_000, 6).map((v) => 1000 + v);
  const wide = { batch: 2, places: 1, channels: 20_000, groups: 1 };
  await near(layerNorm(engine.tensor(far, [2, 20_000]), [20_000]), reference(far, wide), 1e-3);
  const near0 = uniform(40_000, 6);
  await near(layerNorm(engine.tensor(near0, [2, 20_000]), [20_000]), reference(near0, wide), 1e-6);
});

(supportsF16(engine) ? test : test.skip)('images of f16 with parameters of f32', async () => {
  const values = uniform(2 * 9 * 6, 7);
  const view = { batch: 2, places: 9, channels: 6, groups: 2 };
  const [weight, bias] = vectors(engine, 6);
  const parameters = [await weight.data(), await bias.data()] as const;
  const y = groupNorm(halves(values, [2, 3, 3, 6]), 2, { weight, bias });
  assert.is(y.dtype, 'f16');
  await near(y, reference(rounded(values), view, ...parameters), 2 * HALF_EPSILON);
  await gradcheck(
    (t) => groupNorm(t, 2, { weight, bias }),
    (t) => reference(t!, view, ...parameters),
    [halves(values, [2, 3, 3, 6])],
    { tolerance: 3 * HALF_EPSILON },
  );
});

test('more blocks of channels than a launch has along one axis', async () => {
  const n = 65535 * 8 + 9;
  const values = uniform(2 * n, 3);
  const [weight, bias] = [leaf(new Float32Array(n).fill(1), [n]), leaf(new Float32Array(n), [n])];
  const dy = uniform(2 * n, 4);
  layerNorm(engine.tensor(values, [2, n]), [n], { weight, bias }).backward(engine.tensor(dy, [2, n]));
  const normalised = reference(values, { batch: 2, places: 1, channels: n, groups: 1 });
  const total = (at: (i: number) => number) => Float64Array.from({ length: n }, (_, i) => at(i) + at(i + n));
  await near(
    weight.grad,
    total((i) => dy[i]! * normalised[i]!),
    1e-5,
  );
  await near(
    bias.grad,
    total((i) => dy[i]!),
    1e-6,
  );
});

test('the layers have PyTorch’s names, and do the same in training and inference', async () => {
  const layer = new LayerNorm(engine, [3, 4]);
  const group = new GroupNorm(engine, 2, 4, { eps: 0.5 });
  assert.equal(
    [...(await stateDict(layer))].map(([name, { shape }]) => [name, shape]),
    [
      ['weight', [3, 4]],
      ['bias', [3, 4]],
    ],
  );
  assert.equal([...(await stateDict(group)).keys()], ['weight', 'bias']);
  assert.equal([...new GroupNorm(engine, 2, 4, { affine: false }).namedTensors()], []);
  const x = engine.tensor(uniform(24, 11), [2, 3, 4]);
  const values = await x.data();
  const check = async (y: Tensor, eps: number, groups: number, places: number) =>
    near(y, reference(values, { batch: 2, places, channels: 12 / places, groups }, undefined, undefined, eps), 1e-6);
  for (const mode of [true, false]) {
    await check(layer.train(mode).forward(x), 1e-5, 1, 1);
    await check(group.train(mode).forward(x), 0.5, 2, 3);
  }
});

test('shapes and groups that do not fit are refused', () => {
  const x = engine.zeros([2, 3, 4]);
  const told = (fn: () => unknown) => errorOf(fn).message;
  assert.match(
    told(() => layerNorm(x, [3])),
    /layerNorm: x has shape \[2, 3, 4\]; its last axes must be \[3\]/,
  );
  assert.match(
    told(() => layerNorm(x, [])),
    /at least one/,
  );
  assert.match(
    told(() => layerNorm(x, [4], { weight: engine.zeros([3]) })),
    /weight has shape \[3\]; .* needs \[4\]/,
  );
  assert.match(
    told(() => layerNorm(x, [4], { bias: engine.zeros([4], 'i32') })),
    /bias is i32; it must be f32/,
  );
  assert.match(
    told(() => groupNorm(x, 3)),
    /3 groups do not divide the 4 channels/,
  );
  assert.match(
    told(() => groupNorm(engine.zeros([4]), 1)),
    /takes \[n, …, channels\], not \[4\]/,
  );
  assert.match(
    told(() => layerNorm(engine.zeros([4], 'i32'), [4])),
    /takes f32 or f16/,
  );
  assert.match(
    told(() => new GroupNorm(engine, 3, 4)),
    /3 groups do not divide 4 channels/,
  );
  assert.match(
    told(() => new LayerNorm(engine, [3, 0])),
    /size 1 must be a whole number of at least 1, not 0/,
  );
});

test.run();
