import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { wgsl } from '../src/gpu/wgsl/link-wgsl.ts';
import {
  ArgumentError,
  AutogradError,
  batchNorm,
  concat,
  conv2d,
  crossEntropy,
  DTypeError,
  Engine,
  EngineMismatchError,
  EngramError,
  FreedTensorError,
  gather,
  layerNorm,
  linear,
  matmul,
  maxPool2d,
  OutOfMemoryError,
  ShapeError,
  scatterAdd,
  softmax,
  type Tensor,
  ValidationError,
  where,
} from '../src/index.ts';
import { engine, errorOf, leaf, near } from './support/engine.ts';

type ErrorClass = new (...args: never[]) => EngramError;

const zeros = (...shape: number[]) => engine.zeros(shape);

/** Batch norm of x with vectors of this size. */
const normalise = (x: Tensor, channels: number) => {
  const vector = engine.ones([channels]);
  return batchNorm(x, { weight: vector, bias: vector, runningMean: vector, runningVar: vector, training: true });
};

/** What is wrong, the class of its error, the operation named first, and what the message must tell. */
const mistakes: [string, () => unknown, ErrorClass, string, RegExp][] = [
  ['shapes that do not broadcast', () => zeros(2, 3).add(zeros(3, 2)), ShapeError, 'add', /\[2, 3\] and \[3, 2\]/],
  [
    'windows by another name, from JavaScript',
    () => maxPool2d(zeros(1, 4, 4, 1), { size: 2 } as never),
    ArgumentError,
    'maxPool2d',
    /the size of the windows is not given\. Give it as `kernel`/,
  ],
  [
    'a pooling without options, from JavaScript',
    () => maxPool2d(zeros(1, 4, 4, 1), undefined as never),
    ArgumentError,
    'maxPool2d',
    /Give it as `kernel`/,
  ],
  [
    'a kernel that is no size, from JavaScript',
    () => maxPool2d(zeros(1, 4, 4, 1), { kernel: null as never }),
    ArgumentError,
    'maxPool2d',
    /kernel is null; a whole number of at least 1, or two of them/,
  ],
  [
    'options in the place of a shape, from JavaScript',
    () => layerNorm(zeros(2, 3), {} as never),
    ArgumentError,
    'layerNorm',
    /the shape of the last axes is \{\}.*such as \[3\] for the last axis/,
  ],
  [
    'a number in the place of a tensor, from JavaScript',
    () => scatterAdd(zeros(4), engine.zeros([2], 'i32'), 3 as never),
    ArgumentError,
    'scatterAdd',
    /takes tensors; was given 3\. .*engine\.tensor/,
  ],
  [
    'an array in the place of a tensor, from JavaScript',
    () => matmul([[1]] as never, zeros(1, 1)),
    ArgumentError,
    'matmul',
    /takes tensors; was given an array/,
  ],
  ['an axis out of range', () => zeros(2).sum(1), ShapeError, 'sum', /axis 1 .* rank 1/],
  [
    'a matrix product of other sizes',
    () => matmul(zeros(2, 3), zeros(4, 5)),
    ShapeError,
    'matmul',
    /\[2, 3\].*\[4, 5\]/,
  ],
  ['a matrix product of a vector', () => matmul(zeros(3), zeros(3, 1)), ShapeError, 'matmul', /at least two axes/],
  ['a layer for other features', () => linear(zeros(2, 3), zeros(4, 5)), ShapeError, 'linear', /\[2, 3\].*\[4, 5\]/],
  ['a bias of another size', () => linear(zeros(2, 3), zeros(3, 5), zeros(4)), ShapeError, 'linear', /needs \[5\]/],
  [
    'images in PyTorch’s order',
    () => conv2d(zeros(2, 3, 8, 8), zeros(3, 3, 3, 4)),
    ShapeError,
    'conv2d',
    /8 channels.*take 3.*transposed/,
  ],
  [
    'a kernel larger than the image',
    () => conv2d(zeros(1, 2, 2, 1), zeros(5, 5, 1, 1)),
    ShapeError,
    'conv2d',
    /larger/,
  ],
  [
    'a stride of zero',
    () => conv2d(zeros(1, 4, 4, 1), zeros(1, 1, 1, 1), { stride: 0 }),
    ArgumentError,
    'conv2d',
    /stride is 0/,
  ],
  ['a batch of one in batch norm', () => normalise(zeros(1, 8), 8), ArgumentError, 'batchNorm', /one value a channel/],
  ['batch norm for other channels', () => normalise(zeros(4, 8), 3), ShapeError, 'batchNorm', /\[3\].*needs \[8\]/],
  [
    'padding beyond half a window',
    () => maxPool2d(zeros(1, 4, 4, 1), { kernel: 2, padding: 2 }),
    ArgumentError,
    'maxPool2d',
    /half the kernel/,
  ],
  [
    'targets for another batch',
    () => crossEntropy(zeros(3, 4), engine.zeros([2], 'i32')),
    ShapeError,
    'crossEntropy',
    /\[3, 4\] and \[2\]/,
  ],
  ['float targets', () => crossEntropy(zeros(3, 4), zeros(3)), DTypeError, 'crossEntropy', /cast\(\)/],
  ['a float index', () => gather(zeros(3, 4), zeros(2)), DTypeError, 'gather', /must be i32/],
  ['dtypes mixed', () => zeros(2).mul(engine.zeros([2], 'u32')), DTypeError, 'mul', /f32\[2\], u32\[2\]/],
  ['a float condition', () => where(zeros(2), 1, zeros(2)), DTypeError, 'where', /u32/],
  ['softmax of integers', () => softmax(engine.zeros([2], 'i32')), DTypeError, 'softmax', /f32 or f16.*i32/],
  [
    'elements that do not fill a shape',
    () => engine.tensor([1, 2, 3], [2, 2]),
    ShapeError,
    'tensor',
    /3 elements .* \[2, 2\]/,
  ],
  ['a reshape to another size', () => zeros(6).reshape([4, 2]), ShapeError, 'reshape', /\[6\] \(6 elements\)/],
  [
    'backward from a matrix',
    () => leaf([1, 2], [2]).mul(2).backward(),
    AutogradError,
    'backward',
    /\[2\] needs a seed/,
  ],
];

