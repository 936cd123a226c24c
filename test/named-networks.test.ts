/** Networks that are no ResNets, by their names: learners, students, files and commands take them as they take ResNets. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { trainingStep } from '../src/cli/training-step.ts';
import { methods } from '../src/continual/methods/index.ts';
import { networkFile } from '../src/continual/network-file.ts';
import { isNetworkName, namedNetwork } from '../src/continual/networks.ts';
import {
  Compression,
  ContinualLearner,
  type LearnerOptions,
  mobileNetV2,
  saveStudent,
  wideResNet,
} from '../src/entries/continual.ts';
import { exportLearner } from '../src/entries/onnx.ts';
import { ConfigError, createResNet, MobileNetV2, OutOfMemoryError, readSafetensors, WideResNet } from '../src/index.ts';
import { engram } from './support/command.ts';
import { engine, errorOf, uniform } from './support/engine.ts';
import { sameAnswers } from './support/onnx-runtime.ts';
import { refusal } from './support/refusal.ts';

const SIDE = 32;

/** A few images of each class, of any pixels. */
function noise(classes: readonly string[], count = 6) {
  const size = count * SIDE * SIDE;
  return Object.fromEntries(
    classes.map((name, label) => {
      const data = Uint8Array.from(uniform(size, label + 1, 0, 256));
      return [name, { data, count, height: SIDE, width: SIDE, channels: 1 }];
    }),
  );
}

/** Batch norm over the one pixel that MobileNetV2 leaves of each such image makes large gradients. */
const few = { memory: 8, epochs: 1, batch: 6, crop: 0, lr: 1e-3 } as const;

async function learnt(options: LearnerOptions): Promise<ContinualLearner> {
  const learner = await ContinualLearner.create(engine, { ...few, ...options });
  for (const classes of [
    ['cup', 'pen'],
    ['key', 'tin'],
  ])
    for await (const _ of learner.learn(noise(classes)));
  return learner;
}

/** The names here that have few weights, or can have. */
const SMALL = [
  { model: 'mobilenet_v2', width: 8 },
  { model: 'wide_resnet10_1', width: 0 },
] as const;

test('names are the publications’, and no others', () => {
  for (const name of ['mobilenet_v2', 'wide_resnet16_4', 'wide_resnet28_10', 'wide_resnet40_2', 'resnet50'])
    assert.ok(isNetworkName(name), name);
  // torchvision's own wide ResNets are others, of bottlenecks; and a network has one name.
  for (const name of ['wide_resnet50_2', 'wide_resnet28_0', 'wide_resnet028_10', 'wide_resnet28', 'mobilenet_v3', ''])
    assert.not.ok(isNetworkName(name), name);
});

test('a name and what makes such networks lead to the same one; with dropout of another’s choice it has another name', () => {
  assert.is(mobileNetV2(), namedNetwork('mobilenet_v2'));
  assert.is(wideResNet({ depth: 16, widen: 4 }), namedNetwork('wide_resnet16_4'));
  assert.is(wideResNet().name, 'wide_resnet28_10');
  assert.is(mobileNetV2({ dropout: 0.5 }).name, 'mobilenet_v2-dropout0.5');
  assert.is(wideResNet({ depth: 16, widen: 4, dropout: 0.3 }).name, 'wide_resnet16_4-dropout0.3');
  assert.not.ok(isNetworkName(mobileNetV2({ dropout: 0.5 }).name));
});

for (const { model, width } of SMALL) {
  test(`${model}: learnt by its name, saved and loaded by it alone, exported under published names`, async () => {
    const learner = await learnt({ model, width });
    const file = await learner.save();
    const loaded = await ContinualLearner.load(engine, file);
    assert.equal(await loaded.save(), file);
    await sameAnswers(await exportLearner(loaded), loaded);
    const { bytes } = networkFile(file, 'here');
    const { tensors, metadata } = readSafetensors(bytes);
    const published =
      model === 'mobilenet_v2'
        ? new MobileNetV2(engine, { classes: 4, inChannels: 1, width: width / 32 })
        : new WideResNet(engine, { classes: 4, inChannels: 1, depth: 10, widen: 1 });
    assert.equal([...tensors.keys()].sort(), [...published.namedTensors()].map(({ name }) => name).sort());
    assert.is(metadata.model, model);
    for (const one of [learner, loaded, published]) one.dispose();
  });

  // What asks most of a network: features of either sign, maps on the way, a backbone for each task.
  for (const method of ['lucir', 'podnet', 'der'] as const) {
    test(`${model} learns by ${method}`, async () => {
      const learner = await learnt({ model, width, method: methods[method] });
      assert.equal(learner.classes, ['cup', 'pen', 'key', 'tin']);
      learner.dispose();
    });
  }

  test(`${model} is a student that can go on learning`, async () => {
    const teacher = createResNet(engine, 'resnet20', { classes: 2, inChannels: 1, width: 64 });
    const [one] = Object.values(noise(['cup']));
    const normalization = { mean: [0.3], std: [0.3] };
    const compression = new Compression(engine, {
      teacher,
      train: { images: one!, labels: [0, 1, 0, 1, 0, 1] },
      normalization,
      settings: { model, width, epochs: 1, batch: 6, crop: 0, lr: 1e-3 },
    });
    for await (const event of compression.learn({ loss: 'kd' })) {
      if (event.type !== 'student') continue;
      const format = { height: SIDE, width: SIDE, channels: 1, ...normalization };
      const bytes = await saveStudent(event.student, { names: ['a', 'b'], format, settings: compression.settings });
      const learner = await ContinualLearner.load(engine, bytes);
      assert.equal(learner.classes, ['a', 'b']);
      learner.dispose();
      event.student.dispose();
    }
    for (const used of [compression, teacher]) used.dispose();
  });
}

