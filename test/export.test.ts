/** `engram export`: what other programs get is the network that the run learnt. */
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { methods } from '../src/continual/methods/index.ts';
import { networkFile } from '../src/continual/network-file.ts';
import { ContinualLearner } from '../src/entries/continual.ts';
import { CheckpointError, createResNet, loadWeights, readSafetensors } from '../src/index.ts';
import { engram } from './support/command.ts';
import { engine, near, uniform } from './support/engine.ts';
import { sameAnswers } from './support/onnx-runtime.ts';
import { refusal } from './support/refusal.ts';

const home = mkdtempSync(join(tmpdir(), 'engram-export-'));
test.after(() => rmSync(home, { recursive: true, force: true }));
const at = (...parts: string[]): string => join(home, ...parts);

const tiny =
  '--data glyphs --class-order 0,1,2,3 --tasks 2 --train-per-class 6 --test-per-class 2 --epochs 1 --memory 8'.split(
    ' ',
  );
async function train(method: string): Promise<void> {
  const { code, errors } = await engram('train', ...tiny, '--method', method, '--width', '2', '--out', at(method));
  assert.is(code, 0, errors);
}
await train('fdkd');
await train('bic');

/** A ResNet-8 of 2 channels at first, by torchvision's names and layouts. */
const block = (name: string, from: number, to: number): [string, number[]][] => [
  [`${name}.conv1.weight`, [to, from, 3, 3]],
  [`${name}.conv2.weight`, [to, to, 3, 3]],
  ...['bn1', 'bn2'].flatMap((bn) =>
    ['weight', 'bias', 'running_mean', 'running_var'].map((part): [string, number[]] => [
      `${name}.${bn}.${part}`,
      [to],
    ]),
  ),
];
const expected = new Map<string, number[]>([
  ['conv1.weight', [2, 1, 3, 3]],
  ...['weight', 'bias', 'running_mean', 'running_var'].map((part): [string, number[]] => [`bn1.${part}`, [2]]),
  ...block('layer1.0', 2, 2),
  ...block('layer2.0', 2, 4),
  ...block('layer3.0', 4, 8),
  ['fc.weight', [4, 8]],
  ['fc.bias', [4]],
]);

for (const method of ['fdkd', 'bic'] as const) {
  test(`the network of ${method} has PyTorch's names and layouts, and says what its classes and images are`, async () => {
    const { code, out, errors } = await engram('export', at(method), '--safetensors');
    assert.is(code, 0, errors);
    const { tensors, metadata } = readSafetensors(readFileSync(at(method, 'model.safetensors')));
    const shapes = new Map([...tensors].map(([name, { shape }]) => [name, [...shape]] as const));
    for (const [name, shape] of expected) assert.equal(shapes.get(name), shape, name);
    const counters = [...shapes.keys()].filter((name) => !expected.has(name));
    assert.equal(
      counters.filter((name) => !name.endsWith('.num_batches_tracked')),
      [],
    );
    assert.equal([metadata.format, metadata.model, metadata.method], ['pt', 'resnet8', method]);
    assert.match(metadata.shortcut!, /option A .*zeros behind the channels/);
    const learner = await ContinualLearner.load(engine, readFileSync(at(method, 'checkpoint.safetensors')), {
      method: methods[method],
    });
    assert.equal(JSON.parse(metadata.classes!), learner.classes);
    assert.match(
      out,
      new RegExp(`^weights {3}.*model\\.safetensors: ${shapes.size} tensors, [\\d,]+ values\\nclasses {3}.+, `),
    );
    assert.is(/^left out/m.test(out), method === 'bic');
    learner.dispose();
  });
}

