/** A network of a user's own learns as a ResNet does: by every method, saved, loaded, exported. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { methods } from '../src/continual/methods/index.ts';
import { networkFile } from '../src/continual/network-file.ts';
import {
  type Backbone,
  ContinualLearner,
  defineNetwork,
  type LearnerOptions,
  mobileNetV2,
  type Network,
  type NetworkFeatures,
  wideResNet,
} from '../src/entries/continual.ts';
import { exportLearner } from '../src/entries/onnx.ts';
import {
  CheckpointError,
  ConfigError,
  Conv2d,
  type Engine,
  globalAvgPool,
  LayerNorm,
  Linear,
  Module,
  readSafetensors,
  type Tensor,
} from '../src/index.ts';
import { Random } from '../src/tensor/random.ts';
import { engram } from './support/command.ts';
import { engine } from './support/engine.ts';
import { sameAnswers } from './support/onnx-runtime.ts';
import { refusal } from './support/refusal.ts';

/** Patches, a layer norm, and their mean: no ResNet at all. */
class Patches extends Module {
  readonly featureSize = 6;
  readonly patch: Conv2d;
  readonly norm: LayerNorm;

  constructor(engine: Engine, channels: number, seed: number) {
    super(engine);
    this.patch = new Conv2d(engine, channels, 6, 2, { stride: 2, random: Random.of(seed, 'patches') });
    this.norm = new LayerNorm(engine, [6]);
  }

  outputs(x: Tensor): NetworkFeatures {
    const map = this.norm.forward(this.patch.forward(x)).gelu();
    return { features: globalAvgPool(map), stages: [map] };
  }

  forward(x: Tensor): Tensor {
    return this.outputs(x).features;
  }
}

const patches = defineNetwork({
  name: 'patches',
  backbone: ({ engine, images, training }) => new Patches(engine, images.channels, training.seed),
});

class LinearOfZeros extends Linear {
  constructor(engine: Engine, inFeatures: number, outFeatures: number) {
    super(engine, inFeatures, outFeatures);
    for (const tensor of this.parameters()) engine.write(tensor.storage, new Float32Array(tensor.size));
  }
}

/** A few images of each class, of other stripes. */
function stripes(classes: readonly string[], side = 8) {
  const count = 6;
  return Object.fromEntries(
    classes.map((name, label) => {
      const data = Uint8Array.from({ length: count * side * side }, (_, i) =>
        (label % 2 ? i % side : Math.floor(i / side) % side) % (2 + (label >> 1)) === 0 ? 220 : i % 40,
      );
      return [name, { data, count, height: side, width: side, channels: 1 }];
    }),
  );
}
const few = { memory: 10, epochs: 2, batch: 4, crop: 0, lr: 0.05 };
const first = stripes(['cup', 'pen']);
const second = stripes(['key', 'tin', 'map']);

async function learn(learner: ContinualLearner, images: ReturnType<typeof stripes>): Promise<void> {
  for await (const _ of learner.learn(images));
}

async function learnt(options: LearnerOptions): Promise<ContinualLearner> {
  const learner = await ContinualLearner.create(engine, { ...few, ...options });
  await learn(learner, first);
  await learn(learner, second);
  return learner;
}

for (const method of Object.values(methods)) {
  test(`${method.name} learns with it, and its exported graph answers the same`, async () => {
    const steps = { balancedEpochs: 1, correctionEpochs: 1, compressionEpochs: 1 };
    const own = Object.fromEntries(Object.entries(steps).filter(([name]) => name in method.settings));
    const learner = await learnt({ model: patches, method, ...own });
    assert.is(learner.training.model, 'patches');
    assert.equal(learner.classes, ['cup', 'pen', 'key', 'tin', 'map']);
    await sameAnswers(await exportLearner(learner), learner);
    learner.dispose();
  });
}

