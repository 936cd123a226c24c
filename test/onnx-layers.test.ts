/** Layers and operations, one after the other, in ONNX Runtime. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CosineLinear } from '../src/entries/methods.ts';
import type { Module } from '../src/index.ts';
import * as engram from '../src/index.ts';
import { engine } from './support/engine.ts';
import { calls, difference, type Shape } from './support/onnx-models.ts';

const { Conv1d, Conv2d, ConvTranspose2d, GroupNorm, LayerNorm, Linear, MultiheadAttention } = engram;

const layers: Record<string, [Module, Shape]> = {
  'strides, dilation, unequal zeros': [
    new engram.Sequential(
      engine,
      new Conv2d(engine, 3, 6, [3, 5], { stride: [2, 1], padding: [1, 2], dilation: [1, 2] }),
      new Conv2d(engine, 6, 4, [2, 4], { padding: 'same', groups: 2 }),
    ),
    [11, 13, 3],
  ],
  'transposed convolution': [
    new ConvTranspose2d(engine, 4, 6, 3, { stride: 2, padding: 1, outputPadding: 1, groups: 2 }),
    [5, 6, 4],
  ],
  sequences: [new Conv1d(engine, 3, 5, 3, { stride: 2, padding: 1 }), [9, 3]],
  'pooling with borders': [
    new engram.Sequential(
      engine,
      new engram.MaxPool2d(engine, { kernel: 3, stride: 2, padding: 1 }),
      new engram.AvgPool2d(engine, { kernel: 2, stride: 1, padding: 1, countIncludePad: false }),
      new engram.AvgPool2d(engine, { kernel: [2, 3], padding: 1 }),
    ),
    [12, 14, 2],
  ],
  'layer norm and group norm': [
    calls(
      (x, [a, b, c]) => c!.forward(b!.forward(a!.forward(x))),
      new GroupNorm(engine, 2, 6),
      new LayerNorm(engine, [6]),
      new GroupNorm(engine, 6, 6, { affine: false }),
    ),
    [4, 5, 6],
  ],
  'batch norm of features and of sequences': [
    calls(
      (x, [a, b]) => b!.forward(a!.forward(x).mean(1)),
      new engram.BatchNorm2d(engine, 4),
      new engram.BatchNorm2d(engine, 4),
    ),
    [5, 4],
  ],
  'a weight seen in two shapes': [
    calls(
      (x, [fc]) => {
        const { weight } = fc as engram.Linear;
        return x.mul(weight.reshape([6])).add(engram.matmul(x, weight.reshape([6, 1])));
      },
      new Linear(engine, 2, 3),
    ),
    [6],
  ],
  attention: [
    calls((x, [a]) => a!.forward(x, x, x, { isCausal: true }).output, new MultiheadAttention(engine, 8, 2)),
    [6, 8],
  ],
  'a vector in a network of images': [
    calls(
      (x, [conv, fc]) => {
        const y = conv!.forward(x).relu();
        const gate = fc!
          .forward(y.mean([1, 2]))
          .sigmoid()
          .reshape([x.shape[0]!, 1, 1, 4]);
        return y
          .mul(gate)
          .add(engine.tensor([1, 2, 3, 4]))
          .flatten();
      },
      new Conv2d(engine, 3, 4, 3),
      new Linear(engine, 4, 4),
    ),
    [6, 6, 3],
  ],
  'images in both orders': [
    calls(
      (x, [conv]) => {
        const y = conv!.forward(x);
        const turned = y.transpose([0, 2, 1, 3]).slice([null, [4, null, -2], [1, 3]]);
        return engram.pad(
          engram.concat([turned, turned.mul(2)], 3),
          [
            [0, 0],
            [1, 0],
            [0, 2],
            [0, 0],
          ],
          0.5,
        );
      },
      new Conv2d(engine, 3, 4, 3),
    ),
    [7, 8, 3],
  ],
  reductions: [
    calls((x) =>
      engram.concat(
        [
          x.sum(1),
          x.mean(1),
          x.max(1),
          x.min(1),
          engram.prod(x, 1),
          engram.logSumExp(x, 1),
          x.softmax(1).sum(1, { keepDims: true }).reshape([-1, 4]),
          x.logSoftmax(-1).mean(1),
        ],
        1,
      ),
    ),
    [5, 4],
  ],
  'products and conditions': [
    calls(
      (x, [fc]) => {
        const y = fc!.forward(x);
        const square = engram.matmul(y, y, { transposeB: true });
        return engram
          .where(square.greater(0.1), square, engram.cumsum(square).clamp(-1, 1))
          .add(square.less(0).cast('f32'));
      },
      new Linear(engine, 4, 3),
    ),
    [5, 4],
  ],
  'nearest and bilinear': [
    calls((x) =>
      engram.concat(
        [
          engram.interpolate(x, { scaleFactor: 2 }),
          engram.interpolate(x, { size: [8, 10], mode: 'bilinear' }),
          engram.interpolate(x, { size: [8, 10], mode: 'bilinear', alignCorners: true }),
        ],
        3,
      ),
    ),
    [4, 5, 2],
  ],
  'sizes that a scale in f32 misses': [
    calls((x) =>
      engram.concat(
        [
          engram.interpolate(x, { size: 31 }),
          engram.interpolate(x, { size: 31, mode: 'bilinear' }),
          engram.interpolate(x, { size: 31, mode: 'bilinear', alignCorners: true }),
        ],
        3,
      ),
    ),
    [7, 7, 2],
  ],
  'scales that come to a whole pixel in f32, one that misses it beside another, and one between': [
    calls((x) =>
      engram.concat(
        [
          engram.interpolate(x, { scaleFactor: 10 / 7 - 1e-12, mode: 'bilinear' }),
          engram.interpolate(x, { scaleFactor: [31 / 7, 1.5], mode: 'bilinear' }).slice([null, [0, 9], [0, 9]]),
          engram.interpolate(x, { scaleFactor: 1.3 }),
        ],
        3,
      ),
    ),
    [7, 7, 2],
  ],
  'scales that leave the size as it was': [
    calls((x) =>
      engram.concat(
        [
          engram.interpolate(x, { scaleFactor: [1.15, 1], mode: 'bilinear' }),
          engram.interpolate(x, { scaleFactor: [1, 1.19], mode: 'bilinear' }),
          engram.interpolate(x, { scaleFactor: 1.15 }),
        ],
        3,
      ),
    ),
    [5, 5, 2],
  ],
  cosines: [new CosineLinear(engine, 6, 4, { scale: 3 }), [6]],
  'dropout, which does nothing here': [
    new engram.Sequential(engine, new engram.Dropout(engine), new Linear(engine, 3, 2)),
    [3],
  ],
};

for (const [name, [model, input]] of Object.entries(layers)) {
  test(`ONNX Runtime gives the same: ${name}`, async () => {
    const worst = await difference(model, input);
    assert.ok(worst < 1e-5, `${worst}`);
  });
}

test.run();
