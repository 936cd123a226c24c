/** Convolutions: strides, paddings, dilations, kernels of any variant, few and many channels, in groups and not. */
import fc from 'fast-check';
import { conv2d } from '../../../src/index.ts';
import { engine, leaf } from '../engine.ts';
import { checkBounded, Sums } from './bounded.ts';
import { draw, drawing, size } from './draw.ts';
import { read } from './read.ts';

const MOST_PRODUCTS = 150_000;

const pair = (one: fc.Arbitrary<number>): fc.Arbitrary<[number, number]> =>
  fc.oneof({ arbitrary: one.map((n): [number, number] => [n, n]), weight: 3 }, fc.tuple(one, one));

type Pair = readonly [number, number];

const outputOf = (c: { image: Pair; kernel: Pair; stride: Pair; padding: Pair; dilation: Pair }): Pair => {
  const along = (i: 0 | 1) =>
    Math.floor((c.image[i] + 2 * c.padding[i] - c.dilation[i] * (c.kernel[i] - 1) - 1) / c.stride[i]) + 1;
  return [along(0), along(1)];
};

export const conv2dCases = fc
  .record({
    batch: fc.constantFrom(1, 1, 2, 3),
    image: fc.tuple(size(33), size(33)),
    // Channels in and out of a group.
    channels: fc.oneof(
      { arbitrary: fc.record({ groups: fc.constant(1), from: size(300), to: size(130) }), weight: 3 },
      fc.record({ groups: size(40), from: fc.constant(1), to: fc.constant(1) }),
      fc.record({ groups: fc.constantFrom(2, 3, 8), from: fc.constantFrom(4, 8), to: fc.constantFrom(4, 8, 16) }),
      fc.record({ groups: size(9), from: size(9), to: size(9) }),
    ),
    kernel: pair(fc.constantFrom(1, 3, 3, 2, 5)),
    stride: pair(fc.constantFrom(1, 1, 2, 3)),
    padding: pair(fc.constantFrom(0, 1, 1, 2)),
    dilation: pair(fc.constantFrom(1, 1, 1, 2, 3)),
    bias: fc.boolean(),
    drawing,
  })
  .map((c) => ({ ...c, output: outputOf(c) }))
  .filter(
    ({ batch, channels: { groups, from, to }, kernel, output: [rows, columns] }) =>
      Math.min(rows, columns) >= 1 &&
      batch * rows * columns * kernel[0] * kernel[1] * groups * from * to <= MOST_PRODUCTS,
  );

type Case = typeof conv2dCases extends fc.Arbitrary<infer T> ? T : never;

export async function checkConv2d(c: Case): Promise<void> {
  const { batch, image, kernel, stride, padding, dilation, output } = c;
  const { groups, from, to } = c.channels;
  const [inChannels, outChannels] = [groups * from, groups * to];
  const shapes = {
    x: [batch, ...image, inChannels],
    weight: [...kernel, from, outChannels],
    dy: [batch, ...output, outChannels],
  };
  const numbers = (shape: number[], stream: number) =>
    draw(
      c.drawing,
      shape.reduce((p, q) => p * q),
      stream,
    );
  const [x, weight, dy] = [numbers(shapes.x, 0), numbers(shapes.weight, 1), numbers(shapes.dy, 2)];
  const bias = numbers([outChannels], 3);

  const actual = await read(() => {
    const [tx, tweight, tbias] = [leaf(x, shapes.x), leaf(weight, shapes.weight), leaf(bias, [outChannels])];
    const y = conv2d(tx, tweight, { stride, padding, dilation, groups, ...(c.bias ? { bias: tbias } : {}) });
    y.backward(engine.tensor(dy, shapes.dy));
    return { y, dx: tx.grad, dweight: tweight.grad, ...(c.bias ? { dbias: tbias.grad } : {}) };
  });

  const sums = {
    y: new Sums(dy.length),
    dx: new Sums(x.length),
    dweight: new Sums(weight.length),
    dbias: new Sums(outChannels),
  };
  dy.forEach((gradient, at) => {
    if (c.bias) sums.y.add(at, bias[at % outChannels]!);
    sums.dbias.add(at % outChannels, gradient);
  });
  for (let n = 0; n < batch; n++)
    for (let r = 0; r < output[0]; r++)
      for (let s = 0; s < output[1]; s++)
        for (let a = 0; a < kernel[0]; a++)
          for (let b = 0; b < kernel[1]; b++) {
            const i = r * stride[0] + a * dilation[0] - padding[0];
            const j = s * stride[1] + b * dilation[1] - padding[1];
            if (i < 0 || i >= image[0] || j < 0 || j >= image[1]) continue;
            for (let p = 0; p < from; p++)
              for (let q = 0; q < outChannels; q++) {
                const atY = ((n * output[0] + r) * output[1] + s) * outChannels + q;
                const atX = ((n * image[0] + i) * image[1] + j) * inChannels + Math.floor(q / to) * from + p;
                const atWeight = ((a * kernel[1] + b) * from + p) * outChannels + q;
                sums.y.add(atY, x[atX]! * weight[atWeight]!);
                sums.dx.add(atX, dy[atY]! * weight[atWeight]!);
                sums.dweight.add(atWeight, dy[atY]! * x[atX]!);
              }
          }
  for (const name of Object.keys(actual) as (keyof typeof sums)[]) {
    checkBounded(name, (actual as Record<keyof typeof sums, Float32Array>)[name], sums[name].bounded());
  }
}
