/** Runs and learners on images that are read while they are learnt from: the same, to the last bit, as on images in memory. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Benchmark, type SavedRun } from '../src/continual/benchmark/benchmark.ts';
import { type ConfigInput, parseConfig } from '../src/continual/benchmark/config.ts';
import { ContinualLearner } from '../src/continual/learner.ts';
import { rdkd } from '../src/continual/methods/rdkd.ts';
import { type AnyDataset, type DatasetSplit, firstPerClass, type ImageDataset } from '../src/data/dataset.ts';
import type { ImageBytes } from '../src/data/image-bytes.ts';
import { imagesByClass } from '../src/data/images-by-class.ts';
import { allInMemory, chosenImages, joinLots, type StoredImages, shownImages } from '../src/data/stored-images.ts';
import { ArgumentError, CheckpointError, ShapeError } from '../src/errors.ts';
import { engine } from './support/engine.ts';
import { refusal } from './support/refusal.ts';
import { finish, outcome } from './support/run-benchmark.ts';
import { fashion } from './support/small-run.ts';
import { newReading, type Reading, storedOf } from './support/stored.ts';

/** Domains in turns. */
const alternating = (set: ImageDataset): ImageDataset => ({
  ...set,
  domains: set.labels.map((_, i) => i % 2),
  domainNames: ['even', 'odd'],
});
const data: DatasetSplit = { train: fashion.train, test: fashion.test };
const twoDomains: DatasetSplit = { train: alternating(data.train), test: alternating(data.test) };
const stored = ({ train, test }: DatasetSplit, reading?: Reading, name = 'fashion'): DatasetSplit<AnyDataset> => ({
  train: storedOf(train, `${name} to train`, reading),
  test: storedOf(test, `${name} to test`, reading),
});

const tiny: ConfigInput = {
  classOrder: [1, 8, 5, 2],
  tasks: 2,
  trainPerClass: 12,
  testPerClass: 6,
  width: 2,
  epochs: 2,
  batch: 8,
  memory: 12,
  // Of a store they would be those of all its images, of a set in memory of those that are learnt from.
  mean: [0.3],
  std: [0.35],
  lr: 0.05,
};
const make = (input: ConfigInput, split: DatasetSplit<AnyDataset>) =>
  new Benchmark(engine, split, parseConfig({ ...tiny, ...input }));

/** What does not say where the images were. */
async function learnt(benchmark: Benchmark) {
  const { tensors, benchmark: state } = await outcome(benchmark);
  const { matrix, lines } = state as { matrix: unknown; lines: Record<string, unknown>[] };
  return { tensors, matrix, lines: lines.map(({ waited: _waited, ...line }) => line) };
}

const runs: [name: string, input: ConfigInput, split: DatasetSplit][] = [
  ['one that draws groups and herds', { method: 'rdkd' }, data],
  ['a nearest-mean one', { method: 'icarl' }, data],
  ['one that stores logits in a reservoir, and draws batches', { method: 'derpp', batch: 5 }, data],
  ['one with a second phase on some images', { method: 'bic' }, data],
  ['one that keeps everything', { method: 'joint' }, data],
  [
    'a memory in bytes, images that get brighter',
    { method: 'replay', memoryBytes: 14 * 14 * 9, brightness: 0.2 },
    data,
  ],
  ['rotations', { method: 'kd', domains: 'rotations', angles: [0, 45] }, data],
  ['permutations', { method: 'kd', domains: 'permutations', crop: 0 }, data],
  ['domains of the data', { method: 'kd', domains: 'own', tasks: undefined }, twoDomains],
  ['blurry boundaries', { method: 'kd', blurry: 0.3 }, data],
];

for (const [name, input, split] of runs) {
  test(`${name}: a run comes to the same on stored images`, async () => {
    const inMemory = make(input, split);
    await finish(inMemory.run());
    const reading = newReading();
    const streamed = make(input, stored(split, reading));
    const events = await finish(streamed.run());
    const epochs = events.filter((event) => event.type === 'epoch');
    assert.ok(epochs.length > 0 && epochs.every(({ waited }) => (waited as number) >= 0));
    assert.equal(await learnt(streamed), await learnt(inMemory));
    assert.ok(reading.calls > 0);
    assert.is(reading.underway, 0);
    inMemory.dispose();
    streamed.dispose();
  });
}

test('no more than three batches are read at a time, in training and in choosing exemplars', async () => {
  const reading = newReading();
  const streamed = make({ trainPerClass: 300, testPerClass: 10, epochs: 1, batch: 32 }, stored(data, reading));
  // The batch that is learnt from, and two ahead of it.
  let inTraining = 0;
  for await (const event of streamed.run()) if (event.type === 'epoch') inTraining ||= reading.most;
  assert.ok(inTraining <= 3 * 32, `${inTraining} images at a time`);
  // Features of 300 images of a class, 128 at a time.
  assert.ok(reading.most <= 3 * 128, `${reading.most} images at a time`);
  streamed.dispose();
});

