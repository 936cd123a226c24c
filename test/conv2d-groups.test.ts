/** Convolution in groups and with dilation: every odd shape against float64, in every variant that this device can run. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ArgumentError, concat, conv2d, pad, ShapeError } from '../src/index.ts';
import { geometryOf } from '../src/ops/conv2d/geometry.ts';
import { tapFamily } from '../src/ops/conv2d/taps/family.ts';
import { forwardPass, inputGradientPasses } from '../src/ops/conv2d/taps/pass.ts';
import { preferVariant, variantsOf } from '../src/ops/variants/kernel-variants.ts';
import { checkTwice } from './support/check-twice.ts';
import { compareConv2d } from './support/compare-conv2d.ts';
import { type ConvCase, convForward, image } from './support/conv-reference.ts';
import { engine, errorOf, leaf, near, needs, uniform } from './support/engine.ts';
import { HALF_EPSILON, halves, rounded } from './support/half.ts';

test.after.each(() => preferVariant(engine, 'conv2d', null));

type Pair = [number, number];
const [one, two]: [Pair, Pair] = [
  [1, 1],
  [2, 2],
];

/** Each way the kernels take: walks that end early, between dilated ones, phases with other taps, groups of one, four, eight and odd channels. */
const chosen: ConvCase[] = [
  // Depthwise.
  image([2, 9, 11], [8, 8], [3, 3], one, one, { groups: 8 }),
  image([2, 9, 11], [6, 6], [3, 3], one, one, { groups: 6 }),
  image([1, 12, 10], [36, 36], [3, 3], two, one, { groups: 36 }),
  image([1, 70, 6], [4, 4], [5, 5], two, two, { groups: 4 }),
  image([2, 20, 25], [32, 32], [3, 3], one, one, { groups: 32 }), // long walks, more than a workgroup of them
  image([1, 9, 9], [4, 4], [7, 7], one, [3, 3], { groups: 4 }),
  image([2, 7, 13], [8, 8], [2, 3], [3, 1], [1, 0], { groups: 8 }),
  image([1, 15, 17], [8, 8], [3, 3], one, two, { groups: 8, dilation: [2, 2] }),
  image([2, 16, 15], [4, 4], [3, 2], [2, 4], [3, 1], { groups: 4, dilation: [3, 6] }),
  image([1, 8, 8], [5, 5], [1, 1], [3, 2], [0, 0], { groups: 5 }), // phases without taps
  image([1, 6, 7], [4, 4], [3, 3], one, [4, 3], { groups: 4 }), // outputs that see zeros alone
  image([3, 1, 1], [12, 12], [3, 3], one, one, { groups: 12 }),
  // Groups of quads, and of other numbers of channels.
  image([2, 8, 9], [16, 16], [3, 3], one, one, { groups: 4 }),
  image([1, 7, 10], [16, 32], [3, 3], two, one, { groups: 2 }),
  image([2, 5, 6], [12, 24], [1, 1], one, [0, 0], { groups: 3 }),
  image([1, 9, 8], [24, 12], [3, 2], [1, 2], [2, 1], { groups: 3, dilation: [2, 3] }),
  image([2, 6, 5], [8, 16], [3, 3], one, one, { groups: 8 }), // a channel multiplier
  image([2, 6, 5], [9, 6], [3, 3], two, one, { groups: 3 }),
  image([1, 20, 20], [36, 40], [3, 3], one, one, { groups: 2 }),
  image([1, 5, 6], [128, 64], [3, 3], one, one, { groups: 2 }),
  // Dilation alone.
  image([2, 12, 13], [16, 16], [3, 3], one, two, { dilation: [2, 2] }),
  image([1, 16, 16], [8, 32], [3, 3], one, [4, 1], { dilation: [4, 1] }),
  image([1, 11, 14], [6, 10], [3, 3], two, one, { dilation: [3, 2] }),
  image([1, 13, 12], [20, 12], [2, 3], [6, 3], [2, 3], { dilation: [4, 6] }),
  image([2, 12, 12], [3, 16], [3, 3], one, two, { dilation: [2, 2] }), // a stem, spread
];