const unused: [LearnerOptions, RegExp][] = [
  [{ precision: 'f16' }, /mobilenet_v2 keeps its activations in f32 alone.*Leave `precision` \(--precision\) out/],
  [{ init: 'kaiming-uniform' }, /mobilenet_v2 starts by kaiming-normal alone/],
  [{ gradientCheckpointing: true }, /mobilenet_v2 makes no activations again/],
  [{ stem: 'imagenet' }, /mobilenet_v2 has no stem to choose/],
];
for (const [settings, told] of unused) {
  test(`what it has no use for is refused: ${Object.keys(settings)}`, async () => {
    const error = await refusal(ContinualLearner.create(engine, { model: 'mobilenet_v2', ...settings }));
    assert.instance(error, ConfigError);
    assert.match(`${error.message} ${(error as ConfigError).fix}`, told);
  });
}

test('a size that makes no network is told before the first step', async () => {
  const learner = await ContinualLearner.create(engine, { ...few, model: 'wide_resnet10_1', width: 20 });
  const learn = async () => {
    for await (const _ of learner.learn(noise(['cup', 'pen'])));
  };
  const error = await refusal(learn());
  assert.instance(error, ConfigError);
  assert.match(
    error.message,
    /network: the first stage of wide_resnet10_1 has a multiple of 16 channels, not 20\. Give a multiple of 16 for `width` \(--width\)/,
  );
  learner.dispose();
  assert.instance(
    errorOf(() => new WideResNet(engine, { classes: 2, widen: 10_000 })),
    OutOfMemoryError,
  );
  assert.instance(
    errorOf(() => new MobileNetV2(engine, { classes: 2, width: 1000 })),
    OutOfMemoryError,
  );
});

test('the step that profile and tune measure is theirs too', async () => {
  const step = { width: 8, batch: 2, size: 16, channels: 1, classes: 3, precision: 'f32' } as const;
  const loss = engine.scope(() => trainingStep(engine, { ...step, model: 'mobilenet_v2' })());
  assert.ok(Number.isFinite(await loss.item()));
  const told = (model: string, precision: 'f32' | 'f16') =>
    errorOf(() => trainingStep(engine, { ...step, model, precision })).message;
  assert.match(told('mobilenet_v2', 'f16'), /keeps its activations in f32 alone/);
  assert.match(told('mobilenet_v9', 'f32'), /unknown network "mobilenet_v9"/);
});

test('the command line trains, goes on with and exports one', async () => {
  const home = mkdtempSync(join(tmpdir(), 'engram-named-network-'));
  const at = (...parts: string[]) => join(home, ...parts);
  try {
    const small =
      '--data glyphs --class-order 0,1,2,3 --tasks 2 --train-per-class 6 --test-per-class 2 --epochs 1 --memory 8';
    const args = ['train', ...small.split(' '), '--model', 'wide_resnet10_1', '--out', at('run')];
    const trained = await engram(...args);
    assert.is(trained.code, 0, trained.errors);
    assert.is(JSON.parse(readFileSync(at('run', 'config.json'), 'utf8')).model, 'wide_resnet10_1');
    assert.is((await engram('train', '--resume', '--out', at('run'))).code, 0);
    const exported = await engram('export', at('run'), '--onnx', '--safetensors');
    assert.is(exported.code, 0, exported.errors);
    assert.ok(existsSync(at('run', 'model.onnx')));
    const { tensors } = readSafetensors(readFileSync(at('run', 'model.safetensors')));
    assert.ok(tensors.has('block1.layer.0.conv1.weight'));
    const other = await engram('train', '--model', 'wide_resnet20_1', '--out', at('other'));
    assert.is(other.code, 2);
    assert.match(other.errors, /"wide_resnet20_1" does not fit.*wide_resnet28_10/);
  } finally {
    rmSync(home, { recursive: true });
  }
});

test.run();
