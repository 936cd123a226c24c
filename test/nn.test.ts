/** Modules: PyTorch's names and layouts, known parameter counts, state dicts, growing heads, freezing, initialisation. */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gradcheck } from '../src/entries/testing.ts';
import {
  BatchNorm2d,
  type Conv2d,
  Conv2d as Convolution,
  copyModule,
  createResNet,
  Flatten,
  Linear,
  loadStateDict,
  loadWeights,
  type Module,
  Random,
  ReLU,
  type ResNetName,
  type ResNetOptions,
  readSafetensors,
  Sequential,
  type StateDict,
  saveWeights,
  stateDict,
} from '../src/index.ts';
import { growLinear } from '../src/nn/head.ts';
import { paddedShortcut } from '../src/ops/shortcut.ts';
import { engine, errorOf, leaf, near, needs, relativeL2, uniform } from './support/engine.ts';
import { halfLeaf, halves, rounded } from './support/half.ts';

const small = { classes: 5, width: 4, inChannels: 2 } as const;
const network = (options: Partial<ResNetOptions> = {}) => createResNet(engine, 'resnet8', { ...small, ...options });
const images = (seed: number) => engine.tensor(uniform(2 * 8 * 8 * 2, seed), [2, 8, 8, 2]);

test('tensors have the names, order and shapes that PyTorch’s have', async () => {
  const { tensors } = readSafetensors(readFileSync('test/golden/resnet8_sgd.safetensors'));
  const expected = [...tensors].flatMap(([name, { shape }]): [string, number[]][] =>
    name.startsWith('state.') ? [[name.slice('state.'.length), [...shape]]] : [],
  );
  const model = createResNet(engine, 'resnet8', { classes: 10 });
  const state = [...(await stateDict(model))].map(([name, { shape }]): [string, number[]] => [name, [...shape]]);
  assert.equal(
    state,
    expected.filter(([name]) => !name.endsWith('num_batches_tracked')),
  );
  assert.is(model.namedBuffers().length, 2 * 7);
  assert.ok(model.namedBuffers().every(({ name }) => /running_(mean|var)$/.test(name)));
});

test('ResNet-18 has torchvision’s names, with projections where the size changes', async () => {
  const model = createResNet(engine, 'resnet18', { classes: 10, width: 4, stem: 'imagenet' });
  const state = await stateDict(model);
  assert.equal(state.get('conv1.weight')?.shape, [4, 3, 7, 7]);
  assert.equal(state.get('layer4.1.conv2.weight')?.shape, [32, 32, 3, 3]);
  assert.equal(state.get('layer2.0.downsample.0.weight')?.shape, [8, 4, 1, 1]);
  assert.ok(state.has('layer2.0.downsample.1.running_var'));
  assert.equal(
    [...state.keys()].filter((name) => name.endsWith('downsample.0.weight')),
    ['layer2.0.downsample.0.weight', 'layer3.0.downsample.0.weight', 'layer4.0.downsample.0.weight'],
  );
  assert.equal(model.eval().forward(engine.zeros([2, 64, 64, 3])).shape, [2, 10]);
  model.dispose();
});

/** Trained values as published: 0.27, 0.46, 0.85 million (He et al. 2016), 11.2 million with the CIFAR stem. */
const counts: [ResNetName, ResNetOptions, number][] = [
  ['resnet20', { classes: 10 }, 269_722],
  ['resnet32', { classes: 10 }, 464_154],
  ['resnet56', { classes: 10 }, 853_018],
  ['resnet18', { classes: 10 }, 11_173_962],
];
for (const [name, options, count] of counts) {
  test(`${name} for ${options.classes} classes has ${count} parameters`, () => {
    const model = createResNet(engine, name, options);
    assert.is(model.parameterCount, count);
    model.dispose();
  });
}

