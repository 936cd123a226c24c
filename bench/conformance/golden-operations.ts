/** The golden cases of single operations: run forwards and backwards on the file's inputs, compare everything it holds. */

import { groupKD, groupLosses } from '../../src/distill/group-kd.ts';
import { TaskPool } from '../../src/distill/task-pool.ts';
import {
  avgPool2d,
  backward,
  batchNorm,
  conv1d,
  conv2d,
  convTranspose2d,
  crossEntropy,
  linear,
  maxPool2d,
  type Tensor,
} from '../../src/index.ts';
import type { GoldenCase, Layout } from './golden-case.ts';
import { METHOD_CASES } from './golden-methods.ts';
import { resnetCase } from './golden-resnet.ts';

const TOLERANCE = 1e-5;

type Run = (given: GoldenCase) => Promise<void>;

/** Compares `d<name>` with the gradient of each leaf. */
async function compareGradients(given: GoldenCase, leaves: Record<string, [Tensor, Layout] | null>): Promise<void> {
  for (const [name, entry] of Object.entries(leaves)) {
    if (entry) await given.compare(`d${name}`, entry[0].grad, TOLERANCE, entry[1]);
  }
}

/** A convolution of any kind. */
function convolutionCase(run: (given: GoldenCase, x: Tensor, weight: Tensor, bias?: Tensor) => Tensor): Run {
  return async (given) => {
    const x = given.leaf('x', 'images');
    const weight = given.leaf('weight', 'conv');
    const bias = given.has('bias') ? given.leaf('bias') : null;
    const y = run(given, x, weight, bias ?? undefined);
    backward(y, given.tensor('dy', 'images'));
    await given.compare('y', y, TOLERANCE, 'images');
    await compareGradients(given, { x: [x, 'images'], weight: [weight, 'conv'], bias: bias && [bias, 'same'] });
  };
}

/** PyTorch's words for padding, or numbers. */
const paddingOf = (given: GoldenCase) => {
  const word = given.text('padding', '');
  return word === 'same' || word === 'valid' ? word : given.pair('padding', [0, 0]);
};

const conv2dCase = convolutionCase((given, x, weight, bias) =>
  conv2d(x, weight, {
    ...(bias ? { bias } : {}),
    stride: given.pair('stride', [1, 1]),
    padding: paddingOf(given),
    dilation: given.pair('dilation', [1, 1]),
    groups: given.number('groups', 1),
  }),
);

const conv1dCase = convolutionCase((given, x, weight, bias) => {
  const padding = paddingOf(given);
  return conv1d(x, weight, {
    ...(bias ? { bias } : {}),
    stride: given.pair('stride', [1, 1])[0],
    padding: typeof padding === 'string' ? padding : padding[0],
    dilation: given.pair('dilation', [1, 1])[0],
    groups: given.number('groups', 1),
  });
});

const convTranspose2dCase = convolutionCase((given, x, weight, bias) =>
  convTranspose2d(x, weight, {
    ...(bias ? { bias } : {}),
    stride: given.pair('stride', [1, 1]),
    padding: given.pair('padding', [0, 0]),
    outputPadding: given.pair('output_padding', [0, 0]),
    dilation: given.pair('dilation', [1, 1]),
    groups: given.number('groups', 1),
  }),
);

async function batchNormCase(given: GoldenCase): Promise<void> {
  const { engine } = given;
  const x = given.leaf('x', 'images');
  const channels = x.shape.at(-1) as number;
  const weight = given.has('weight') ? given.leaf('weight') : engine.ones([channels]);
  const bias = given.has('bias') ? given.leaf('bias') : engine.zeros([channels]);
  const residual = given.flag('residual', given.has('residual')) ? given.leaf('residual', 'images') : null;
  const runningMean = engine.zeros([channels]);
  const runningVar = engine.ones([channels]);
  const options = {
    weight,
    bias,
    runningMean,
    runningVar,
    training: true,
    momentum: given.number('momentum', 0.1),
    eps: given.number('eps', 1e-5),
    relu: given.flag('relu', false),
  };
  const y = batchNorm(x, residual ? { ...options, residual } : options);
  backward(y, given.tensor('dy', 'images'));
  await given.compare('y', y, TOLERANCE, 'images');
  await given.compare('running_mean', runningMean, TOLERANCE);
  await given.compare('running_var', runningVar, TOLERANCE);
  await compareGradients(given, {
    x: [x, 'images'],
    weight: [weight, 'same'],
    bias: [bias, 'same'],
    residual: residual && [residual, 'images'],
  });
}

function poolCase(pool: typeof maxPool2d | typeof avgPool2d): Run {
  return async (given) => {
    given.only('ceil_mode', false);
    given.only('dilation', 1);
    const x = given.leaf('x', 'images');
    const kernel = given.pair('kernel');
    const y = pool(x, {
      kernel,
      stride: given.pair('stride', kernel),
      padding: given.pair('padding', [0, 0]),
      countIncludePad: given.flag('count_include_pad', true),
    });
    backward(y, given.tensor('dy', 'images'));
    await given.compare('y', y, TOLERANCE, 'images');
    await compareGradients(given, { x: [x, 'images'] });
  };
}

async function linearCase(given: GoldenCase): Promise<void> {
  const x = given.leaf('x');
  const weight = given.leaf('weight', 'linear');
  const bias = given.has('bias') ? given.leaf('bias') : null;
  const logits = linear(x, weight, bias);
  const loss = crossEntropy(logits, given.integers('target'), { labelSmoothing: given.number('label_smoothing', 0) });
  loss.backward();
  await given.compare('logits', logits, TOLERANCE);
  await given.compare('loss', loss, TOLERANCE);
  await compareGradients(given, { x: [x, 'same'], weight: [weight, 'linear'], bias: bias && [bias, 'same'] });
}

/** The weights are used as they are; the dense pool in its natural order goes by its own, enumerating kernels too. */
async function groupKDCase(given: GoldenCase): Promise<void> {
  const masks = Array.from(given.numbers('masks'));
  const sizes = Array.from(given.numbers('task_sizes'));
  const temperature = given.number('temperature');
  const weights = Float32Array.from(given.numbers('weights'));
  const teacher = given.tensor('teacher');
  const dense = masks.length === 2 ** sizes.length - 1 && masks.every((mask, i) => mask === i + 1);
  const listed = TaskPool.fromMasks(masks, sizes);
  for (const pool of dense ? [listed, TaskPool.of('dense', sizes)] : [listed]) {
    const student = given.leaf('student');
    const loss = groupKD(student, teacher, pool, { temperature, weights, normalize: false });
    loss.backward();
    await given.compare('loss', loss, TOLERANCE);
    await given.compare('dstudent', student.grad, TOLERANCE);
    await given.compare('group_loss', groupLosses(student, teacher, pool, { temperature }).mean(0), TOLERANCE);
  }
}

/** How each case is run, by the name in the file. */
export const GOLDEN_CASES: Readonly<Record<string, Run>> = {
  conv1d: conv1dCase,
  conv2d: conv2dCase,
  conv_transpose2d: convTranspose2dCase,
  batch_norm: batchNormCase,
  max_pool2d: poolCase(maxPool2d),
  avg_pool2d: poolCase(avgPool2d),
  'linear+cross_entropy': linearCase,
  grouped_softmax_kd: groupKDCase,
  resnet: resnetCase,
  ...METHOD_CASES,
};
