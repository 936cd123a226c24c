/** Benchmarks of single operations other than convolution and distillation. Inputs are float32, normal, on the device. */

import { type Augmentation, keepsToPixels, randomBrightness, randomTransforms } from '../../src/data/augment.ts';
import { DeviceImages } from '../../src/data/device-images.ts';
import { resizePixels } from '../../src/data/resize.ts';
import {
  avgPool2d,
  type BatchNormOptions,
  batchNorm,
  crossEntropy,
  type Engine,
  gather,
  globalAvgPool,
  linear,
  matmul,
  maxPool2d,
  type Tensor,
} from '../../src/index.ts';
import { createResNet } from '../../src/nn/resnet.ts';
import { Adam } from '../../src/optim/adam.ts';
import { clipGradNorm } from '../../src/optim/clipping.ts';
import type { Optimizer } from '../../src/optim/optimizer.ts';
import { SGD } from '../../src/optim/sgd.ts';
import { Random } from '../../src/tensor/random.ts';
import { bytesOf, gradientOf, labels, noise, noiseLeaf, type Work, type WorkCase } from '../bench-case.ts';

const MEGA = 2 ** 20;

/** c[n, n] = a·b: 2·n³. */
const matmulCases: WorkCase[] = [256, 512, 1024].map((n) => ({
  name: `matmul/${n}`,
  prepare(engine) {
    const [a, b] = [noise(engine, [n, n], 0), noise(engine, [n, n], 1)];
    return { flops: 2 * n ** 3, run: () => matmul(a, b), captured: true };
  },
}));

/** Classifiers, [batch, in] to [batch, out]: 2·batch·in·out, twice that for the gradients of input and weight. */
const linearCases: WorkCase[] = (
  [
    [32, 64, 10],
    [32, 64, 100],
    [32, 512, 100],
    [256, 512, 512],
  ] as const
).flatMap(([batch, inputs, outputs]) => {
  const shape = `${batch}x${inputs}-${outputs}`;
  const flops = 2 * batch * inputs * outputs;
  const make = (engine: Engine) =>
    linear(
      noiseLeaf(engine, [batch, inputs]),
      noiseLeaf(engine, [inputs, outputs], 1),
      noiseLeaf(engine, [outputs], 2),
    );
  return [
    {
      name: `linear/forward/${shape}`,
      prepare(engine) {
        const [x, weight, bias] = [
          noise(engine, [batch, inputs]),
          noise(engine, [inputs, outputs], 1),
          noise(engine, [outputs], 2),
        ];
        return { flops, run: () => linear(x, weight, bias) };
      },
    },
    { name: `linear/backward/${shape}`, prepare: (engine) => gradientOf(make(engine), { flops: 2 * flops }) },
  ];
});

/** With the shortcut's sum and the ReLU, as in the second half of a residual block. */
const batchNormCases: WorkCase[] = (
  [
    [32, 32, 32, 16],
    [32, 8, 8, 64],
  ] as const
).flatMap((shape) => {
  const inputs = (engine: Engine): [Tensor, BatchNormOptions] => {
    const channels = [shape[3]];
    return [
      noiseLeaf(engine, shape),
      {
        weight: noiseLeaf(engine, channels, 1),
        bias: noiseLeaf(engine, channels, 2),
        runningMean: engine.zeros(channels),
        runningVar: engine.ones(channels),
        residual: noiseLeaf(engine, shape, 3),
        relu: true,
        training: true,
      },
    ];
  };
  const size = shape.slice(1).join('x');
  return [
    {
      name: `batch-norm/forward/${size}/b32`,
      prepare(engine) {
        const [x, options] = inputs(engine);
        return { bytes: 3 * bytesOf(x), run: () => batchNorm(x, options) };
      },
    },
    {
      name: `batch-norm/backward/${size}/b32`,
      prepare(engine) {
        const [x, options] = inputs(engine);
        return gradientOf(batchNorm(x, options), { bytes: 5 * bytesOf(x) });
      },
    },
  ];
});

/** The loss and the gradient of the logits. */
const crossEntropyCases: WorkCase[] = (
  [
    [32, 10],
    [32, 100],
    [1024, 1000],
  ] as const
).map(([batch, classes]) => ({
  name: `softmax-cross-entropy/b${batch}x${classes}`,
  prepare(engine) {
    const logits = noiseLeaf(engine, [batch, classes]);
    const targets = labels(engine, batch, classes);
    return {
      bytes: 2 * bytesOf(logits),
      run() {
        const loss = crossEntropy(logits, targets);
        return loss.node?.backward(loss);
      },
    };
  },
}));