test('saved and loaded with its network it goes on as if it had never stopped', async () => {
  const straight = await learnt({ model: patches });
  const stopped = await ContinualLearner.create(engine, { ...few, model: patches });
  await learn(stopped, first);
  const file = await stopped.save();
  stopped.dispose();
  const loaded = await ContinualLearner.load(engine, file, { model: patches });
  await learn(loaded, second);
  assert.equal(await loaded.save(), await straight.save());
  const fork = await loaded.fork({ method: 'replay' });
  assert.is(fork.network, patches);
  await learn(fork, first);
  for (const one of [straight, loaded, fork]) one.dispose();
});

test('the names of its tensors are its own, with a classifier beside them', async () => {
  const learner = await learnt({ model: patches, method: 'replay' });
  const { tensors, metadata } = readSafetensors(networkFile(await learner.save(), 'here').bytes);
  assert.equal([...tensors.keys()].sort(), [
    'backbone.norm.bias',
    'backbone.norm.weight',
    'backbone.patch.bias',
    'backbone.patch.weight',
    'fc.bias',
    'fc.weight',
  ]);
  assert.is(metadata.model, 'patches');
  learner.dispose();
});

test('MobileNetV2 and wide ResNets are such networks', async () => {
  for (const [model, names] of [
    [mobileNetV2(), ['features.0.0.weight', 'classifier.1.bias']],
    [wideResNet({ depth: 10, widen: 1 }), ['block1.layer.0.conv1.weight', 'fc.weight']],
  ] as const) {
    const width = model.name === 'mobilenet_v2' ? 8 : 0;
    const learner = await ContinualLearner.create(engine, { ...few, model, width, epochs: 1 });
    await learn(learner, stripes(['cup', 'pen'], 16));
    const { tensors } = readSafetensors(networkFile(await learner.save(), 'here').bytes);
    for (const name of names) assert.ok(tensors.has(name), name);
    learner.dispose();
  }
  assert.is(wideResNet().name, 'wide_resnet28_10');
});

test('its classifier may start otherwise, for later classes too', async () => {
  const asked: number[] = [];
  const zeros: Network = {
    ...patches,
    name: 'zeros',
    head(engine, featureSize, classes) {
      asked.push(classes);
      return new LinearOfZeros(engine, featureSize, classes);
    },
  };
  const learner = await ContinualLearner.create(engine, { ...few, model: zeros, method: 'replay', lr: 1e-12 });
  await learn(learner, first);
  await learn(learner, second);
  const weight = await (learner.model as unknown as { fc: LinearOfZeros }).fc.weight.data();
  assert.ok(weight.every((x) => Math.abs(x) < 1e-9));
  assert.ok(asked.includes(2) && asked.includes(3));
  learner.dispose();
});

const broken: [string, unknown, RegExp][] = [
  ['no object', 7, /"model" does not fit/],
  ['no name', { backbone: patches.backbone }, /is called undefined/],
  ['the name of a ResNet', { ...patches, name: 'resnet20' }, /is called "resnet20" as a built-in one is/],
  [
    'the name of a wide ResNet',
    { ...patches, name: 'wide_resnet16_4' },
    /is called "wide_resnet16_4" as a built-in one is/,
  ],
  ['no backbone', { name: 'mine' }, /has no function backbone\(\)/],
];
for (const [what, model, told] of broken) {
  test(`refused before anything is made: ${what}`, async () => {
    const error = await refusal(ContinualLearner.create(engine, { model: model as Network }));
    assert.instance(error, ConfigError);
    assert.match(error.message, told);
  });
}

const failing: [string, (engine: Engine) => unknown, RegExp][] = [
  ['a backbone that throws', () => JSON.parse('{'), /network "mine": backbone\(\) threw/],
  ['a backbone that is none', () => ({}), /backbone\(\) gave an object/],
  [
    'no length of its vectors',
    (engine) => new Conv2d(engine, 1, 2, 3),
    /a module with undefined features.*field featureSize/,
  ],
  [
    'features of another shape',
    (engine) => Object.assign(new Conv2d(engine, 1, 2, 3), { featureSize: 2 }),
    /its backbone gave f32\[\d+, 6, 6, 2\]; f32\[n, 2\] was expected/,
  ],
];
for (const [what, backbone, told] of failing) {
  test(`told by the network's name, and nothing is learnt: ${what}`, async () => {
    const model = defineNetwork({ name: 'mine', backbone: ({ engine }) => backbone(engine) as Backbone });
    const learner = await ContinualLearner.create(engine, { ...few, model, method: 'replay' });
    const error = await refusal(learn(learner, first));
    assert.instance(error, ConfigError);
    assert.match(error.message, told);
    assert.is(learner.tasksDone, 0);
    learner.dispose();
  });
}

