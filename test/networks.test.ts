/**
 * The deeper networks: names and shapes as their references have them, and logits beside a forward pass in float64 that is
 * written here from the publications, by names in the state dict alone.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ArgumentError,
  checkpointed,
  copyModule,
  createBackbone,
  createResNet,
  flopsPerImage,
  loadStateDict,
  MobileNetV2,
  type Module,
  ShapeError,
  WideResNet,
} from '../src/index.ts';
import { engine, errorOf, near, uniform } from './support/engine.ts';
import { Images, type State, scrambledState } from './support/networks.ts';

/** Names with shapes as text, in order: `name [a, b]`. */
const listOf = (model: Module): string[] =>
  [...model.namedTensors()].map(({ name, tensor: { shape }, layout }) => {
    const ordered =
      layout === 'OIHW' ? [3, 2, 0, 1].map((axis) => shape[axis]) : layout === 'OI' ? [shape[1], shape[0]] : shape;
    return `${name} [${ordered.join(', ')}]`;
  });

/** What batch norm is called by, behind a prefix. */
const norm = (prefix: string, channels: number) =>
  ['weight', 'bias', 'running_mean', 'running_var'].map((name) => `${prefix}.${name} [${channels}]`);

/** Loads seeded weights with running statistics that matter, and compares the logits in inference. */
async function checkLogits(
  model: Module,
  shape: readonly [number, number, number, number],
  reference: (x: Images, state: State) => Float64Array,
): Promise<void> {
  const state = scrambledState(model);
  loadStateDict(model, state);
  model.eval();
  const pixels = uniform(
    shape.reduce((a, b) => a * b),
    5,
  );
  const expected = reference(new Images(shape, pixels), state);
  await near(model.forward(engine.tensor(pixels, shape)), expected, 2e-5, 'logits');
}

/** torchvision's ResNets and ResNeXts of bottlenecks. */
function bottlenecks(blocks: readonly number[], groups: number, imagenet: boolean) {
  return (images: Images, state: State): Float64Array => {
    let x = images.convolve(state, 'conv1', imagenet ? { stride: 2, padding: 3 } : { padding: 1 });
    x = x.normalize(state, 'bn1').relu();
    if (imagenet) x = x.maxPool3x3();
    blocks.forEach((count, stage) => {
      for (let i = 0; i < count; i++) {
        const at = `layer${stage + 1}.${i}`;
        const stride = stage > 0 && i === 0 ? 2 : 1;
        let y = x.convolve(state, `${at}.conv1`, {}).normalize(state, `${at}.bn1`).relu();
        y = y.convolve(state, `${at}.conv2`, { stride, padding: 1, groups }).normalize(state, `${at}.bn2`).relu();
        y = y.convolve(state, `${at}.conv3`, {}).normalize(state, `${at}.bn3`);
        const short =
          i === 0 ? x.convolve(state, `${at}.downsample.0`, { stride }).normalize(state, `${at}.downsample.1`) : x;
        x = y.plus(short).relu();
      }
    });
    return x.means().classify(state, 'fc');
  };
}

test('ResNet-50 has torchvision’s names and shapes', () => {
  const model = createResNet(engine, 'resnet50', { classes: 1000, stem: 'imagenet' });
  const expected = ['conv1.weight [64, 3, 7, 7]', ...norm('bn1', 64)];
  [3, 4, 6, 3].forEach((count, stage) => {
    const [planes, out] = [64 * 2 ** stage, 256 * 2 ** stage];
    for (let i = 0; i < count; i++) {
      const at = `layer${stage + 1}.${i}`;
      const from = i > 0 ? out : stage === 0 ? 64 : out / 2;
      expected.push(
        `${at}.conv1.weight [${planes}, ${from}, 1, 1]`,
        ...norm(`${at}.bn1`, planes),
        `${at}.conv2.weight [${planes}, ${planes}, 3, 3]`,
        ...norm(`${at}.bn2`, planes),
        `${at}.conv3.weight [${out}, ${planes}, 1, 1]`,
        ...norm(`${at}.bn3`, out),
        ...(i === 0 ? [`${at}.downsample.0.weight [${out}, ${from}, 1, 1]`, ...norm(`${at}.downsample.1`, out)] : []),
      );
    }
  });
  expected.push('fc.weight [1000, 2048]', 'fc.bias [1000]');
  assert.equal(listOf(model), expected);
  assert.is(model.parameterCount, 25_557_032);
  assert.is((flopsPerImage(model, { height: 224, width: 224 }) / 2e9).toFixed(2), '4.09');
  model.dispose();
});

test('parameters and multiply-adds of the others are torchvision’s', () => {
  for (const [name, parameters, giga] of [
    ['resnet101', 44_549_160, '7.80'],
    ['resnext50_32x4d', 25_028_904, '4.23'],
  ] as const) {
    const model = createResNet(engine, name, { classes: 1000, stem: 'imagenet' });
    assert.is(model.parameterCount, parameters, name);
    assert.is((flopsPerImage(model, { height: 224, width: 224 }) / 2e9).toFixed(2), giga, name);
    model.dispose();
  }
});

