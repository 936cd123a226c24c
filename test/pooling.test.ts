import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { backward } from '../src/index.ts';
import { type AvgPoolOptions, avgPool2d, globalAvgPool, maxPool2d } from '../src/ops/pooling.ts';
import { engine, errorOf, leaf, near, needs, uniform } from './support/engine.ts';
import { HALF_EPSILON, halfLeaf, rounded } from './support/half.ts';

interface Case {
  shape: readonly [number, number, number, number];
  kernel: readonly [number, number];
  stride: readonly [number, number];
  padding: readonly [number, number];
}

/** Both poolings and their gradients, window by window, in float64. */
function reference({ shape, kernel, stride, padding }: Case, x: Float32Array, seed: number, countIncludePad: boolean) {
  const [n, h, w, c] = shape;
  const outHeight = Math.floor((h + 2 * padding[0] - kernel[0]) / stride[0]) + 1;
  const outWidth = Math.floor((w + 2 * padding[1] - kernel[1]) / stride[1]) + 1;
  const size = n * outHeight * outWidth * c;
  const dy = uniform(size, seed);
  const max = new Float64Array(size);
  const average = new Float64Array(size);
  const dmax = new Float64Array(x.length);
  const daverage = new Float64Array(x.length);
  for (let out = 0; out < size; out++) {
    const channel = out % c;
    const column = Math.floor(out / c) % outWidth;
    const row = Math.floor(out / c / outWidth) % outHeight;
    const image = Math.floor(out / c / outWidth / outHeight);
    const inside: number[] = [];
    for (let i = row * stride[0] - padding[0]; i < row * stride[0] - padding[0] + kernel[0]; i++) {
      for (let j = column * stride[1] - padding[1]; j < column * stride[1] - padding[1] + kernel[1]; j++) {
        if (i >= 0 && i < h && j >= 0 && j < w) inside.push(((image * h + i) * w + j) * c + channel);
      }
    }
    const values = inside.map((at) => x[at]!);
    const divisor = countIncludePad ? kernel[0] * kernel[1] : inside.length;
    max[out] = Math.max(...values);
    average[out] = values.reduce((a, b) => a + b) / divisor;
    dmax[inside[values.indexOf(max[out]!)]!]! += dy[out]!;
    for (const at of inside) daverage[at]! += dy[out]! / divisor;
  }
  return { outShape: [n, outHeight, outWidth, c], dy, max, average, dmax, daverage };
}

const cases: Case[] = [
  { shape: [2, 8, 8, 4], kernel: [2, 2], stride: [2, 2], padding: [0, 0] },
  { shape: [1, 9, 9, 3], kernel: [3, 3], stride: [2, 2], padding: [1, 1] },
  { shape: [3, 7, 5, 8], kernel: [3, 2], stride: [1, 3], padding: [1, 0] },
  { shape: [2, 10, 11, 5], kernel: [2, 4], stride: [3, 1], padding: [0, 2] },
  { shape: [1, 6, 6, 1], kernel: [1, 1], stride: [4, 4], padding: [0, 0] },
  { shape: [2, 5, 6, 7], kernel: [5, 6], stride: [5, 6], padding: [2, 3] },
  { shape: [1, 30, 3, 16], kernel: [7, 3], stride: [2, 2], padding: [3, 1] },
];

for (const given of cases) {
  const { shape, kernel, stride, padding } = given;
  const size = shape.reduce((a, b) => a * b);
  const values = uniform(size, 1);
  test(`pooling ${shape.join('×')}, kernel ${kernel}, stride ${stride}, padding ${padding}`, async () => {
    for (const countIncludePad of [true, false]) {
      const expected = reference(given, values, 2, countIncludePad);
      const x = leaf(values, shape);
      const y = avgPool2d(x, { kernel, stride, padding, countIncludePad });
      assert.equal(y.shape, expected.outShape);
      backward(y, engine.tensor(expected.dy, y.shape));
      await near(y, expected.average, 1e-6, 'average');
      await near(x.grad, expected.daverage, 1e-6, 'gradient of the average');
    }
    const expected = reference(given, values, 2, true);
    const x = leaf(values, shape);
    const y = maxPool2d(x, { kernel, stride, padding });
    backward(y, engine.tensor(expected.dy, y.shape));
    await near(y, expected.max, 0, 'maximum');
    await near(x.grad, expected.dmax, 1e-6, 'gradient of the maximum');
  });
}

