/** Convolution: PyTorch's values, every odd shape, all three gradients, in every variant that this device can run. */

import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ArgumentError, conv2d, DTypeError, ShapeError, type Tensor } from '../src/index.ts';
import { readSafetensors, type SafetensorsEntry } from '../src/nn/safetensors.ts';
import { tapFamily } from '../src/ops/conv2d/taps/family.ts';
import { preferVariant, variantsOf } from '../src/ops/variants/kernel-variants.ts';
import { compareConv2d as compare } from './support/compare-conv2d.ts';
import {
  type ConvCase,
  centralDifferences,
  convForward,
  convGradients,
  image,
  outputSize,
} from './support/conv-reference.ts';
import { engine, errorOf, leaf, near, needs, uniform } from './support/engine.ts';
import { HALF_EPSILON, halfLeaf, halves, rounded } from './support/half.ts';

const variants = variantsOf(engine, tapFamily).map((variant) => variant.name);
/** Those that read and write f16. */
const halfVariants = variants.filter((variant) => variant !== 'blocks');

test.after.each(() => {
  preferVariant(engine, 'conv2d', null);
  preferVariant(engine, 'matmul', null);
});

/** One of each way the kernels take: full and ragged runs, wide and narrow channels, phases without taps. */
const chosen: ConvCase[] = [
  image([2, 16, 16], [16, 16], [3, 3], [1, 1], [1, 1]),
  image([3, 8, 8], [32, 24], [3, 3], [1, 1], [1, 1]),
  image([2, 7, 15], [9, 17], [3, 3], [1, 1], [1, 1]),
  image([2, 16, 16], [16, 32], [3, 3], [2, 2], [1, 1]),
  image([3, 14, 13], [3, 16], [3, 3], [1, 1], [1, 1]),
  image([3, 14, 14], [1, 8], [3, 3], [1, 1], [1, 1]),
  image([2, 9, 9], [12, 20], [1, 1], [2, 2], [0, 0]),
  image([3, 7, 9], [12, 20], [3, 3], [1, 1], [1, 1]), // in quads of channels, but not in whole blocks of them
  image([2, 7, 9], [6, 20], [3, 3], [2, 1], [1, 1]), // more than a quad, but not in quads
  image([2, 10, 7], [20, 44], [3, 2], [2, 1], [1, 0]),
  image([2, 9, 9], [12, 20], [1, 1], [1, 1], [0, 0]),
  image([2, 9, 9], [12, 20], [1, 1], [1, 1], [1, 1]),
  image([1, 15, 13], [3, 8], [7, 7], [2, 2], [3, 3]),
  image([2, 5, 11], [10, 3], [3, 2], [3, 1], [0, 2]),
  image([1, 6, 5], [2, 3], [2, 4], [4, 3], [1, 1]),
  image([1, 3, 3], [5, 4], [3, 3], [1, 1], [0, 0]),
  image([1, 1, 1], [1, 1], [1, 1], [5, 5], [0, 0]),
  image([1, 4, 9], [8, 8], [3, 3], [1, 1], [3, 3]),
  image([8, 5, 6], [32, 32], [3, 3], [1, 1], [1, 1]), // the weight gradient's splits go on into the next image
  image([4, 64, 65], [2, 3], [3, 2], [1, 1], [1, 1]), // positions enough for the largest workgroups
  // What neighbours in a row see alike, by 3 and by 2 tap columns, in strided rows and beyond the last position.
  image([1, 9, 24], [8, 16], [3, 3], [2, 1], [1, 1]),
  image([3, 3, 9], [8, 12], [2, 2], [1, 1], [0, 0]),
  image([1, 11, 13], [8, 8], [3, 3], [3, 3], [1, 1]), // more phases than one launch makes
  // Stems: a span of positions, spans that end early, several workgroups of target channels, splits that end in an image.
  image([2, 8, 32], [3, 16], [3, 3], [1, 1], [1, 1]),
  image([3, 5, 36], [3, 10], [3, 3], [1, 1], [1, 1]),
  image([1, 6, 28], [1, 8], [5, 5], [1, 1], [2, 2]),
  image([2, 7, 12], [2, 34], [3, 3], [2, 1], [0, 1]),
  image([1, 9, 8], [1, 6], [2, 5], [1, 1], [0, 0]),
  image([1, 6, 8], [4, 12], [2, 3], [1, 1], [0, 1]),
  image([2, 3, 4], [5, 2], [3, 1], [1, 1], [2, 0]),
  image([8, 20, 8], [3, 4], [3, 3], [1, 1], [1, 1]),
  // Strips: two of 13 columns with a place to spare, or five of 5; several in an image, in a row that no number divides.
  image([2, 4, 25], [8, 12], [3, 3], [1, 1], [1, 1]),
  image([1, 3, 37], [4, 8], [2, 3], [1, 1], [1, 0]),
  image([1, 3, 16], [8, 1], [3, 3], [1, 1], [1, 1]), // whose input gradient comes from one channel
];