const poolCase = (name: string, shape: readonly number[], pool: (x: Tensor) => Tensor): WorkCase[] => {
  const size = `${shape.slice(1).join('x')}/b${shape[0]}`;
  return [
    {
      name: `${name}/forward/${size}`,
      prepare(engine) {
        const x = noise(engine, shape);
        return {
          bytes: bytesOf(
            x,
            engine.scope(() => pool(x)),
          ),
          run: () => pool(x),
        };
      },
    },
    {
      name: `${name}/backward/${size}`,
      prepare(engine) {
        const x = noiseLeaf(engine, shape);
        const y = pool(x);
        return gradientOf(y, { bytes: bytesOf(x, y) });
      },
    },
  ];
};

const poolCases: WorkCase[] = [
  ...poolCase('pool/max-3x3s2', [32, 32, 32, 64], (x) => maxPool2d(x, { kernel: 3, stride: 2, padding: 1 })),
  ...poolCase('pool/average-2x2', [32, 32, 32, 16], (x) => avgPool2d(x, { kernel: 2 })),
  ...poolCase('pool/global-average', [32, 8, 8, 64], globalAvgPool),
];

/** A step on every parameter of ResNet-20: reads gradient, parameter and state, writes the last two. */
function optimizerStep(
  engine: Engine,
  states: number,
  make: (model: ReturnType<typeof createResNet>) => Optimizer,
): Work {
  const model = createResNet(engine, 'resnet20', { classes: 10 });
  const optimizer = make(model);
  for (const parameter of model.parameters()) parameter.grad = noise(engine, parameter.shape).moveTo(null);
  return {
    bytes: 4 * model.parameterCount * (3 + 2 * states),
    run: () => optimizer.step(),
    dispose() {
      optimizer.zeroGrad();
      optimizer.dispose();
      model.dispose();
    },
  };
}

const optimizerCases: WorkCase[] = [
  {
    name: 'optimizer/sgd-momentum/resnet20',
    prepare: (engine) => optimizerStep(engine, 1, (model) => new SGD(model, { lr: 1e-6, momentum: 0.9 })),
  },
  {
    name: 'optimizer/adam/resnet20',
    prepare: (engine) => optimizerStep(engine, 2, (model) => new Adam(model, { lr: 1e-6 })),
  },
];

/** The gradients of every parameter of ResNet-20: read for their norm, read again and written scaled. */
const clippingCases: WorkCase[] = [
  {
    name: 'clip-grad-norm/resnet20',
    prepare(engine) {
      const model = createResNet(engine, 'resnet20', { classes: 10 });
      const parameters = model.parameters();
      for (const parameter of parameters) parameter.grad = noise(engine, parameter.shape).moveTo(null);
      return {
        bytes: 4 * model.parameterCount * 3,
        run: () => clipGradNorm(parameters, 1),
        dispose() {
          model.dispose();
        },
      };
    },
  },
];

/** A batch of 32 from 1000 images of bytes, 32×32×3: crop and flip at whole pixels, brightness too, or rotation with interpolation. */
const augmentationCases: WorkCase[] = (
  [
    ['crop-flip', { crop: 4, flip: 0.5 }],
    ['crop-flip-brightness', { crop: 4, flip: 0.5, brightness: 0.25 }],
    ['rotate-scale', { rotate: 15, scale: [0.9, 1.1] }],
  ] satisfies [string, Augmentation][]
).map(([name, augmentation]: [string, Augmentation]) => ({
  name: `augment/${name}/32x32x3/b32`,
  prepare(engine) {
    const [count, size, batch] = [1000, 32, 32];
    const random = new Random(1);
    const images = new DeviceImages(engine, {
      name: 'bench',
      images: Uint8Array.from({ length: count * size * size * 3 }, () => random.int(256)),
      labels: new Uint8Array(count),
      classes: 1,
      height: size,
      width: size,
      channels: 3,
    });
    const indices = random.permutation(count).slice(0, batch);
    const transforms = randomTransforms(batch, { height: size, width: size }, augmentation, random);
    const look = augmentation.brightness ? { brightness: randomBrightness(batch, augmentation, random) } : {};
    const interpolate = !keepsToPixels(augmentation);
    return {
      bytes: batch * size * size * 3 * (1 + 4),
      run: () => images.sample({ indices, transforms, interpolate, ...look }),
      dispose: () => images.dispose(),
    };
  },
}));