test('ResNeXt-50 32×4d has torchvision’s groups', () => {
  const model = createResNet(engine, 'resnext50_32x4d', { classes: 10 });
  const list = listOf(model);
  for (const expected of [
    'conv1.weight [64, 3, 3, 3]',
    'layer1.0.conv1.weight [128, 64, 1, 1]',
    'layer1.0.conv2.weight [128, 4, 3, 3]',
    'layer1.0.conv3.weight [256, 128, 1, 1]',
    'layer4.2.conv2.weight [1024, 32, 3, 3]',
    'layer4.2.conv3.weight [2048, 1024, 1, 1]',
    'fc.weight [10, 2048]',
  ])
    assert.ok(list.includes(expected), expected);
  model.dispose();
});

test('logits of narrow bottleneck networks agree with float64', async () => {
  for (const [name, width, groups, imagenet] of [
    ['resnet50', 8, 1, false],
    ['resnet50', 8, 1, true],
    ['resnext50_32x4d', 16, 32, false],
  ] as const) {
    const model = createResNet(engine, name, { classes: 7, width, stem: imagenet ? 'imagenet' : 'cifar' });
    await checkLogits(model, [1, 11, 14, 3], bottlenecks([3, 4, 6, 3], groups, imagenet));
    model.dispose();
  }
});

/** github.com/xternalz/WideResNet-pytorch. */
const wide = (images: Images, state: State): Float64Array => {
  let x = images.convolve(state, 'conv1', { padding: 1 });
  for (const stage of [1, 2, 3])
    for (let i = 0; i < 2; i++) {
      const at = `block${stage}.layer.${i}`;
      const stride = stage > 1 && i === 0 ? 2 : 1;
      const before = x.normalize(state, `${at}.bn1`).relu();
      let y = before.convolve(state, `${at}.conv1`, { stride, padding: 1 }).normalize(state, `${at}.bn2`).relu();
      y = y.convolve(state, `${at}.conv2`, { padding: 1 });
      x = y.plus(i === 0 ? before.convolve(state, `${at}.convShortcut`, { stride }) : x);
    }
  return x.normalize(state, 'bn1').relu().means().classify(state, 'fc');
};

test('WideResNet has the names, shapes and logits of its reference', async () => {
  const model = new WideResNet(engine, { classes: 10 });
  assert.is(model.parameterCount, 36_479_194);
  const blocks = [1024, 256, 64].map((pixels, i) => {
    const [from, to] = [[16, 160, 320][i] as number, 160 * 2 ** i];
    return pixels * (9 * from * to + from * to + 7 * 9 * to * to);
  });
  const multiplyAdds = 1024 * 27 * 16 + blocks.reduce((a, b) => a + b) + 640 * 10;
  assert.is(flopsPerImage(model, { height: 32, width: 32 }), 2 * multiplyAdds);
  const list = listOf(model);
  assert.equal(list.slice(0, 13), [
    'conv1.weight [16, 3, 3, 3]',
    ...norm('block1.layer.0.bn1', 16),
    'block1.layer.0.conv1.weight [160, 16, 3, 3]',
    ...norm('block1.layer.0.bn2', 160),
    'block1.layer.0.conv2.weight [160, 160, 3, 3]',
    'block1.layer.0.convShortcut.weight [160, 16, 1, 1]',
    'block1.layer.1.bn1.weight [160]',
  ]);
  assert.equal(list.slice(-6), [...norm('bn1', 640), 'fc.weight [10, 640]', 'fc.bias [10]']);
  model.dispose();
  const narrow = new WideResNet(engine, { classes: 5, depth: 16, widen: 2, dropout: 0.3 });
  await checkLogits(narrow, [2, 10, 9, 3], wide);
  narrow.dispose();
});

/** torchvision's MobileNetV2, and the multiples of eight that its widths make. */
const mobile = (images: Images, state: State): Float64Array => {
  const layer = (x: Images, at: string, options: Parameters<Images['convolve']>[2]) =>
    x.convolve(state, `${at}.0`, options).normalize(state, `${at}.1`).relu(6);
  let x = layer(images, 'features.0', { stride: 2, padding: 1 });
  let index = 1;
  for (const [expansion, , count, first] of mobileStages)
    for (let i = 0; i < count; i++) {
      const at = `features.${index++}.conv`;
      const stride = i === 0 ? first : 1;
      let y = x;
      let part = 0;
      if (expansion > 1) y = layer(y, `${at}.${part++}`, {});
      y = layer(y, `${at}.${part++}`, { stride, padding: 1, groups: y.channels });
      y = y.convolve(state, `${at}.${part++}`, {}).normalize(state, `${at}.${part}`);
      x = stride === 1 && y.channels === x.channels ? y.plus(x) : y;
    }
  return layer(x, `features.${index}`, {}).means().classify(state, 'classifier.1');
};