/** Shapes nobody thought of. */
function drawn(seed: number): ConvCase {
  let i = 0;
  const numbers = uniform(32, seed, 0, 1);
  const draw = (low: number, high: number) => low + Math.floor((numbers[i++] as number) * (high - low + 1));
  const kernel: Pair = [draw(1, 4), draw(1, 4)];
  const dilation: Pair = [draw(1, 4), draw(1, 3)];
  const groups = draw(1, 8);
  const [inGroup, outGroup] = [
    [1, 1],
    [4, 4],
    [4, 8],
    [draw(1, 5), draw(1, 5)],
  ][draw(0, 3)] as Pair;
  return image(
    [draw(1, 3), draw(10, 16), draw(8, 19)],
    [groups * inGroup, groups * outGroup],
    kernel,
    [draw(1, 4), draw(1, 3)],
    [draw(1, 4), draw(0, kernel[1])],
    { groups, dilation },
  );
}

/** Cases that a variant runs itself, forwards or backwards; in the others another one would step in, and be compared once more. */
const casesOf = (name: string) =>
  [...chosen.entries()].filter(([, c]) => {
    const { batch, height, width, inChannels, outChannels, kernel, stride, padding, dilation = one, groups = 1 } = c;
    const window = { stride, padding, dilation, groups };
    const g = geometryOf(
      [batch, height, width, inChannels],
      [...kernel, inChannels / groups, outChannels],
      window,
      'f32',
    );
    const variant = tapFamily.variants.find((known) => known.name === name);
    return [forwardPass(g), ...inputGradientPasses(g)].some((pass) => variant?.fits?.(pass, engine) ?? true);
  });

const variants = variantsOf(engine, tapFamily).flatMap(({ name }) => (casesOf(name).length > 0 ? [name] : []));
for (const name of ['depthwise', 'grouped', 'tiled']) assert.ok(variants.includes(name), `${name} is compared`);

for (const variant of variants) {
  test(`${variant}: groups and dilations agree with float64`, async () => {
    preferVariant(engine, 'conv2d', variant);
    for (const [i, c] of casesOf(variant)) await compareConv2d(c, 10 * i, JSON.stringify(c));
  });
}

test('any groups, dilation, stride and padding agree with float64', async () => {
  for (let seed = 0; seed < 12; seed++) {
    const c = drawn(seed);
    await compareConv2d(c, 1000 + 10 * seed, JSON.stringify(c));
  }
});

for (const variant of variants.filter((name) => name !== 'blocks')) {
  needs('shader-f16')(`${variant}: groups and dilations in f16 agree with float64 to their rounding`, async () => {
    preferVariant(engine, 'conv2d', variant);
    // Only loads and stores differ: every third case has them all, and each compiles kernels of its own.
    const some = casesOf(variant).filter((_, at) => at % 3 === 0);
    for (const [i, c] of some) await compareConv2d(c, 10 * i, JSON.stringify(c), 'f16');
  });
}

needs('shader-f16')('a few f16 weights, of fewer bytes than a quad of f32, do without a bias', async () => {
  for (const c of [
    image([1, 2, 2], [4, 4], [1, 1], one, [0, 0], { groups: 4 }),
    image([1, 2, 4], [1, 2], [1, 1], one, [1, 0]), // a stem
  ]) {
    const { batch, height, width, inChannels, outChannels, kernel, stride, padding, groups = 1 } = c;
    const [x, weight] = [rounded(uniform(batch * height * width * inChannels, 1)), rounded(uniform(outChannels, 2))];
    const y = conv2d(
      halves(x, [batch, height, width, inChannels]),
      halves(weight, [...kernel, inChannels / groups, outChannels]),
      { stride, padding, groups },
    );
    await near(y, convForward(c, x, weight), HALF_EPSILON);
  }
});

test('groups are convolutions of their own, side by side', async () => {
  const x = leaf(uniform(2 * 5 * 6 * 8, 1), [2, 5, 6, 8]);
  const weight = leaf(uniform(9 * 4 * 8, 2), [3, 3, 4, 8]);
  const whole = conv2d(x, weight, { padding: 1, groups: 2 });
  const parts = [0, 1].map((group) => {
    const channels: [number, number] = [4 * group, 4 * group + 4];
    return conv2d(x.slice([null, null, null, channels]), weight.slice([null, null, null, channels]), { padding: 1 });
  });
  await near(whole, await concat(parts, 3).data(), 1e-6);
});