/** A residual branch of every kind sends its gradient first: the convolution's is added to it, or must not be. */
const branches: Record<string, (h: Tensor) => Tensor> = {
  'its own': (h) => h.mul(2),
  'a look at another one': (h) => h.reshape([h.size]).reshape(h.shape),
  'the same one': (h) => h.add(0),
};

for (const variant of variants) {
  test(`the input gradient adds up with that of a shortcut: ${variant}`, async () => {
    preferVariant(engine, 'conv2d', variant);
    for (const [stride, size] of [
      [1, 6],
      [2, 3],
    ] as const) {
      for (const [kind, branch] of Object.entries(branches)) {
        const shape = [2, 6, 6, 8];
        const [data, weights] = [uniform(576, 1), uniform(9 * 64, 2)];
        const dy = engine.tensor(uniform(2 * size * size * 8, 3), [2, size, size, 8]);
        const side = engine.tensor(uniform(576, 4), shape);
        const gradientOf = async (parts: ('convolution' | 'branch')[]) => {
          const x = leaf(data, shape);
          const h = x.mul(1);
          const y = conv2d(h, engine.tensor(weights, [3, 3, 8, 8]), { stride, padding: 1 });
          const terms = { convolution: y.mul(dy).sum(), branch: branch(h).mul(side).sum() };
          const loss = parts.map((part) => terms[part]).reduce((sum, term) => sum.add(term));
          loss.backward();
          return x.grad!.data();
        };
        const [alone, shortcut] = [await gradientOf(['convolution']), await gradientOf(['branch'])];
        const both = await gradientOf(['convolution', 'branch']);
        assert.equal([...both], [...alone.map((value, i) => value + shortcut[i]!)], `${kind}, stride ${stride}`);
      }
      // One gradient for both ways: what is added to must not be what is read.
      const x = leaf(uniform(576, 5), [2, 6, 6, 8]);
      const h = x.mul(1);
      const weight = engine.tensor(uniform(9 * 64, 6), [3, 3, 8, 8]);
      const seed = engine.tensor(uniform(576, 7), [2, 6, 6, 8]);
      conv2d(h, weight, { padding: 1 })
        .add(h.reshape([576]).reshape([2, 6, 6, 8]))
        .backward(seed);
      const plain = leaf(await h.data(), [2, 6, 6, 8]);
      conv2d(plain, weight, { padding: 1 }).backward(seed);
      await near(x.grad, await plain.grad!.add(seed).data(), 1e-6);
    }
  });
}

/** Shapes nobody thought of. */
function drawn(seed: number): ConvCase {
  let i = 0;
  const numbers = uniform(32, seed, 0, 1);
  const draw = (low: number, high: number) => low + Math.floor((numbers[i++] as number) * (high - low + 1));
  const kernel: [number, number] = [draw(1, 5), draw(1, 5)];
  return image(
    [draw(1, 3), draw(5, 12), draw(5, 18)],
    [draw(1, 20), draw(1, 20)],
    kernel,
    [draw(1, 3), draw(1, 3)],
    [draw(0, kernel[0]), draw(0, kernel[1])],
  );
}

