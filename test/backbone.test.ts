import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createBackbone, createResNet, stateDict } from '../src/index.ts';
import { engine, near, uniform } from './support/engine.ts';

const small = { width: 4, inChannels: 2, seed: 5 } as const;
const images = (size = 8) => engine.tensor(uniform(3 * size * size * 2, 7), [3, size, size, 2]);

test('a backbone has the weights and features of the ResNet of its seed, without the classifier', async () => {
  const whole = createResNet(engine, 'resnet8', { ...small, classes: 5 });
  const backbone = createBackbone(engine, 'resnet8', small);
  const state = await stateDict(whole);
  const own = await stateDict(backbone);
  assert.equal([...own.keys()], [...state.keys()].slice(0, -2));
  assert.equal([...state.keys()].slice(-2), ['fc.weight', 'fc.bias']);
  for (const [name, { data }] of own) assert.equal(data, state.get(name)?.data, name);
  const x = images();
  const features = whole.eval().features(x);
  assert.equal(await backbone.eval().forward(x).data(), await features.data());
  assert.equal(await whole.forward(x).data(), await whole.fc.forward(features).data());
  for (const model of [whole, backbone]) model.dispose();
});

test('outputs gives the map after each stage; features are the means of the last', async () => {
  for (const [name, shapes] of [
    ['resnet8', [4, 8, 16].map((channels, i) => [3, 8 >> i, 8 >> i, channels])],
    ['resnet18', [4, 8, 16, 32].map((channels, i) => [3, 8 >> i, 8 >> i, channels])],
  ] as const) {
    const model = createBackbone(engine, name, small).eval();
    const { features, stages } = model.outputs(images());
    assert.equal(
      stages.map(({ shape }) => [...shape]),
      shapes,
    );
    assert.equal(await features.data(), await model.features(images()).data());
    await near(features, await stages.at(-1)!.mean([1, 2]).data(), 1e-6);
    model.dispose();
  }
});

test('a loss on stage maps reaches the layers before them, and these alone', () => {
  const model = createBackbone(engine, 'resnet8', small);
  const [first] = model.outputs(images()).stages;
  first!.square().sum().backward();
  const trained = model.namedParameters().flatMap(({ name, tensor }) => (tensor.grad ? [name.split('.')[0]] : []));
  assert.equal([...new Set(trained)], ['conv1', 'bn1', 'layer1']);
  model.dispose();
});

test('without the last ReLU only the last map has negative values, and clamping it gives the others’ features', async () => {
  const plain = createBackbone(engine, 'resnet14', small).eval();
  const signed = createBackbone(engine, 'resnet14', { ...small, lastRelu: false }).eval();
  const [relued, bare] = [plain.outputs(images()), signed.outputs(images())];
  for (const i of [0, 1]) assert.equal(await bare.stages[i]!.data(), await relued.stages[i]!.data());
  const last = bare.stages[2]!;
  assert.ok((await last.data()).some((value) => value < 0));
  await near(last.relu(), await relued.stages[2]!.data(), 1e-6);
  await near(bare.features, await last.mean([1, 2]).data(), 1e-6);
  for (const model of [plain, signed]) model.dispose();
});

test('an unknown name, and images of other channels, are refused', () => {
  assert.throws(() => createBackbone(engine, 'resnet9'), /createBackbone: "resnet9" is not a known network/);
  const model = createBackbone(engine, 'resnet8', small);
  assert.throws(() => model.outputs(engine.zeros([1, 8, 8, 3])), /takes images \[n, h, w, 2\], not \[1, 8, 8, 3\]/);
  model.dispose();
});

test.run();