for (const [title, make, kind, place, told] of mistakes) {
  test(`${title}: refused in one paragraph that names the operation`, () => {
    const error = errorOf(make);
    assert.instance(error, kind);
    assert.instance(error, EngramError);
    assert.ok(error.message.startsWith(`${place}: `), error.message);
    assert.match(error.message, told);
    assert.not.ok(error.message.includes('\n'), error.message);
    assert.not.match(error.message, /undefined|NaN|\[object/);
  });
}

test('tensors of two engines do not mix in any operation', async () => {
  const other = await Engine.create();
  const [a, b] = [zeros(2, 2), other.zeros([2, 2])];
  const target = other.zeros([2], 'i32');
  for (const mix of [
    () => a.add(b),
    () => b.maximum(a),
    () => matmul(a, b),
    () => linear(a, b),
    () => concat([a, b]),
    () => gather(a, target),
    () => crossEntropy(a, target),
    () => where(b.greater(0), a, 1),
    () => normalise(b, 2),
    () => conv2d(a.reshape([1, 2, 2, 1]), other.zeros([1, 1, 1, 1])),
  ]) {
    const error = errorOf(mix);
    assert.instance(error, EngineMismatchError, error.message);
    assert.match(error.message, /^\w+: tensors of two engines were mixed/);
  }
  await other.destroy();
});

test('backward through what a scope has freed says so', () => {
  const x = leaf([1, 2], [2]);
  const loss = engine.scope(() => x.exp().mul(x).sum());
  const error = errorOf(() => loss.backward());
  assert.instance(error, FreedTensorError);
  assert.match(error.message, /was freed\. .*return it from the scope that made it/);
});

test('a tensor larger than the device’s buffers is refused before it is made', () => {
  const most = engine.device.limits.maxStorageBufferBindingSize / 4;
  const row = leaf([1], [1, 1]);
  const error = errorOf(() =>
    row.add(engine.zeros([2 ** 16, 1])).add(engine.zeros([1, Math.ceil(most / 2 ** 16) + 1])),
  );
  assert.instance(error, OutOfMemoryError);
  assert.match(error.message, /^add: a tensor of \d+ bytes is larger than this device's largest storage buffer/);
});

test('a kernel that does not compile is reported by name at the next read, and only there', async () => {
  const broken = { name: 'broken_kernel', source: wgsl`@compute @workgroup_size(1) fn main() { let x: u32 = 1.5; }` };
  engine.dispatch({ kernel: broken, buffers: [], workgroups: [1] });
  const reason = await engine
    .ones([1])
    .data()
    .catch((error: Error) => error);
  assert.instance(reason, ValidationError);
  assert.match((reason as Error).message, /^broken_kernel: the kernel did not compile: line 1/);
});

test('after all of this the engine still computes', async () => {
  assert.is(engine.scopes.length, 0);
  assert.ok(engine.gradEnabled);
  const x = leaf([2, 3], [2]);
  x.square().sum().backward();
  await near(x.grad, [4, 6], 0);
});

test.run();