test('PODNet says that it needs maps where a backbone gives none', async () => {
  const model = defineNetwork({
    name: 'plain',
    backbone: ({ engine, images, training }) => {
      const net = new Patches(engine, images.channels, training.seed);
      return Object.assign(net, { outputs: undefined }) as unknown as Backbone;
    },
  });
  const learner = await ContinualLearner.create(engine, { ...few, model, method: methods.podnet });
  assert.match((await refusal(learn(learner, first))).message, /gives no maps on the way .* outputs\(images\)/);
  learner.dispose();
});

const PATCHES = `
import { defineNetwork, withNetwork } from 'engram/continual';
import { fdkd } from 'engram/methods';
import { Conv2d, globalAvgPool, Module } from 'engram';
class Patches extends Module {
  featureSize = 4;
  constructor(engine, channels) {
    super(engine);
    engine.seed(3);
    this.patch = new Conv2d(engine, channels, 4, 2, { stride: 2 });
  }
  forward(x) { return globalAvgPool(this.patch.forward(x).relu()); }
}
const patches = defineNetwork({ name: 'patches', backbone: ({ engine, images }) => new Patches(engine, images.channels) });
export default withNetwork(fdkd, patches);
`;

test('the command line trains, goes on, reports and exports it, by a file', async () => {
  const home = mkdtempSync(join(tmpdir(), 'engram-own-network-'));
  const at = (...parts: string[]) => join(home, ...parts);
  try {
    writeFileSync(at('mine.mjs'), PATCHES);
    const small =
      '--data glyphs --class-order 0,1,2,3 --tasks 2 --train-per-class 6 --test-per-class 2 --epochs 2 --memory 8';
    const args = ['train', ...small.split(' '), '--method', at('mine.mjs'), '--out', at('run')];
    const trained = await engram(...args, '--kd-weight', '2');
    assert.is(trained.code, 0, trained.errors);
    assert.match(trained.out, /fdkd\+patches/);
    assert.is(JSON.parse(readFileSync(at('run', 'config.json'), 'utf8')).model, 'patches');
    assert.is(JSON.parse(readFileSync(at('run', 'run.json'), 'utf8')).config.model, 'patches');
    const other = await engram(...args.slice(0, -1), at('other'), '--model', 'resnet20');
    assert.is(other.code, 2);
    assert.match(other.errors, /"model" does not fit: expected patches, the method's own network/);
    const { tensors } = readSafetensors(readFileSync(at('run', 'checkpoint.safetensors')));
    assert.ok([...tensors.keys()].some((name) => name.endsWith('backbone.patch.weight')));
    assert.is((await engram('train', '--resume', '--out', at('run'))).code, 0);
    const exported = await engram('export', at('run'), '--onnx', '--safetensors');
    assert.is(exported.code, 0, exported.errors);
    assert.ok(existsSync(at('run', 'model.onnx')) && existsSync(at('run', 'model.safetensors')));
  } finally {
    rmSync(home, { recursive: true });
  }
});

test('a file is loaded with the network that it was made with, or not at all', async () => {
  const learner = await ContinualLearner.create(engine, { ...few, model: patches });
  await learn(learner, first);
  const file = await learner.save();
  learner.dispose();
  for (const [options, told] of [
    [{}, /network is "patches", which is one of its own.*\{ model: network \}/],
    [{ model: wideResNet() }, /network is "patches", not "wide_resnet28_10"/],
  ] as const) {
    const error = await refusal(ContinualLearner.load(engine, file, options));
    assert.instance(error, CheckpointError);
    assert.match(error.message, told);
  }
});

test.run();