test('linear and convolution weights cross over in PyTorch’s layouts', async () => {
  const linear = new Linear(engine, 3, 2);
  loadStateDict(
    linear,
    new Map([
      ['weight', { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
      ['bias', { shape: [2], data: Float32Array.of(10, 20) }],
    ]),
  );
  await near(linear.forward(engine.tensor([[1, 0, 2]])), [17, 36], 1e-6);

  // Each output channel sees one corner of one input channel.
  const conv = new Convolution(engine, 2, 2, 2, { bias: false });
  const weight = new Float32Array(16);
  const place = (o: number, i: number, h: number, w: number) => ((o * 2 + i) * 2 + h) * 2 + w;
  weight[place(0, 1, 0, 1)] = 1;
  weight[place(1, 0, 1, 0)] = 10;
  loadStateDict(conv, new Map([['weight', { shape: [2, 2, 2, 2], data: weight }]]));
  const x = engine.tensor([[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]]); // biome-ignore format: one image of 2×2 pixels
  await near(conv.forward(x), [4, 50], 0);
  assert.equal([...((await stateDict(conv)).get('weight')?.data ?? [])], [...weight]);
});

test('saved weights make another model the same model', async () => {
  const model = network({ seed: 1 });
  model.forward(images(1)); // moves the running statistics
  const bytes = await saveWeights(model, { note: 'kept' });
  assert.is(readSafetensors(bytes).metadata.note, 'kept');
  const other = network({ seed: 2 });
  const logits = await model.eval().forward(images(2)).data();
  assert.ok(relativeL2(await other.eval().forward(images(2)).data(), logits) > 0.1);
  loadWeights(other, bytes);
  await near(other.forward(images(2)), logits, 0);
  assert.equal([...(await stateDict(other)).keys()], [...(await stateDict(model)).keys()]);
  const third = network({ seed: 3 });
  copyModule(model, third);
  await near(third.eval().forward(images(2)), logits, 0);
});

async function changed(change: (state: StateDict) => void): Promise<StateDict> {
  const state = await stateDict(network({ seed: 5 }));
  change(state);
  return state;
}

test('a state that does not fit is refused by name, and nothing of it is loaded', async () => {
  const model = network({ seed: 4 });
  const before = await stateDict(model);
  const vector = (n: number) => ({ shape: [n], data: new Float32Array(n) });
  const tells: [(state: StateDict) => void, RegExp][] = [
    [(s) => s.delete('layer1.0.bn1.running_mean'), /Missing: "layer1\.0\.bn1\.running_mean"\./],
    [(s) => s.set('layer9.weight', vector(1)), /Not in the model: "layer9\.weight"\./],
    [(s) => s.set('fc.bias', vector(6)), /Mismatched: "fc\.bias" has shape \[6\], the model \[5\]\. Create/],
    [(s) => s.clear(), /Missing: "conv1\.weight", "bn1\.weight", "bn1\.bias" and \d+ more\./],
  ];
  for (const [change, expected] of tells) {
    const state = await changed(change);
    const error = errorOf(() => loadStateDict(model, state));
    assert.is(error.name, 'CheckpointError');
    assert.match(error.message, expected);
  }
  assert.match(
    errorOf(() => copyModule(network({ width: 8 }), model)).message,
    /copyModule: the models differ: "conv1\.weight" .*3, 3, 2, 8/,
  );
  assert.equal(await stateDict(model), before);
});

test('a wrapped model’s state, with PyTorch’s batch counters, loads; a part of one when asked', async () => {
  const model = network({ seed: 4 });
  const state = await stateDict(network({ seed: 5 }));
  const wrapped: StateDict = new Map([...state].map(([name, entry]) => [`module.${name}`, entry]));
  wrapped.set('module.bn1.num_batches_tracked', { shape: [], data: Float32Array.of(7) });
  loadStateDict(model, wrapped);
  assert.equal(await stateDict(model), state);

  const part: StateDict = new Map([['fc.bias', { shape: [5], data: new Float32Array(5).fill(3) }]]);
  loadStateDict(model, part, { strict: false });
  const after = await stateDict(model);
  await near(model.fc.bias, [3, 3, 3, 3, 3], 0);
  assert.equal(after.get('conv1.weight'), state.get('conv1.weight'));
  const wrong: StateDict = new Map([['fc.bias', { shape: [1], data: new Float32Array(1) }]]);
  assert.throws(() => loadStateDict(model, wrong, { strict: false }), /has shape \[1\]/);
});

test('a grown head answers for the old classes as before, and can be trained', async () => {
  const model = network({ seed: 6 }).eval();
  const before = await model.forward(images(3)).data();
  const names = model.namedParameters().map(({ name }) => name);
  const live = engine.memory().liveBuffers;
  model.growHead(8, 1);
  assert.is(engine.memory().liveBuffers, live);
  assert.equal(
    model.namedParameters().map(({ name }) => name),
    names,
  );
  const after = await model.forward(images(3)).data();
  for (let i = 0; i < 2; i++) {
    await near(engine.tensor(after.slice(8 * i, 8 * i + 5)), before.slice(5 * i, 5 * i + 5), 1e-6);
    assert.ok(after.slice(8 * i + 5, 8 * i + 8).every((logit) => logit !== 0));
  }
  model.forward(images(3)).sum().backward();
  assert.equal(model.fc.weight.grad?.shape, [16, 8]);
  const { fc } = model;
  model.growHead(8);
  assert.is(model.fc, fc);
  assert.throws(() => model.growHead(7), /growLinear: cannot grow from 8 to 7 outputs/);
  const bare = growLinear(new Linear(engine, 2, 1, { bias: false }), 3, new Random(1));
  assert.is(bare.bias, null);
  assert.equal(bare.weight.shape, [2, 3]);
});

test('a frozen model computes without gradients, and stays as it is', async () => {
  const teacher = network({ seed: 7 }).freeze();
  assert.equal(teacher.parameters(), []);
  assert.not(teacher.training);
  const before = await stateDict(teacher);
  const logits = teacher.forward(images(4));
  assert.not(logits.requiresGrad);
  assert.equal(await stateDict(teacher), before);
});

test('training and inference reach every module inside', () => {
  const model = network();
  const inside = (module: Module): Module[] => [module, ...[...module.children()].flatMap(([, m]) => inside(m))];
  const modes = () => new Set(inside(model).map(({ training }) => training));
  assert.equal(modes(), new Set([true]));
  model.eval();
  assert.equal(modes(), new Set([false]));
  model.train();
  assert.equal(modes(), new Set([true]));
});

test('a sequence names its modules by number and runs them in order', async () => {
  const linear = new Linear(engine, 2, 1, { bias: false });
  const model = new Sequential(engine, new Flatten(engine), new ReLU(engine), linear, new BatchNorm2d(engine, 1));
  assert.equal(
    [...model.namedTensors()].map(({ name }) => name),
    ['2.weight', '3.weight', '3.bias', '3.running_mean', '3.running_var'],
  );
  loadStateDict(linear, new Map([['weight', { shape: [1, 2], data: Float32Array.of(1, 1) }]]));
  const y = model.eval().forward(engine.tensor([[[3], [-5]]]));
  await near(y, [3 / Math.sqrt(1 + 1e-5)], 1e-6);
});

test('initial weights are PyTorch’s: their spread, their seed', async () => {
  const model = createResNet(engine, 'resnet8', { classes: 100, width: 32, seed: 1 });
  const deviation = async (conv: Conv2d) => Math.hypot(...(await conv.weight.data())) / Math.sqrt(conv.weight.size);
  // He et al.'s √(2/fan out) for 3×3 kernels to 32 channels; 9216 numbers tell a deviation to about 1 %.
  const first = model.layer1.modules[0] as Module & { conv1: Conv2d };
  assert.ok(Math.abs((await deviation(first.conv1)) / Math.sqrt(2 / (9 * 32)) - 1) < 0.04);
  const head = await model.fc.weight.data();
  const bound = 1 / Math.sqrt(128);
  assert.ok(head.every((w) => Math.abs(w) <= bound) && head.some((w) => Math.abs(w) > 0.95 * bound));
  await near(model.bn1.weight, new Array(32).fill(1), 0);
  const again = createResNet(engine, 'resnet8', { classes: 100, width: 32, seed: 1 });
  assert.equal(await again.fc.weight.data(), head);
  const other = createResNet(engine, 'resnet8', { classes: 100, width: 32, seed: 2 });
  assert.not.equal(await other.fc.weight.data(), head);
});

test('layers without a seed of their own draw from the engine’s, each its own numbers', async () => {
  const layers = async () => {
    const made = [
      new Linear(engine, 3, 2),
      new Linear(engine, 3, 2),
      new Convolution(engine, 3, 2, 1),
      new Convolution(engine, 3, 2, 1, { init: 'kaiming-normal' }),
    ];
    return Promise.all(made.map(async ({ weight }) => [...(await weight.data())]));
  };
  engine.seed(3);
  const first = await layers();
  assert.is(new Set(first.map(String)).size, first.length);
  const next = await layers();
  assert.not.equal(next, first);
  engine.seed(3);
  engine.normal([2]);
  assert.equal(await layers(), first);
  engine.seed(4);
  assert.not.equal(await layers(), first);
  const explicit = async () => [...(await new Linear(engine, 3, 2, { random: new Random(5) }).weight.data())];
  assert.equal(await explicit(), await explicit());
});

test('a ResNet starts from its own seed, whatever the engine’s', async () => {
  const weights = async () => {
    const model = createResNet(engine, 'resnet8', { ...small, seed: 9 });
    return [await model.conv1.weight.data(), await model.fc.weight.data()];
  };
  engine.seed(1);
  const first = await weights();
  new Linear(engine, 2, 2);
  engine.seed(2);
  assert.equal(await weights(), first);
});

for (const [size, stride, inChannels, outChannels] of [
  [[4, 4], 2, 4, 8],
  [[5, 7], 2, 3, 6],
  [[3, 2], 1, 2, 5],
  [[5, 4], 3, 1, 1],
] as const) {
  test(`the shortcut of ${size.join('×')} by stride ${stride}, ${inChannels} to ${outChannels} channels`, async () => {
    const [height, width] = size;
    const [rows, columns] = size.map((n) => Math.ceil(n / stride)) as [number, number];
    const reference = (x: Float64Array) => {
      const y = new Float64Array(2 * rows * columns * outChannels);
      for (let n = 0; n < 2; n++)
        for (let r = 0; r < rows; r++)
          for (let s = 0; s < columns; s++)
            for (let c = 0; c < inChannels; c++)
              y[((n * rows + r) * columns + s) * outChannels + c] =
                x[((n * height + r * stride) * width + s * stride) * inChannels + c]!;
      return y;
    };
    const x = engine.tensor(uniform(2 * height * width * inChannels, 1), [2, height, width, inChannels]);
    await gradcheck((image) => paddedShortcut(image, stride, outChannels), reference, [x]);
  });
}

needs('shader-f16')('the shortcut of f16 images is that of f32 ones, backward too', async () => {
  const x = leaf(rounded(uniform(2 * 5 * 7 * 3, 1)), [2, 5, 7, 3]);
  const half = halfLeaf(await x.data(), x.shape);
  const [y, expected] = [paddedShortcut(half, 2, 6), paddedShortcut(x, 2, 6)];
  assert.equal([y.dtype, await y.data()], ['f16', await expected.data()]);
  const dy = rounded(uniform(y.size, 2));
  y.backward(halves(dy, y.shape));
  expected.backward(engine.tensor(dy, y.shape));
  assert.equal(await half.grad!.data(), await x.grad!.data());
});

test('networks and images that do not fit are refused', () => {
  const message = (fn: () => unknown) => errorOf(fn).message;
  const named = (name: string) => createResNet(engine, name as ResNetName, { classes: 2 });
  const tells: [() => unknown, RegExp][] = [
    [() => named('resnet9'), /"resnet9" is not a known network.* resnet8/],
    [() => named('vgg16'), /"vgg16" is not a known network/],
    [() => network({ classes: 0 }), /outFeatures must be a whole number of at least 1, not 0/],
    [() => network({ width: 1.5 }), /must be a whole number of at least 1, not 1\.5/],
    [() => network().forward(engine.zeros([2, 2, 8, 8])), /takes images \[n, h, w, 2\], not \[2, 2, 8, 8\]/],
    [() => paddedShortcut(engine.zeros([1, 2, 2, 4]), 2, 2), /paddedShortcut: takes images \[n, h, w, c\] with c ≤ 2/],
  ];
  for (const [fn, expected] of tells) assert.match(message(fn), expected);
});

test.run();