test('loaded elsewhere and given images as it says, it answers as the learner does', async () => {
  const bytes = readFileSync(at('fdkd', 'checkpoint.safetensors'));
  const learner = await ContinualLearner.load(engine, bytes);
  const file = networkFile(bytes, 'here').bytes;
  const { height, width, channels, mean, std } = JSON.parse(readSafetensors(file).metadata.images!);
  const count = 5;
  const data = Uint8Array.from(uniform(count * height * width * channels, 3, 0, 255.99), Math.floor);
  const network = createResNet(engine, 'resnet8', { classes: 4, width: 2, inChannels: channels });
  loadWeights(network, file);
  network.eval();
  const pixels = Float32Array.from(data, (x, i) => (x / 255 - mean[i % channels]) / std[i % channels]);
  const probabilities = network.forward(engine.tensor(pixels, [count, height, width, channels])).softmax();
  const answers = await learner.predictMany({ data, count, height, width, channels });
  const byClass = answers.flatMap((answer) =>
    learner.classes.map((name) => answer.find(({ label }) => label === name)!.probability),
  );
  await near(probabilities, byClass, 1e-5);
  for (const one of [network, learner]) one.dispose();
});

for (const method of ['fdkd', 'bic'] as const) {
  test(`the graph of ${method} takes bytes, and gives the learner's own probabilities and labels`, async () => {
    const { code, out, errors } = await engram('export', at(method), '--onnx');
    assert.is(code, 0, errors);
    assert.match(
      out,
      /^graph {5}.*model\.onnx: [\d,]+ bytes, opset 17\nimages {4}uint8 \[batch, \d+, \d+, 1\] to scores/m,
    );
    const learner = await ContinualLearner.load(engine, readFileSync(at(method, 'checkpoint.safetensors')), {
      method: methods[method],
    });
    await sameAnswers(readFileSync(at(method, 'model.onnx')), learner);
    learner.dispose();
  });
}

test('it is written where it is asked for, and over nothing that the next task needs', async () => {
  const elsewhere = at('elsewhere.safetensors');
  copyFileSync(at('fdkd', 'checkpoint.safetensors'), at('learner.safetensors'));
  assert.is((await engram('export', at('learner.safetensors'), '--safetensors', elsewhere)).code, 0);
  assert.equal(readFileSync(elsewhere), Buffer.from(networkFile(readFileSync(at('learner.safetensors')), 'x').bytes));
  for (const [args, told] of [
    [[at('fdkd')], /it is not said what is wanted\. Add --safetensors.* --onnx/],
    [[at('nowhere'), '--onnx'], /there are no weights of a run here/],
    [[at('learner.safetensors'), '--onnx', at('learner.safetensors')], /the file that the network is read from/],
    [[at('fdkd'), '--onnx', at('elsewhere.safetensors', 'x')], /nothing can be written here/],
    [[elsewhere, '--onnx', at('again.onnx')], /not a learner's file/],
    [[at('learner.safetensors'), '--onnx', '--method', 'replay.js'], /replay\.js/],
    [[at('nowhere'), '--safetensors'], /there are no weights of a run here/],
    [[at('learner.safetensors'), '--safetensors', at('learner.safetensors')], /the file that the network is read from/],
    [[at('learner.safetensors'), '--safetensors', `${home}/./learner.safetensors`], /the network is read from/],
    [[elsewhere, '--safetensors', at('again.safetensors')], /not a learner's file/],
    [[at('fdkd'), '--safetensors', at('elsewhere.safetensors', 'x')], /nothing can be written here/],
  ] as const) {
    const { code, errors } = await engram('export', ...args);
    assert.is(code, 2, errors);
    assert.match(errors.replace(/\s+/g, ' '), told);
  }
  assert.not.ok(existsSync(at('again.safetensors')));
  const whole = readFileSync(at('learner.safetensors'));
  writeFileSync(at('cut.safetensors'), whole.subarray(0, whole.length / 2));
  const cut = await engram('export', at('cut.safetensors'), '--safetensors', at('again.safetensors'));
  assert.is(cut.code, 2);
  assert.not.ok(existsSync(at('again.safetensors')));
  const untaught = await ContinualLearner.create(engine, { model: 'resnet8', method: 'replay', memory: 4 });
  const file = await untaught.save();
  const error = await refusal((async () => networkFile(file, 'mine'))());
  assert.instance(error, CheckpointError);
  assert.match((error as Error).message, /^mine: this learner has learnt nothing yet/);
  untaught.dispose();
});

test.run();