needs('shader-f16')('f16 images and gradients, to their rounding', async () => {
  for (const given of cases) {
    const { shape, kernel, stride, padding } = given;
    const values = rounded(
      uniform(
        shape.reduce((a, b) => a * b),
        1,
      ),
    );
    const expected = reference(given, values, 2, true);
    const dy = engine.tensor(expected.dy, expected.outShape, 'f16');
    for (const [pool, value, gradient] of [
      [avgPool2d, expected.average, expected.daverage],
      [maxPool2d, expected.max, expected.dmax],
    ] as const) {
      const x = halfLeaf(values, shape);
      const y = pool(x, { kernel, stride, padding });
      assert.is(y.dtype, 'f16');
      backward(y, dy);
      await near(y, value, pool === maxPool2d ? 0 : HALF_EPSILON, `${pool.name} ${shape}`);
      // The seed was rounded too.
      await near(x.grad, gradient, 2 * HALF_EPSILON, `gradient of ${pool.name} ${shape}`);
    }
  }
  for (const size of [8, 40]) {
    const x = halfLeaf(uniform(size * size * 3, 3), [1, size, size, 3]);
    const y = globalAvgPool(x);
    assert.is(y.dtype, 'f16');
    const means = await engine
      .tensor(await x.data(), [size * size, 3])
      .mean(0)
      .data();
    await near(y, means, HALF_EPSILON);
    y.backward(engine.ones([1, 3], 'f16'));
    await near(x.grad, new Float64Array(x.size).fill(1 / size ** 2), HALF_EPSILON);
  }
});

test('among equal maxima the first one in row order takes the gradient', async () => {
  for (const channels of [1, 4]) {
    const x = leaf(new Float32Array(16 * channels).fill(3), [1, 4, 4, channels]);
    maxPool2d(x, { kernel: 2 }).sum().backward();
    const first = [1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0];
    await near(
      x.grad,
      first.flatMap((g) => Array(channels).fill(g)),
      0,
    );
  }
});

test('NaN passes through a maximum, and −∞ is a value like others', async () => {
  const y = maxPool2d(engine.tensor([1, Number.NaN, 2, 5, -Infinity, -Infinity], [1, 1, 6, 1]), { kernel: [1, 2] });
  assert.equal([...(await y.data())], [Number.NaN, 5, -Infinity]);
});

test('NaN wins wherever it stands in a window, over infinity too, and takes the gradient', async () => {
  const row = [3, Infinity, 1];
  for (const channels of [1, 4]) {
    for (const at of [0, 1, 2]) {
      const values = row.flatMap((v, i) => new Array<number>(channels).fill(i === at ? Number.NaN : v));
      const x = leaf(values, [1, 3, 1, channels]);
      const y = maxPool2d(x, { kernel: [3, 1] });
      y.sum().backward();
      assert.equal([...(await y.data())], new Array(channels).fill(Number.NaN));
      assert.equal(
        [...(await x.grad!.data())],
        row.flatMap((_, i) => new Array(channels).fill(i === at ? 1 : 0)),
      );
    }
  }
});

test('the stride is the kernel unless said, and a number stands for both directions', async () => {
  const x = engine.tensor(uniform(36, 3), [1, 6, 6, 1]);
  const a = maxPool2d(x, { kernel: 3 });
  assert.equal(a.shape, [1, 2, 2, 1]);
  assert.equal(await a.data(), await maxPool2d(x, { kernel: [3, 3], stride: [3, 3], padding: [0, 0] }).data());
});

test('the global average is the mean over the image, small or large', async () => {
  for (const [h, w] of [
    [8, 8],
    [1, 1],
    [40, 37],
  ] as const) {
    const values = uniform(2 * h * w * 6, 4);
    const x = leaf(values, [2, h, w, 6]);
    const y = globalAvgPool(x);
    assert.equal(y.shape, [2, 6]);
    const seed = uniform(12, 5);
    backward(y, engine.tensor(seed, [2, 6]));
    const expected = new Float64Array(12);
    values.forEach((v, i) => {
      expected[Math.floor(i / (6 * h * w)) * 6 + (i % 6)]! += v / (h * w);
    });
    await near(y, expected, 1e-6, 'mean');
    await near(
      x.grad,
      values.map((_, i) => seed[Math.floor(i / (6 * h * w)) * 6 + (i % 6)]! / (h * w)),
      1e-6,
      'dx',
    );
  }
});

test('what does not fit is refused', () => {
  const x = engine.zeros([1, 4, 4, 1]);
  const message = (options: AvgPoolOptions, tensor = x) => errorOf(() => maxPool2d(tensor, options)).message;
  assert.match(message({ kernel: 3, padding: 2 }), /maxPool2d: padding \[2, 2\] is more than half the kernel \[3, 3\]/);
  assert.match(message({ kernel: 5 }), /kernel \[5, 5\] does not fit into images of 4×4/);
  assert.match(message({ kernel: 0 }), /kernel is 0; a whole number of at least 1/);
  assert.match(message({ kernel: 2, stride: [1, 0] }), /stride is \[1,0\]/);
  assert.match(message({ kernel: 2, padding: -1 }), /padding is -1/);
  assert.match(message({ kernel: 2 }, engine.zeros([4, 4])), /images \[n, h, w, c\] were expected/);
  assert.match(message({ kernel: 2 }, engine.zeros([1, 4, 4, 1], 'u32')), /takes f32 or f16.*u32/);
  assert.match(errorOf(() => avgPool2d(x, { kernel: 9 })).message, /avgPool2d: the kernel/);
  assert.match(errorOf(() => globalAvgPool(engine.zeros([4, 1]))).message, /globalAvgPool: x has shape \[4, 1\]/);
});

test.run();
