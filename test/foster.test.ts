/** FOSTER: what a task adds to the network is trained alone, teaches what it is compressed into, and is gone at the task's end. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { LearnerEvent } from '../src/continual/events.ts';
import { ContinualLearner } from '../src/continual/learner.ts';
import { foster } from '../src/continual/methods/foster.ts';
import { firstPerClass } from '../src/data/dataset.ts';
import { imagesByClass } from '../src/data/images-by-class.ts';
import { classBalancedWeights } from '../src/entries/methods.ts';
import { readSafetensors, type SafetensorsEntry } from '../src/nn/safetensors.ts';
import { mean } from '../src/report/statistics.ts';
import { engine } from './support/engine.ts';
import { fashion } from './support/small-run.ts';

const few = firstPerClass(fashion.train, 12);
const [first, second] = [imagesByClass(few, [1, 8]), imagesByClass(few, [5, 2])];
const settings = { width: 4, epochs: 2, batch: 10, memory: 12, lr: 0.05, crop: 1, method: foster };

const make = (changes: object = {}) => ContinualLearner.create(engine, { ...settings, ...changes });

async function learn(learner: ContinualLearner, images: typeof first): Promise<LearnerEvent[]> {
  const events: LearnerEvent[] = [];
  for await (const event of learner.learn(images, { saveEvery: 1 })) events.push(event);
  return events;
}

/** The tensors of a file under a prefix, in short. */
const under = (prefix: string, tensors: ReadonlyMap<string, SafetensorsEntry>): Record<string, string> =>
  Object.fromEntries(
    [...tensors]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, { shape, data }]) => [name.slice(prefix.length), `${shape}: ${data}`]),
  );

/** The same without the classifier, which grows. */
const extractor = (tensors: Record<string, string>) =>
  Object.fromEntries(Object.entries(tensors).filter(([name]) => !name.startsWith('fc.')));

test('boosting leaves the old network as it is, compression the boost; neither the file nor the model has it after', async () => {
  const learner = await make();
  await learn(learner, first);
  const before = readSafetensors(await learner.save()).tensors;
  const progress = (await learn(learner, second)).flatMap((event) =>
    event.type === 'progress' ? [{ ...event, tensors: readSafetensors(event.bytes).tensors }] : [],
  );
  assert.equal(
    progress.map(({ phase }) => phase),
    [0, 0, 1, 1],
  );
  const [early, boosted, compressing] = progress.map(({ tensors }) => tensors) as [
    ReadonlyMap<string, SafetensorsEntry>,
    ReadonlyMap<string, SafetensorsEntry>,
    ReadonlyMap<string, SafetensorsEntry>,
  ];
  const old = under('model.net.', before);
  assert.equal(extractor(under('model.net.', boosted)), extractor(old));
  assert.equal(under('model.net.', boosted), under('model.net.', early), 'its grown classifier is held still too');
  assert.not.equal(under('model.boost.', boosted), under('model.boost.', early));
  assert.equal(under('model.boost.', compressing), under('model.boost.', boosted));
  assert.not.equal(under('model.net.', compressing), under('model.net.', boosted));
  const size = learner.model?.featureSize ?? 0;
  assert.equal(boosted.get('model.boost.fc.weight')?.shape, [4, 2 * size]);

  const after = readSafetensors(await learner.save()).tensors;
  assert.equal(Object.keys(under('model.', after)), Object.keys(under('model.', before)));
  learner.dispose();
});

test('the new extractor starts from the old one, and the joint classifier from what it had', async () => {
  // So small a rate changes no weight.
  const learner = await make({ lr: 1e-30, epochs: 1, weightDecay: 0 });
  await learn(learner, first);
  const before = readSafetensors(await learner.save()).tensors;
  const events = await learn(learner, second);
  const [{ bytes } = { bytes: new Uint8Array() }] = events.flatMap((event) =>
    event.type === 'progress' ? [event] : [],
  );
  const started = readSafetensors(bytes).tensors;
  const convolutions = (tensors: Record<string, string>) =>
    Object.fromEntries(Object.entries(tensors).filter(([name]) => name.includes('conv')));
  const old = convolutions(under('model.net.', before));
  assert.ok(Object.keys(old).length > 5);
  assert.equal(convolutions(under('model.boost.net.', started)), old);
  const size = learner.model?.featureSize ?? 0;
  const joint = started.get('model.boost.fc.weight')?.data as Float32Array;
  const head = before.get('model.net.fc.weight')?.data as Float32Array;
  // PyTorch's order: a row a class.
  for (const label of [0, 1])
    assert.equal(
      joint.subarray(label * 2 * size, label * 2 * size + size),
      head.subarray(label * size, (label + 1) * size),
    );
  assert.ok(joint.every((value) => value !== 0));
  learner.dispose();
});

test('left anywhere in either phase, or learnt to its end, it leaves nothing on the device', async () => {
  const learner = await make();
  await learn(learner, first);
  const live = engine.memory().liveBuffers;
  const saved = await learner.save();
  for (const [type, phase] of [
    ['step', 0],
    ['progress', 0],
    ['step', 1],
    ['epoch', 1],
  ] as const) {
    for await (const event of learner.learn(second, { saveEvery: 1 }))
      if (event.type === type && event.phase === phase) break;
    assert.is(engine.memory().liveBuffers, live, `${type} of phase ${phase}`);
  }
  assert.equal(await learner.save(), saved);
  // Disposed of in the middle.
  const [other, nothing] = [await make(), engine.memory().liveBuffers];
  await learn(other, first);
  const going = other.learn(second);
  await going.next();
  other.dispose();
  assert.is(engine.memory().liveBuffers, nothing);
  await going.return(undefined as never);
  learner.dispose();
});

test('the compression has epochs of its own, and classes without an image in memory weigh as those with one', async () => {
  const learner = await make({ selection: 'reservoir', memory: 1, compressionEpochs: 1, beta1: 0.5, beta2: 0 });
  await learn(learner, first);
  assert.is(learner.memory.size, 1);
  const epochs = (await learn(learner, second)).flatMap((event) => (event.type === 'epoch' ? [event] : []));
  assert.equal(
    epochs.map(({ phase }) => phase),
    [0, 0, 1],
  );
  assert.ok(epochs.every(({ loss }) => Number.isFinite(loss)));
  learner.dispose();
});

test('class-balanced weights have the mean 1, and rare classes the larger', () => {
  const weights = classBalancedWeights([500, 20, 20, 1], 0.97);
  assert.ok(Math.abs(mean(weights) - 1) < 1e-12 && weights[0]! < weights[1]! && weights[1] === weights[2]);
  assert.ok(Math.abs(weights[3]! / weights[1]! - (1 - 0.97 ** 20) / (1 - 0.97)) < 1e-9);
  assert.equal(classBalancedWeights([7, 1], 0), [1, 1]);
  assert.equal(classBalancedWeights([3], 0.9), [1]);
  const close = classBalancedWeights([1, 2], 1 - 1e-12);
  assert.ok(Math.abs(close[0]! / close[1]! - 2) < 1e-6);
  assert.throws(() => classBalancedWeights([3, 0], 0.9), /class 1 has 0 images/);
  assert.throws(() => classBalancedWeights([], 0.9), /there are no counts/);
  assert.throws(() => classBalancedWeights([3], 1), /β is 1/);
});

test.run();