test('`same` keeps the size, with the odd zero below and to the right; `valid` pads nothing', async () => {
  const x = engine.tensor(uniform(7 * 8 * 4, 1), [1, 7, 8, 4]);
  for (const [kernel, dilation, before, behind] of [
    [[3, 3], one, one, one],
    [[4, 1], one, [1, 0], [2, 0]],
    [
      [2, 3],
      [3, 2],
      [1, 2],
      [2, 2],
    ],
  ] as Pair[][] as [Pair, Pair, Pair, Pair][]) {
    const weight = engine.tensor(uniform(kernel[0] * kernel[1] * 16, 2), [...kernel, 4, 4]);
    const same = conv2d(x, weight, { padding: 'same', dilation });
    assert.equal(same.shape, [1, 7, 8, 4]);
    // What is behind as zeros in the images.
    const wide = pad(x, [[0, 0], ...before.map((n, i) => [n, behind[i] as number] as Pair), [0, 0]]);
    const valid = conv2d(wide, weight, { padding: 'valid', dilation });
    await near(same, await valid.data(), 1e-6, String(kernel));
  }
});

for (const more of [
  { groups: 4, dilation: one, stride: two },
  { groups: 2, dilation: [2, 1] as Pair, stride: one },
  { groups: 1, dilation: two, stride: two },
]) {
  test(`gradients and theirs agree with central differences: ${JSON.stringify(more)}`, async () => {
    const { groups, stride, dilation } = more;
    const shape = image([2, 4, 5], [8, 8], [3, 2], stride, two, { groups, dilation });
    await checkTwice(
      (x, weight, bias) => {
        const y = conv2d(x!, weight!, { bias: bias!, padding: 2, ...more });
        return y.square().mul(y).sum();
      },
      (x, weight, bias) => convForward(shape, x!, weight!, bias!).reduce((total, y) => total + y ** 3, 0),
      [
        engine.tensor(uniform(320, 1), [2, 4, 5, 8]),
        engine.tensor(uniform((6 * 64) / groups, 2), [3, 2, 8 / groups, 8]),
        engine.tensor(uniform(8, 3)),
      ],
    );
  });
}

test('the same input gives the same bits', async () => {
  const x = leaf(uniform(4 * 20 * 20 * 8, 1), [4, 20, 20, 8]);
  for (const groups of [8, 2]) {
    const run = async () => {
      const weight = leaf(uniform((9 * 64) / groups, 2), [3, 3, 8 / groups, 8]);
      conv2d(x, weight, { padding: 1, groups }).sum().backward();
      return weight.grad?.data();
    };
    assert.equal(await run(), await run());
  }
});

test('settings that do not fit are refused with what would', () => {
  const x = engine.zeros([2, 8, 8, 6]);
  const wrong = (fn: () => unknown, kind: new (details: never) => Error, message: RegExp) => {
    const error = errorOf(fn);
    assert.instance(error, kind);
    assert.match(error.message, message);
  };
  const weight = (...shape: number[]) => engine.zeros(shape);
  wrong(() => conv2d(x, weight(3, 3, 1, 4), { groups: 4 }), ArgumentError, /groups is 4.*divides both 6.*and 4/);
  wrong(() => conv2d(x, weight(3, 3, 6, 6), { groups: 0 }), ArgumentError, /groups is 0/);
  wrong(() => conv2d(x, weight(3, 3, 6, 6), { groups: 2 }), ShapeError, /6 channels.*take 6 in each of 2 groups/);
  wrong(() => conv2d(x, weight(3, 3, 6, 4), { dilation: 0 }), ArgumentError, /dilation is 0/);
  wrong(() => conv2d(x, weight(3, 3, 6, 4), { dilation: 4 }), ShapeError, /spread by its dilation, is larger/);
  wrong(() => conv2d(x, weight(3, 3, 6, 4), { padding: 'same', stride: 2 }), ArgumentError, /'same' goes with strides/);
  wrong(() => conv2d(x, weight(3, 3, 6, 4), { padding: 'full' as 'same' }), ArgumentError, /padding is "full"/);
});

test.run();