for (const variant of variants) {
  test(`${variant}: chosen shapes agree with float64`, async () => {
    preferVariant(engine, 'conv2d', variant);
    for (const [i, c] of chosen.entries()) await compare(c, 10 * i, JSON.stringify(c));
  });

  test(`${variant}: any shape, stride, kernel and padding agrees with float64`, async () => {
    preferVariant(engine, 'conv2d', variant);
    for (let seed = 0; seed < 25; seed++) {
      const c = drawn(seed);
      await compare(c, 1000 + 10 * seed, JSON.stringify(c));
    }
  });

  test(`${variant}: PyTorch's values`, async () => {
    preferVariant(engine, 'conv2d', variant);
    const files = readdirSync('test/golden').filter((name) => name.startsWith('conv2d_'));
    assert.ok(files.length >= 4);
    for (const file of files) {
      const { tensors, metadata } = readSafetensors(new Uint8Array(readFileSync(`test/golden/${file}`)));
      const { stride, padding } = JSON.parse(metadata.args as string) as { stride: number; padding: number };
      const get = (name: string) => tensors.get(name) as SafetensorsEntry;
      const x = leafOf(get('x'), [0, 2, 3, 1]);
      const weight = leafOf(get('weight'), [2, 3, 1, 0]);
      const bias = leafOf(get('bias'), [0]);
      const y = conv2d(x, weight, { bias, stride, padding });
      const dy = reordered(get('dy'), [0, 2, 3, 1]);
      y.backward(engine.tensor(dy.data, dy.shape));
      await near(y, reordered(get('y'), [0, 2, 3, 1]).data, 1e-5, `${file}: y`);
      await near(x.grad, reordered(get('dx'), [0, 2, 3, 1]).data, 1e-5, `${file}: dx`);
      await near(weight.grad, reordered(get('dweight'), [2, 3, 1, 0]).data, 1e-5, `${file}: dweight`);
      await near(bias.grad, get('dbias').data as Float32Array, 1e-5, `${file}: dbias`);
    }
  });
}

for (const variant of halfVariants) {
  needs('shader-f16')(`${variant}: f16 images with f32 weights agree with float64 to their rounding`, async () => {
    preferVariant(engine, 'conv2d', variant);
    for (const [i, c] of chosen.entries()) await compare(c, 10 * i, JSON.stringify(c), 'f16');
    for (let seed = 0; seed < 8; seed++)
      await compare(drawn(seed), 1000 + 10 * seed, JSON.stringify(drawn(seed)), 'f16');
  });
}

needs('shader-f16')('f16 weights have f16 gradients; an input gradient adds up with what is there in f32', async () => {
  const c = image([2, 6, 6], [8, 8], [3, 3], [1, 1], [1, 1]);
  const [x, weight] = [rounded(uniform(576, 1)), rounded(uniform(576, 2))];
  const [tx, tweight] = [halfLeaf(x, [2, 6, 6, 8]), halfLeaf(weight, [3, 3, 8, 8])];
  const h = tx.mul(1);
  const seed = halves(uniform(576, 3), [2, 6, 6, 8]);
  conv2d(h, tweight, { padding: 1 }).add(h.mul(2)).backward(seed);
  const dy = await seed.data();
  const { dx, dweight } = convGradients(c, x, weight, dy);
  assert.is(tweight.grad?.dtype, 'f16');
  await near(tweight.grad, dweight, HALF_EPSILON);
  await near(
    tx.grad,
    dx.map((value, i) => value + 2 * dy[i]!),
    HALF_EPSILON,
  );
  assert.match(
    errorOf(() => conv2d(engine.zeros([1, 3, 3, 8]), tweight)).message,
    /x is f32; the weight must be f32.*f16/,
  );
});

