/** Gradients of gradients of what networks are made of: convolutions, batch norm in inference, pooling, shortcuts. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseConfig } from '../src/continual/benchmark/config.ts';
import type { LearnerSettings } from '../src/continual/learner-settings.ts';
import { methods } from '../src/continual/methods/index.ts';
import { buildModel } from '../src/continual/model.ts';
import {
  avgPool2d,
  batchNorm,
  conv2d,
  createResNet,
  crossEntropy,
  maxPool2d,
  recordedGradients,
} from '../src/index.ts';
import { paddedShortcut } from '../src/ops/shortcut.ts';
import { checkTwice } from './support/check-twice.ts';
import { type ConvCase, convForward } from './support/conv-reference.ts';
import { engine, near, uniform } from './support/engine.ts';
import { sum } from './support/rows.ts';

/** Sum of cubes, so that what is linear has a second derivative too. */
const cubes = (values: ArrayLike<number>): number => sum(Array.from(values, (x) => x ** 3));

for (const [stride, padding, kernel] of [
  [
    [1, 1],
    [1, 1],
    [3, 3],
  ],
  [
    [2, 1],
    [0, 2],
    [2, 3],
  ],
  [
    [2, 2],
    [0, 0],
    [1, 1],
  ],
  [
    [1, 1],
    [0, 0],
    [1, 1],
  ],
] as [[number, number], [number, number], [number, number]][]) {
  test(`a convolution ${kernel.join('×')} by ${stride.join('×')} is differentiated twice`, async () => {
    const shape: ConvCase = { batch: 2, height: 4, width: 5, inChannels: 2, outChannels: 4, kernel, stride, padding };
    const weights = kernel[0] * kernel[1] * 8;
    await checkTwice(
      (x, weight, bias) => {
        const y = conv2d(x!, weight!, { bias: bias!, stride, padding });
        return y.square().mul(y).sum();
      },
      (x, weight, bias) => cubes(convForward(shape, x!, weight!, bias!)),
      [
        engine.tensor(uniform(80, 1), [2, 4, 5, 2]),
        engine.tensor(uniform(weights, 2), [...kernel, 2, 4]),
        engine.tensor(uniform(4, 3)),
      ],
    );
  });
}

for (const relu of [false, true]) {
  for (const residual of [false, true]) {
    test(`batch norm in inference is differentiated twice${residual ? ', with a shortcut' : ''}${relu ? ', with a ReLU' : ''}`, async () => {
      const [mean, variance] = [uniform(3, 7), uniform(3, 8, 0.5, 2)];
      const [runningMean, runningVar] = [engine.tensor(mean), engine.tensor(variance)];
      const tensors = [
        engine.tensor(uniform(24, 1, -2, 2), [2, 2, 2, 3]),
        engine.tensor(uniform(3, 2, 0.5, 2)),
        engine.tensor(uniform(3, 3)),
        ...(residual ? [engine.tensor(uniform(24, 4), [2, 2, 2, 3])] : []),
      ];
      await checkTwice(
        (x, weight, bias, rest) => {
          const y = batchNorm(x!, {
            weight: weight!,
            bias: bias!,
            runningMean,
            runningVar,
            training: false,
            relu,
            ...(rest ? { residual: rest } : {}),
          });
          return y.square().mul(y).sum();
        },
        (x, weight, bias, rest) =>
          cubes(
            Array.from(x!, (value, i) => {
              const c = i % 3;
              const y = ((value - mean[c]!) / Math.sqrt(variance[c]! + 1e-5)) * weight![c]! + bias![c]!;
              return relu ? Math.max(0, y + (rest?.[i] ?? 0)) : y + (rest?.[i] ?? 0);
            }),
          ),
        tensors,
      );
    });
  }
}

test('average pooling and the shortcut without parameters are differentiated twice', async () => {
  const x = () => engine.tensor(uniform(32, 1), [2, 4, 4, 1]);
  const pixel = (values: ArrayLike<number>, n: number, row: number, column: number) =>
    values[16 * n + 4 * row + column]!;
  const places = [0, 1].flatMap((n) => [0, 2].flatMap((row) => [0, 2].map((column) => [n, row, column] as const)));
  await checkTwice(
    (t) => {
      const y = avgPool2d(t!, { kernel: 2 });
      return y.square().mul(y).sum();
    },
    (t) =>
      cubes(
        places.map(
          ([n, row, column]) => sum([0, 1].flatMap((a) => [0, 1].map((b) => pixel(t!, n, row + a, column + b)))) / 4,
        ),
      ),
    [x()],
  );
  await checkTwice(
    (t) => {
      const y = paddedShortcut(t!, 2, 3);
      return y.square().mul(y).sum();
    },
    (t) => cubes(places.map((place) => pixel(t!, ...place))),
    [x()],
  );
});

for (const channels of [1, 4]) {
  test(`max pooling of ${channels} channel${channels > 1 ? 's' : ''} is differentiated twice, with windows that overlap`, async () => {
    const [height, width] = [5, 4];
    const starts = [-1, 1, 3].flatMap((row) => [-1, 1].map((column) => [row, column] as const));
    await checkTwice(
      (t) => {
        const y = maxPool2d(t!, { kernel: 3, stride: 2, padding: 1 });
        return y.square().mul(y).sum();
      },
      (t) =>
        cubes(
          [0, 1].flatMap((n) =>
            starts.flatMap(([row, column]) =>
              Array.from({ length: channels }, (_, c) => {
                const window = [0, 1, 2].flatMap((a) =>
                  [0, 1, 2].flatMap((b) => {
                    const [y, x] = [row + a, column + b];
                    const inside = y >= 0 && y < height && x >= 0 && x < width;
                    return inside ? [t![((n * height + y) * width + x) * channels + c]!] : [];
                  }),
                );
                return Math.max(...window);
              }),
            ),
          ),
        ),
      [engine.tensor(uniform(2 * height * width * channels, 1), [2, height, width, channels])],
    );
  });
}

test('the networks of all methods are differentiated twice, and their recorded gradients are the plain ones', async () => {
  const images = engine.tensor(uniform(8 * 64, 1), [8, 8, 8, 1]);
  const labels = engine.tensor(Int32Array.from({ length: 8 }, (_, i) => i % 4));
  for (const method of Object.values(methods)) {
    const config = parseConfig({ method: method.name, width: 4 });
    const format = { height: 8, width: 8, channels: 1 };
    const context = { engine, images: format, training: config as unknown as LearnerSettings, settings: config };
    const model = buildModel(method, context, [2, 2]).unfreeze().eval();
    const loss = () => crossEntropy(model.forward(images), labels);
    const parameters = model.parameters();
    loss().backward();
    const plain = parameters.map(({ grad }) => grad);
    for (const one of parameters) one.grad = null;
    const recorded = recordedGradients(loss(), parameters);
    for (const [i, gradient] of recorded.entries()) {
      const expected = (await plain[i]?.data()) ?? new Float32Array(gradient.size);
      await near(gradient, expected, 1e-5, `${method.name}, parameter ${i}`);
    }
    model.dispose();
  }
});

test('batch norm in training has none, and says so', () => {
  const model = createResNet(engine, 'resnet8', { classes: 2, width: 2, inChannels: 1 });
  const images = engine.tensor(uniform(4 * 16, 1), [4, 4, 4, 1]);
  const loss = () => model.forward(images).square().sum();
  assert.throws(() => recordedGradients(loss(), model.parameters()), /the gradient of batchNorm has no gradient/);
  model.eval();
  const gradients = recordedGradients(loss(), model.parameters());
  assert.is(gradients.length, model.parameters().length);
  model.dispose();
});

test.run();