const mobileStages = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

test('MobileNetV2 has torchvision’s names and shapes', () => {
  const model = new MobileNetV2(engine, { classes: 1000 });
  const expected = ['features.0.0.weight [32, 3, 3, 3]', ...norm('features.0.1', 32)];
  let [index, from] = [1, 32];
  for (const [expansion, to, count] of mobileStages)
    for (let i = 0; i < count; i++) {
      const [at, inner] = [`features.${index++}.conv`, from * expansion];
      let part = 0;
      if (expansion > 1) {
        expected.push(`${at}.0.0.weight [${inner}, ${from}, 1, 1]`, ...norm(`${at}.0.1`, inner));
        part = 1;
      }
      expected.push(
        `${at}.${part}.0.weight [${inner}, 1, 3, 3]`,
        ...norm(`${at}.${part}.1`, inner),
        `${at}.${part + 1}.weight [${to}, ${inner}, 1, 1]`,
        ...norm(`${at}.${part + 2}`, to),
      );
      from = to;
    }
  expected.push('features.18.0.weight [1280, 320, 1, 1]', ...norm('features.18.1', 1280));
  expected.push('classifier.1.weight [1000, 1280]', 'classifier.1.bias [1000]');
  assert.equal(listOf(model), expected);
  assert.is(model.parameterCount, 3_504_872);
  assert.is((flopsPerImage(model, { height: 224, width: 224 }) / 2e6).toFixed(0), '301');
  model.dispose();
});

test('logits of MobileNetV2 agree with float64; a width is in multiples of eight', async () => {
  const model = new MobileNetV2(engine, { classes: 6, width: 0.35 });
  const shapes = new Map(listOf(model).map((line) => line.split(/ (?=\[)/) as [string, string]));
  // What torchvision's _make_divisible makes of 32, 24, 96 and 1280.
  assert.is(shapes.get('features.0.0.weight'), '[16, 3, 3, 3]');
  assert.is(shapes.get('features.2.conv.2.weight'), '[8, 48, 1, 1]');
  assert.is(shapes.get('features.11.conv.2.weight'), '[32, 144, 1, 1]');
  assert.is(shapes.get('features.18.0.weight'), '[1280, 112, 1, 1]');
  await checkLogits(model, [2, 33, 40, 3], mobile);
  model.dispose();
});

test('a step of training moves every parameter; copies and recomputed blocks do the same', async () => {
  const x = engine.tensor(uniform(2 * 12 * 12 * 3, 3), [2, 12, 12, 3]);
  for (const make of [
    () => createResNet(engine, 'resnext50_32x4d', { classes: 4, width: 16 }),
    () => new WideResNet(engine, { classes: 4, depth: 10, widen: 1 }),
    () => new MobileNetV2(engine, { classes: 4, width: 0.25, dropout: 0 }),
  ]) {
    const [model, copy] = [make(), make()];
    loadStateDict(model, scrambledState(model));
    copyModule(model, copy);
    const gradients = async (of: Module, forward: (input: typeof x) => typeof x) => {
      of.zeroGrad();
      forward(x).square().sum().backward();
      return Promise.all(of.parameters().map((parameter) => parameter.grad!.data()));
    };
    const plain = await gradients(model, (input) => model.forward(input));
    assert.ok(plain.every((gradient) => gradient.some((value) => value !== 0)));
    const again = await gradients(copy, (input) => checkpointed(copy, input));
    for (const [i, gradient] of again.entries()) await near(engine.tensor(gradient), plain[i]!, 1e-5);
    model.dispose();
    copy.dispose();
  }
});

test('backbones have the maps of every stage, and options that do not fit are refused', () => {
  const backbone = createBackbone(engine, 'resnet50', { width: 8 });
  const { features, stages } = backbone.outputs(engine.zeros([2, 16, 16, 3]));
  assert.equal(features.shape, [2, 256]);
  assert.equal(
    stages.map(({ shape }) => shape),
    [
      [2, 16, 16, 32],
      [2, 8, 8, 64],
      [2, 4, 4, 128],
      [2, 2, 2, 256],
    ],
  );
  backbone.dispose();
  assert.instance(
    errorOf(() => new WideResNet(engine, { classes: 3, depth: 20 })),
    ArgumentError,
  );
  assert.instance(
    errorOf(() => new MobileNetV2(engine, { classes: 3, width: 0 })),
    ArgumentError,
  );
  assert.instance(
    errorOf(() => new MobileNetV2(engine, { classes: 3, dropout: 1.5 })),
    ArgumentError,
  );
  assert.match(errorOf(() => createResNet(engine, 'resnet51', { classes: 3 })).message, /resnext50_32x4d/);
  const model = new MobileNetV2(engine, { classes: 2, width: 0.1 });
  assert.instance(
    errorOf(() => model.forward(engine.zeros([1, 32, 32, 1]))),
    ShapeError,
  );
  model.dispose();
});

test.run();