/** The entry with its axes in another order, as arrays on this side. */
function reordered(
  entry: SafetensorsEntry,
  axes: readonly number[],
): { data: Float32Array<ArrayBuffer>; shape: number[] } {
  const shape = axes.map((axis) => entry.shape[axis] as number);
  const strides = entry.shape.map((_, i) => entry.shape.slice(i + 1).reduce((a, b) => a * b, 1));
  const data = new Float32Array(entry.data.length);
  for (let i = 0; i < data.length; i++) {
    let rest = i;
    let at = 0;
    for (let k = axes.length - 1; k >= 0; k--) {
      const n = shape[k] as number;
      at += (rest % n) * (strides[axes[k] as number] as number);
      rest = Math.floor(rest / n);
    }
    data[i] = entry.data[at] as number;
  }
  return { data, shape };
}

function leafOf(entry: SafetensorsEntry, axes: readonly number[]): Tensor {
  const { data, shape } = reordered(entry, axes);
  return leaf(data, shape);
}

test('gradients agree with central differences of a float64 convolution', async () => {
  const c = image([2, 5, 4], [3, 2], [3, 3], [2, 1], [1, 1]);
  const [rows, columns] = outputSize(c);
  const x = uniform(2 * 5 * 4 * 3, 1);
  const weight = uniform(3 * 3 * 3 * 2, 2);
  const dy = uniform(2 * rows * columns * 2, 3);
  const loss = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    convForward(c, a, b).reduce((total, y, i) => total + y * y * (dy[i] as number), 0);
  const tx = leaf(x, [2, 5, 4, 3]);
  const tweight = leaf(weight, [3, 3, 3, 2]);
  const y = conv2d(tx, tweight, { stride: c.stride, padding: c.padding });
  y.mul(y).mul(engine.tensor(dy, y.shape)).sum().backward();
  await near(
    tx.grad,
    centralDifferences((at) => loss(at, weight), x),
    1e-5,
    'dx',
  );
  await near(
    tweight.grad,
    centralDifferences((at) => loss(x, at), weight),
    1e-5,
    'dweight',
  );
});

test('the same input gives the same bits', async () => {
  const x = leaf(uniform(4 * 12 * 12 * 8, 1), [4, 12, 12, 8]);
  const run = async () => {
    const weight = leaf(uniform(9 * 8 * 8, 2), [3, 3, 8, 8]);
    conv2d(x, weight, { padding: 1 }).sum().backward();
    return weight.grad?.data();
  };
  assert.equal(await run(), await run());
});

test('only the gradients that are wanted are computed', () => {
  const x = engine.tensor(uniform(16, 1), [1, 4, 4, 1]);
  const weight = leaf(uniform(9, 2), [3, 3, 1, 1]);
  conv2d(x, weight).sum().backward();
  assert.is(x.grad, null);
  assert.ok(weight.grad);
});

test('operands that do not fit are refused with their shapes', () => {
  const x = engine.zeros([2, 8, 8, 3]);
  const weight = engine.zeros([3, 3, 3, 4]);
  const wrong = (fn: () => unknown, kind: new (details: never) => Error, message: RegExp) => {
    const error = errorOf(fn);
    assert.instance(error, kind);
    assert.match(error.message, message);
  };
  wrong(() => conv2d(engine.zeros([2, 8, 8, 5]), weight), ShapeError, /5 channels.*take 3/);
  wrong(() => conv2d(engine.zeros([8, 8, 3]), weight), ShapeError, /\[8, 8, 3\]/);
  wrong(() => conv2d(engine.zeros([1, 2, 2, 3]), weight), ShapeError, /larger than the image/);
  wrong(() => conv2d(x, weight, { bias: engine.zeros([3]) }), ShapeError, /needs \[4\]/);
  wrong(() => conv2d(x, weight, { stride: 0 }), ArgumentError, /stride is 0/);
  wrong(() => conv2d(x, weight, { padding: [1, -1] }), ArgumentError, /padding is \[1,-1\]/);
  wrong(() => conv2d(engine.zeros([2, 8, 8, 3], 'i32'), weight), DTypeError, /i32/);
});

test.run();
