/** NaN and ∞ through matrix products and convolutions, forward and backward, by every variant: they go where they belong, and nowhere else. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { conv2d, matmul, type Tensor } from '../src/index.ts';
import { tapFamily } from '../src/ops/conv2d/taps/family.ts';
import { weightFamily } from '../src/ops/conv2d/weights/family.ts';
import { matmulFamily } from '../src/ops/matmul/family.ts';
import { addWideVariants } from '../src/ops/matmul/wide-variants.ts';
import { preferVariant, variantsOf } from '../src/ops/variants/kernel-variants.ts';
import { type ConvCase, convForward, convGradients, image, outputSize, product } from './support/conv-reference.ts';
import { engine, leaf, uniform } from './support/engine.ts';

addWideVariants(engine);

const BAD = [Infinity, Number.NaN];

/** With the first number, one in the middle and the last one not finite: kernels repeat what lies at the ends. */
function spoilt(values: Float32Array, bad: number): Float32Array {
  const copy = values.slice();
  for (const at of [0, Math.floor(values.length / 2), values.length - 1]) copy[at] = bad;
  return copy;
}

/** Whether a number is one of those that may be; finite ones to f32's rounding. */
function isAmong(value: number, expected: readonly number[]): boolean {
  return expected.some((e) =>
    Number.isFinite(e) ? Math.abs(value - e) <= 1e-4 * Math.max(1, Math.abs(e)) : Object.is(value, e),
  );
}

/**
 * @param references what may be: zeros outside of an image count for nothing, or are multiplied by weights and gradients, which makes
 * NaN of ∞. PyTorch's own kernels differ in it.
 */
async function agrees(actual: Tensor | null, references: readonly ArrayLike<number>[], what: string): Promise<void> {
  const values = await actual!.data();
  const wrong = [...values].flatMap((value, i) => {
    const expected = references.map((reference) => reference[i]!);
    return isAmong(value, expected) ? [] : [`${i}: ${value}, not ${expected[0]}`];
  });
  assert.equal(wrong.slice(0, 5), [], what);
}

/** Calls `run` with each of the arrays not finite in turn. */
async function inTurn(
  arrays: readonly Float32Array[],
  run: (given: readonly Float32Array[], what: string) => Promise<void>,
): Promise<void> {
  for (const which of arrays.keys()) {
    for (const bad of BAD) {
      const given = arrays.map((values, i) => (i === which ? spoilt(values, bad) : values));
      await run(given, `operand ${which} with ${bad}`);
    }
  }
}

const products: readonly [m: number, k: number, n: number][] = [
  [1, 3, 1],
  [3, 9, 5],
  [17, 27, 33],
  [16, 8, 8],
  [7, 20, 44],
  [5, 1003, 3],
];

for (const { name } of variantsOf(engine, matmulFamily)) {
  test(`matmul, ${name}`, async () => {
    preferVariant(engine, 'matmul', name);
    for (const [m, k, n] of products) {
      for (const [aT, bT] of [
        [false, false],
        [true, true],
      ] as const) {
        await inTurn([uniform(m * k, 1), uniform(k * n, 2), uniform(m * n, 3)], async (given, bad) => {
          const [a, b, dc] = given as [Float32Array, Float32Array, Float32Array];
          const what = `${m}×${k}×${n}${aT ? ' transposed' : ''}, ${bad}`;
          const [ta, tb] = [leaf(a, aT ? [k, m] : [m, k]), leaf(b, bT ? [n, k] : [k, n])];
          const c = matmul(ta, tb, { transposeA: aT, transposeB: bT });
          c.backward(engine.tensor(dc, [m, n]));
          const da = aT ? product(k, n, m, b, dc, bT, true) : product(m, n, k, dc, b, false, !bT);
          const db = bT ? product(n, m, k, dc, a, true, aT) : product(k, m, n, a, dc, !aT, false);
          await agrees(c, [product(m, k, n, a, b, aT, bT)], `${what}: c`);
          await agrees(ta.grad, [da], `${what}: da`);
          await agrees(tb.grad, [db], `${what}: db`);
        });
      }
    }
    preferVariant(engine, 'matmul', null);
  });
}

const cases: readonly ConvCase[] = [
  image([1, 1, 4], [1, 1], [1, 3], [1, 1], [0, 1]),
  image([2, 5, 7], [3, 8], [3, 3], [1, 1], [1, 1]), // channels of zeros behind the source's
  image([1, 5, 9], [5, 6], [3, 3], [1, 1], [1, 1]),
  image([1, 6, 11], [4, 12], [3, 3], [2, 2], [1, 1]),
  image([1, 7, 9], [8, 8], [3, 3], [1, 1], [0, 0]), // what is right of the last position is still in the image
  image([1, 6, 8], [3, 8], [3, 3], [1, 1], [1, 1]),
  image([1, 7, 9], [4, 8], [3, 3], [1, 1], [2, 2], { dilation: [2, 2] }),
  image([1, 6, 5], [2, 3], [2, 4], [4, 3], [1, 1]),
  image([2, 5, 5], [7, 9], [1, 1], [1, 1], [0, 0]),
  image([1, 6, 9], [8, 8], [3, 3], [1, 1], [0, 0], { groups: 8 }),
  image([1, 6, 7], [3, 3], [3, 3], [1, 1], [1, 1], { groups: 3 }),
  image([1, 6, 9], [8, 16], [3, 3], [2, 2], [0, 0], { groups: 2 }),
  image([1, 6, 9], [6, 6], [3, 3], [1, 1], [0, 1], { groups: 2 }),
];

const names = [tapFamily, weightFamily].flatMap((family) => variantsOf(engine, family as typeof tapFamily));
for (const name of new Set(names.map((variant) => variant.name))) {
  test(`conv2d, ${name}`, async () => {
    preferVariant(engine, 'conv2d', name);
    for (const c of cases) {
      const { stride, padding, dilation = [1, 1], groups = 1 } = c;
      const [rows, columns] = outputSize(c);
      const sizes = [
        c.batch * c.height * c.width * c.inChannels,
        (c.kernel[0] * c.kernel[1] * c.inChannels * c.outChannels) / groups,
        c.batch * rows * columns * c.outChannels,
      ];
      await inTurn(
        sizes.map((size, i) => uniform(size, i)),
        async (given, bad) => {
          const [x, weight, dy] = given as [Float32Array, Float32Array, Float32Array];
          const what = `${JSON.stringify(c)}, ${bad}`;
          const tx = leaf(x, [c.batch, c.height, c.width, c.inChannels]);
          const tweight = leaf(weight, [...c.kernel, c.inChannels / groups, c.outChannels]);
          const y = conv2d(tx, tweight, { stride, padding, dilation, groups });
          y.backward(engine.tensor(dy, y.shape));
          const both = [false, true];
          await agrees(
            y,
            both.map((padded) => convForward(c, x, weight, undefined, padded)),
            `${what}: y`,
          );
          const gradients = both.map((padded) => convGradients(c, x, weight, dy, padded));
          await agrees(
            tx.grad,
            gradients.map(({ dx }) => dx),
            `${what}: dx`,
          );
          await agrees(
            tweight.grad,
            gradients.map(({ dweight }) => dweight),
            `${what}: dweight`,
          );
        },
      );
    }
    preferVariant(engine, 'conv2d', null);
  });
}

test.run();