/** Images of bytes, three channels: from camera or canvas to what a small network takes, and back. */
const resizeCases: WorkCase[] = (
  [
    [32, 224, 224, 32, 32],
    [1, 1080, 1920, 224, 224],
    [32, 32, 32, 224, 224],
  ] as const
).map(([count, height, width, outHeight, outWidth]) => ({
  name: `resize/${height}x${width}-${outHeight}x${outWidth}/b${count}`,
  prepare(engine) {
    const random = new Random(1);
    const from = { count, height, width, channels: 3 };
    const words = (count * height * width * 3) / 4;
    const pixels = engine.tensor(Uint32Array.from({ length: words }, () => random.int(2 ** 32)));
    return {
      bytes: count * 3 * (height * width + outHeight * outWidth),
      run: () => resizePixels(pixels, from, { height: outHeight, width: outWidth }),
    };
  },
}));

const elementwise = (name: string, operands: number, run: (...x: Tensor[]) => Tensor): WorkCase => ({
  name: `elementwise/${name}/4M`,
  prepare(engine) {
    const x = Array.from({ length: operands }, (_, i) => noise(engine, [4 * MEGA], i));
    return { bytes: 4 * 4 * MEGA * (operands + 1), run: () => run(...x) };
  },
});

const reduction = (name: string, shape: readonly number[], run: (x: Tensor) => Tensor): WorkCase => ({
  name: `reduce/${name}/${shape.join('x')}`,
  prepare(engine) {
    const x = noise(engine, shape);
    return {
      bytes: bytesOf(
        x,
        engine.scope(() => run(x)),
      ),
      run: () => run(x),
    };
  },
});

/** Rows of any length, forwards and with the gradient. */
const softmaxCases: WorkCase[] = [
  { name: 'softmax', shape: [2048, 16], run: (x: Tensor) => x.softmax() },
  { name: 'softmax', shape: [64, 65536], run: (x: Tensor) => x.softmax() },
  { name: 'softmax', shape: [1048576, 1], run: (x: Tensor) => x.softmax() },
  { name: 'softmax-channels', shape: [32, 10, 196], run: (x: Tensor) => x.softmax(1) },
  { name: 'log-softmax', shape: [4096, 10], run: (x: Tensor) => x.logSoftmax() },
].flatMap(({ name, shape, run }) => [
  {
    name: `${name}/forward/${shape.join('x')}`,
    prepare(engine: Engine) {
      const x = noise(engine, shape);
      return { bytes: 2 * bytesOf(x), run: () => run(x) };
    },
  },
  {
    name: `${name}/backward/${shape.join('x')}`,
    prepare(engine: Engine) {
      const x = noiseLeaf(engine, shape);
      return gradientOf(run(x), { bytes: 3 * bytesOf(x) });
    },
  },
]);

const memoryCases: WorkCase[] = [
  elementwise('add', 2, (a, b) => (a as Tensor).add(b as Tensor)),
  elementwise('relu', 1, (a) => (a as Tensor).relu()),
  elementwise('gelu', 1, (a) => (a as Tensor).gelu()),
  reduction('sum-all', [4096, 1024], (x) => x.sum()),
  reduction('sum-rows', [4096, 1024], (x) => x.sum(1)),
  reduction('sum-columns', [4096, 1024], (x) => x.sum(0)),
  reduction('sum-rows', [4096, 10], (x) => x.sum(1)),
  reduction('max-rows', [2048, 64], (x) => x.max(1)),
  reduction('argmax-rows', [4096, 10], (x) => x.argmax()),
  reduction('softmax', [4096, 1024], (x) => x.softmax()),
  {
    name: 'transpose/2048x2048',
    prepare(engine) {
      const x = noise(engine, [2048, 2048]);
      return { bytes: 2 * bytesOf(x), run: () => x.transpose() };
    },
  },
  {
    name: 'gather/rows/10000x64-4096',
    prepare(engine) {
      const x = noise(engine, [10000, 64]);
      const index = labels(engine, 4096, 10000);
      return { bytes: 4 * 4096 * (1 + 2 * 64), run: () => gather(x, index) };
    },
  },
  {
    name: 'random/normal/4M',
    prepare: (engine) => ({ bytes: 16 * MEGA, run: () => noise(engine, [4 * MEGA]) }),
  },
];

export const kernelCases: readonly WorkCase[] = [
  ...matmulCases,
  ...linearCases,
  ...batchNormCases,
  ...crossEntropyCases,
  ...softmaxCases,
  ...poolCases,
  ...optimizerCases,
  ...clippingCases,
  ...augmentationCases,
  ...resizeCases,
  ...memoryCases,
];