test('a run on stored images goes on the same after a task and within one, and is refused other images', async () => {
  const run = make({ method: 'rdkd' }, stored(data));
  const stops: SavedRun[] = [];
  let checkpoint = { bytes: await run.save(), where: 'checkpoint' };
  for await (const event of run.run({ saveEvery: 1 })) {
    if (event.type === 'task') {
      checkpoint = { bytes: await run.save(), where: 'checkpoint' };
      stops.push({ checkpoint });
    }
    if (event.type === 'progress') stops.push({ checkpoint, progress: { bytes: event.bytes, where: 'progress' } });
  }
  const whole = await learnt(run);
  assert.is(stops.length, 6);
  for (const stop of stops) {
    const resumed = make({ method: 'rdkd' }, stored(data));
    await resumed.resume(stop);
    await finish(resumed.run());
    assert.equal(await learnt(resumed), whole);
    resumed.dispose();
  }
  for (const other of [stored(data, undefined, 'others'), data]) {
    const refused = make({ method: 'rdkd' }, other);
    const error = await refusal(refused.resume(stops[0] as SavedRun));
    assert.instance(error, CheckpointError);
    assert.match(error.message, /the training images are not those the run began with/);
    refused.dispose();
  }
  run.dispose();
});

test('where an image cannot be read the task fails, nothing is lost or left on the device, and it can be learnt again', async () => {
  const reading = newReading();
  const run = make({ method: 'rdkd' }, stored(data, reading));
  await finish(run.runTask());
  const before = await outcome(run);
  const { liveBuffers } = engine.memory();
  // In training, in choosing exemplars, and in the test after it.
  for (const later of [3, 9, 12]) {
    reading.fails = reading.calls + later;
    const error = await refusal(finish(run.runTask()));
    assert.is(error.message, 'the disk is gone');
    assert.is(reading.underway, 0, 'nothing reads on');
    assert.equal(await outcome(run), before);
    assert.is(engine.memory().liveBuffers, liveBuffers);
  }
  delete reading.fails;
  await finish(run.runTask());
  const inMemory = make({ method: 'rdkd' }, data);
  await finish(inMemory.run());
  assert.equal(await learnt(run), await learnt(inMemory));
  run.dispose();
  inMemory.dispose();
});

const few = firstPerClass(data.train, 6);
const settings = { width: 2, epochs: 1, batch: 8, memory: 8, crop: 1 };

test('a learner takes stored images beside those in memory, and predicts and tests them', async () => {
  const inMemory = imagesByClass(few, [1, 8]);
  const [cup, pen] = [...inMemory.values()] as [ImageBytes, ImageBytes];
  const [storedCup] = imagesByClass(storedOf(few, 'few'), [1]).values();
  const mixed = { cup: storedCup as StoredImages, pen };
  const learners = [0, 1].map(() => new ContinualLearner(engine, rdkd, { ...settings, mean: [0.3], std: [0.3] }));
  const [one, other] = learners as [ContinualLearner, ContinualLearner];
  await finish(one.learn({ cup, pen }));
  await finish(other.learn(mixed));
  assert.equal(await other.predictMany(mixed.cup), await one.predictMany(cup));
  assert.equal(await other.evaluate(mixed), await one.evaluate({ cup, pen }));
  for (const learner of learners) learner.dispose();
});

test('stored images that do not hold together are refused before anything is learnt', async () => {
  const { stored: whole } = storedOf(few, 'few');
  const learner = new ContinualLearner(engine, rdkd, settings);
  const error = (lot: Partial<StoredImages>) => refusal(finish(learner.learn({ cup: { ...whole, ...lot } })));
  assert.match((await error({ count: 0 })).message, /class "cup".*no shape of images/s);
  assert.match((await error({ identity: '' })).message, /do not say what tells them from others/);
  assert.instance(await error({ identity: '' }), ArgumentError);
  const short = await error({ read: async () => new Uint8Array(3) });
  assert.instance(short, ShapeError);
  assert.match(short.message, /3 pixel values were read for .* images of 14×14×1/);
  const wide = { ...whole, width: 20 };
  const unlike = await refusal(finish(learner.learn({ cup: whole, pen: wide })));
  assert.match(unlike.message, /class "pen": stored images of 14×20×1 were given where they are 14×14×1/);
  assert.is(learner.tasksDone, 0);
  learner.dispose();
});

test('views of stored images read those that they show, and tell what they are', async () => {
  const { stored: whole } = storedOf(few, 'few');
  const bytes = 14 * 14;
  const at = (index: number) => few.images.subarray(index * bytes, (index + 1) * bytes);
  const chosen = chosenImages(whole, [7, 3, 5]);
  assert.is(chosen.identity, 'few[7,3,5]');
  assert.equal(await chosen.read([2, 0]), Uint8Array.from([...at(5), ...at(7)]));
  const dark = shownImages(chosen, 'dark', (images) => ({ ...images, data: images.data.map((value) => value >> 1) }));
  assert.is(dark.identity, 'few[7,3,5] dark');
  assert.equal(await dark.read([1]), Uint8Array.from(at(3).map((value) => value >> 1)));
  const [lot] = [...imagesByClass(few, [1]).values()];
  const joined = joinLots([chosen, lot as never, dark], 'test') as StoredImages;
  assert.is(joined.count, 12);
  const first = (lot as { data: Uint8Array }).data.subarray(0, bytes);
  assert.equal(
    await joined.read([9, 1, 3, 0]),
    Uint8Array.from([...at(7).map((value) => value >> 1), ...at(3), ...first, ...at(7)]),
  );
  assert.throws(() => joinLots([chosen, { ...whole, channels: 3 }], 'test'), /14×14×1 and of 14×14×3 cannot be joined/);
  assert.throws(() => allInMemory([chosen], 'test'), /these images are stored, and have to be in memory for this/);
});

test.run();
