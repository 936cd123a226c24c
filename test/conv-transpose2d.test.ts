/** Transposed convolution: PyTorch's formula term by term in float64, both gradients, in every variant that this device can run. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ArgumentError, ConvTranspose2d, convTranspose2d, loadStateDict, ShapeError, stateDict } from '../src/index.ts';
import { tapFamily } from '../src/ops/conv2d/taps/family.ts';
import { preferVariant, variantsOf } from '../src/ops/variants/kernel-variants.ts';
import { checkTwice } from './support/check-twice.ts';
import { engine, errorOf, leaf, near, needs, uniform } from './support/engine.ts';
import { HALF_EPSILON, halfLeaf, rounded } from './support/half.ts';

test.after.each(() => preferVariant(engine, 'conv2d', null));

type Pair = readonly [number, number];

interface Case {
  /** [n, height, width, in] */
  x: readonly [number, number, number, number];
  outChannels: number;
  kernel: Pair;
  stride?: Pair;
  padding?: Pair;
  outputPadding?: Pair;
  dilation?: Pair;
  groups?: number;
}

/** Every pixel of x adds its share of the kernel to the output; what falls outside of it is lost. Sizes by PyTorch's formula. */
function scattered(c: Case) {
  const { stride = [1, 1], padding = [0, 0], outputPadding = [0, 0], dilation = [1, 1], groups = 1 } = c;
  const [n, height, width, inChannels] = c.x;
  const side = (i: 0 | 1) =>
    (c.x[i + 1]! - 1) * stride[i] - 2 * padding[i] + dilation[i] * (c.kernel[i] - 1) + outputPadding[i] + 1;
  const shape = [n, side(0), side(1), c.outChannels] as const;
  const [inGroup, outGroup] = [inChannels / groups, c.outChannels / groups];
  const terms: [y: number, x: number, weight: number][] = [];
  for (let image = 0; image < n; image++)
    for (let i = 0; i < height; i++)
      for (let j = 0; j < width; j++)
        for (let a = 0; a < c.kernel[0]; a++)
          for (let b = 0; b < c.kernel[1]; b++) {
            const row = i * stride[0] + a * dilation[0] - padding[0];
            const column = j * stride[1] + b * dilation[1] - padding[1];
            if (row < 0 || row >= shape[1] || column < 0 || column >= shape[2]) continue;
            for (let p = 0; p < inChannels; p++)
              for (let q = 0; q < outGroup; q++)
                terms.push([
                  ((image * shape[1] + row) * shape[2] + column) * c.outChannels +
                    Math.floor(p / inGroup) * outGroup +
                    q,
                  ((image * height + i) * width + j) * inChannels + p,
                  ((a * c.kernel[1] + b) * outGroup + q) * inChannels + p,
                ]);
          }
  return { shape, terms, weightShape: [...c.kernel, outGroup, inChannels] };
}

async function compare(c: Case, seed: number, half = false): Promise<void> {
  const { shape, terms, weightShape } = scattered(c);
  const what = JSON.stringify(c);
  const count = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1);
  const draw = (n: number, stream: number) => (half ? rounded(uniform(n, stream)) : uniform(n, stream));
  const [x, weight, dy] = [draw(count(c.x), seed), draw(count(weightShape), seed + 1), draw(count(shape), seed + 2)];
  const bias = uniform(c.outChannels, seed + 3);
  const [tx, tweight, tbias] = [
    (half ? halfLeaf : leaf)(x, c.x),
    leaf(weight, weightShape),
    leaf(bias, [c.outChannels]),
  ];
  const { x: _, outChannels: __, kernel: ___, ...options } = c;
  const y = convTranspose2d(tx, tweight, { bias: tbias, ...options });
  assert.equal(y.shape, [...shape], what);
  y.backward(engine.tensor(dy, shape, y.dtype));
  const expected = {
    y: Float64Array.from(dy, (_, i) => bias[i % c.outChannels]!),
    dx: new Float64Array(x.length),
    dweight: new Float64Array(weight.length),
    dbias: new Float64Array(c.outChannels),
  };
  for (const [iy, ix, iw] of terms) {
    expected.y[iy]! += x[ix]! * weight[iw]!;
    expected.dx[ix]! += dy[iy]! * weight[iw]!;
    expected.dweight[iw]! += dy[iy]! * x[ix]!;
  }
  for (const [i, d] of dy.entries()) expected.dbias[i % c.outChannels]! += d;
  const tolerance = half ? HALF_EPSILON : 1e-5;
  await near(y, expected.y, tolerance, `${what}: y`);
  await near(tx.grad, expected.dx, tolerance, `${what}: dx`);
  await near(tweight.grad, expected.dweight, 1e-5, `${what}: dweight`);
  await near(tbias.grad, expected.dbias, 1e-5, `${what}: dbias`);
}

const cases: Case[] = [
  { x: [2, 5, 6, 8], outChannels: 16, kernel: [3, 3] },
  { x: [2, 4, 5, 16], outChannels: 8, kernel: [4, 4], stride: [2, 2], padding: [1, 1] }, // the usual doubling
  { x: [1, 4, 5, 6], outChannels: 5, kernel: [3, 3], stride: [2, 2], padding: [1, 1], outputPadding: [1, 1] },
  { x: [1, 5, 3, 3], outChannels: 4, kernel: [2, 3], stride: [3, 2], padding: [0, 1], outputPadding: [2, 0] },
  { x: [2, 3, 4, 4], outChannels: 8, kernel: [1, 1], stride: [2, 3] }, // pixels between which is the bias alone
  { x: [1, 4, 4, 8], outChannels: 8, kernel: [3, 2], dilation: [2, 3], outputPadding: [1, 2], stride: [2, 1] },
  { x: [1, 5, 5, 8], outChannels: 8, kernel: [3, 3], stride: [2, 2], padding: [1, 1], groups: 8 },
  { x: [1, 5, 4, 8], outChannels: 16, kernel: [3, 3], stride: [2, 1], padding: [1, 0], groups: 2 },
  { x: [2, 3, 3, 6], outChannels: 4, kernel: [3, 3], padding: [2, 2], dilation: [2, 2], groups: 2 },
];

for (const { name } of variantsOf(engine, tapFamily)) {
  test(`${name}: outputs and gradients agree with float64`, async () => {
    preferVariant(engine, 'conv2d', name);
    for (const [i, c] of cases.entries()) await compare(c, 10 * i);
  });
}

needs('shader-f16')('in f16 they agree to its rounding', async () => {
  for (const [i, c] of cases.entries()) await compare(c, 10 * i, true);
});

test('gradients of gradients agree with central differences', async () => {
  const c: Case = { x: [1, 3, 4, 4], outChannels: 6, kernel: [3, 2], stride: [2, 1], padding: [1, 0], groups: 2 };
  const { shape, terms, weightShape } = scattered(c);
  await checkTwice(
    (x, weight, bias) => {
      const y = convTranspose2d(x!, weight!, { bias: bias!, stride: [2, 1], padding: [1, 0], groups: 2 });
      return y.square().mul(y).sum();
    },
    (x, weight, bias) => {
      const y = Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => bias![i % 6]!);
      for (const [iy, ix, iw] of terms) y[iy]! += x![ix]! * weight![iw]!;
      return y.reduce((total, value) => total + value ** 3, 0);
    },
    [engine.tensor(uniform(48, 1), c.x), engine.tensor(uniform(72, 2), weightShape), engine.tensor(uniform(6, 3))],
  );
});

test('the layer has PyTorch’s shapes, and its weights come and go in PyTorch’s order', async () => {
  const layer = new ConvTranspose2d(engine, 6, 4, [2, 3], { stride: 2, outputPadding: [1, 0], groups: 2 });
  const state = await stateDict(layer);
  assert.equal(
    [...state].map(([name, { shape }]) => [name, [...shape]]),
    [
      ['weight', [6, 2, 2, 3]],
      ['bias', [4]],
    ],
  );
  // PyTorch's element [in 5, out 1, row 0, column 2] is ours at [0, 2, 1, 5].
  const numbered = Float32Array.from({ length: 72 }, (_, i) => i);
  loadStateDict(layer, new Map([...state, ['weight', { shape: [6, 2, 2, 3], data: numbered }]]));
  assert.is((await layer.weight.data())[2 * 12 + 1 * 6 + 5], ((5 * 2 + 1) * 2 + 0) * 3 + 2);
  assert.equal(layer.forward(engine.zeros([1, 5, 5, 6])).shape, [1, 11, 11, 4]);
  const [bound, bias] = [1 / Math.sqrt(2 * 6), await layer.bias!.data()];
  assert.ok(bias.every((value) => Math.abs(value) <= bound));
});

test('what does not fit is refused with what would', () => {
  const x = engine.zeros([1, 4, 4, 6]);
  const wrong = (fn: () => unknown, kind: new (details: never) => Error, message: RegExp) => {
    const error = errorOf(fn);
    assert.instance(error, kind);
    assert.match(error.message, message);
  };
  const weight = engine.zeros([3, 3, 4, 6]);
  wrong(() => convTranspose2d(x, engine.zeros([3, 3, 6, 4])), ShapeError, /6 channels.*take 4/);
  wrong(() => convTranspose2d(engine.zeros([4, 4, 6]), weight), ShapeError, /\[4, 4, 6\]/);
  wrong(() => convTranspose2d(x, weight, { outputPadding: 1 }), ArgumentError, /outputPadding is \[1, 1\]; less than/);
  wrong(() => convTranspose2d(x, weight, { padding: 3 }), ShapeError, /leaves nothing/);
  wrong(() => convTranspose2d(x, weight, { groups: 4 }), ArgumentError, /groups is 4/);
  wrong(() => convTranspose2d(x, weight, { bias: engine.zeros([6]) }), ShapeError, /needs \[4\]/);
  wrong(() => new ConvTranspose2d(engine, 6, 4, 3, { stride: 0 }), ArgumentError, /stride is 0/);
});

test.run();
