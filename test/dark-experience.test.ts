/** DER++: logits that are kept with exemplars, and the reservoir that it was published with. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseConfig } from '../src/continual/benchmark/config.ts';
import { ContinualLearner } from '../src/continual/learner.ts';
import { type Batch, defineMethod, type Phase } from '../src/continual/method.ts';
import { derpp } from '../src/continual/methods/derpp.ts';
import { checksumOf } from '../src/continual/stored-tensors.ts';
import { firstPerClass } from '../src/data/dataset.ts';
import { imagesByClass } from '../src/data/images-by-class.ts';
import { CheckpointError, ConfigError } from '../src/errors.ts';
import type { ResNet } from '../src/nn/resnet.ts';
import { readSafetensors, type SafetensorsEntry, writeSafetensors } from '../src/nn/safetensors.ts';
import { crossEntropy } from '../src/ops/cross-entropy.ts';
import { engine, near, uniform } from './support/engine.ts';
import { refusal } from './support/refusal.ts';
import * as rows from './support/rows.ts';
import { makeBenchmark } from './support/run-benchmark.ts';
import { fashion, small } from './support/small-run.ts';

const few = firstPerClass(fashion.train, 12);
const tasks = [imagesByClass(few, [1, 8]), imagesByClass(few, [5, 2]), imagesByClass(few, [9])] as const;
const settings = { width: 4, epochs: 2, batch: 10, memory: 15, lr: 0.05, crop: 1 };

const make = (changes: object = {}) => ContinualLearner.create(engine, { ...settings, method: derpp, ...changes });

async function learn(learner: ContinualLearner, images: (typeof tasks)[number]): Promise<void> {
  for await (const event of learner.learn(images)) void event;
}

const logitsOf = ({ memory }: ContinualLearner): number[][] =>
  memory.exemplars.map(({ values }) => [...(values?.logits ?? [])]);

test('logits are those of the finished task’s model for the images as they are, and stay as they were', async () => {
  const learner = await make();
  await learn(learner, tasks[0]);
  const stored = logitsOf(learner);
  assert.is(stored.length, 15);
  const { height, width, channels } = learner.imageFormat as { height: number; width: number; channels: number };
  const pixels = learner.memory.exemplars.map((one) => ({
    data: one.pixels,
    shape: [height, width, channels] as const,
  }));
  for (const [at, row] of stored.entries()) {
    const answers = await learner.predict(pixels[at] as (typeof pixels)[number]);
    const probabilities = learner.classes.map(
      (name) => answers.find(({ label }) => label === name)?.probability ?? Number.NaN,
    );
    await near(engine.tensor(rows.softmax(row)), probabilities, 1e-4, `exemplar ${at}`);
  }
  const before = new Map(learner.memory.exemplars.map((one) => [one.pixels.join(), one.values?.logits]));

  await learn(learner, tasks[1]);
  const lengths = new Map<boolean, Set<number>>();
  for (const { label, pixels, values } of learner.memory.exemplars) {
    const isOld = label < 2;
    lengths.set(isOld, (lengths.get(isOld) ?? new Set()).add(values?.logits?.length ?? 0));
    if (isOld) assert.equal(values?.logits, before.get(pixels.join()));
  }
  assert.equal([...(lengths.get(true) ?? [])], [2], 'a logit for each class known then');
  assert.equal([...(lengths.get(false) ?? [])], [4]);

  const loaded = await ContinualLearner.load(engine, await learner.save(), { method: derpp });
  assert.equal(loaded.memory.exemplars, learner.memory.exemplars);
  for (const one of [learner, loaded]) {
    await learn(one, tasks[2]);
    assert.equal(new Set(logitsOf(one).map(({ length }) => length)).has(5), true);
  }
  assert.equal(await loaded.save(), await learner.save());
  learner.dispose();
  loaded.dispose();
});

test('a file whose stored numbers do not fit its exemplars is refused', async () => {
  const learner = await make();
  await learn(learner, tasks[0]);
  const { tensors, metadata } = readSafetensors(await learner.save());
  learner.dispose();
  const [rows, sizes] = ['memory.stored.logits', 'memory.stored-sizes.logits'];
  const counts = (...first: number[]) => Int32Array.from({ length: 15 }, (_, at) => first[at] ?? 2);
  const strange = new Float32Array(30).fill(1);
  strange[7] = Number.NaN;
  const changes: [Record<string, SafetensorsEntry | null>, RegExp][] = [
    [{ [rows]: null }, /stored as "logits" with its 15 exemplars does not fit/],
    [{ [sizes]: null }, /does not fit/],
    [{ [rows]: { dtype: 'F32', shape: [28], data: new Float32Array(28) } }, /does not fit/],
    [{ [rows]: { dtype: 'F32', shape: [30], data: strange } }, /stored as "logits" .* holds NaN/],
    [{ [rows]: { dtype: 'I32', shape: [30], data: new Int32Array(30) } }, /does not fit/],
    [{ [sizes]: { dtype: 'I32', shape: [14], data: counts(4).slice(1) } }, /does not fit/],
    [{ [sizes]: { dtype: 'I32', shape: [15], data: counts(-2, 6) } }, /does not fit/],
  ];
  for (const [change, expected] of changes) {
    const left = new Map(tensors);
    for (const [name, entry] of Object.entries(change)) {
      if (entry) left.set(name, entry);
      else left.delete(name);
    }
    const bytes = writeSafetensors(left, { ...metadata, checksum: checksumOf(left) });
    const error = await refusal(ContinualLearner.load(engine, bytes, { method: derpp }));
    assert.instance(error, CheckpointError, String(error));
    assert.match(error.message, expected);
  }
});

test('an exemplar with which nothing was stored, or no numbers, is so in a file too', async () => {
  const one = defineMethod({
    name: 'one',
    summary: 'stores something else with the images of each task',
    settings: {},
    keeps: 'exemplars',
    *learn() {
      yield { loss: ({ logits, targets }) => crossEntropy(logits, targets) };
    },
    stores: async ({ index }, images) => ({ [`task${index}`]: images.map((_, at) => new Float32Array(at % 2)) }),
  });
  const learner = await ContinualLearner.create(engine, { ...settings, epochs: 1, method: one });
  await learn(learner, tasks[0]);
  await learn(learner, tasks[1]);
  const loaded = await ContinualLearner.load(engine, await learner.save(), { method: one });
  assert.equal(loaded.memory.exemplars, learner.memory.exemplars);
  assert.equal(
    [0, 3].map((label) => Object.keys(loaded.memory.of(label)[0]?.values ?? {})),
    [['task0'], ['task1']],
  );
  for (const either of [learner, loaded]) either.dispose();
});

test('its loss takes the logits that were known, and labels from another batch', async () => {
  const held: { dispose(): void }[] = [];
  const rowOf: Record<number, Float32Array> = { 2: Float32Array.of(1, -1), 3: Float32Array.of(0.5, 2, -3) };
  const task = {
    engine,
    fresh: [0, 1],
    exemplars: [2, 3],
    labels: Int32Array.of(3, 3, 0, 2),
    oldClasses: 3,
    training: { labelSmoothing: 0 },
    settings: { alpha: 0.3, beta: 0.7, memoryBatch: 2 },
    stored: (image: number) => rowOf[image],
    hold: <T extends { dispose(): void }>(one: T): T => {
      held.push(one);
      return one;
    },
  } as unknown as Parameters<typeof derpp.learn>[0];
  const [phase] = [...(derpp.learn(task) as Iterable<Phase<ResNet>>)] as [Phase<ResNet>];
  assert.equal(phase.images, [0, 1]);
  assert.equal(phase.drawn, {
    dark: { images: [2, 3], batch: 2 },
    labelled: { images: [2, 3], batch: 2 },
  });
  const data = [1, 2, 3].map((seed) => uniform(8, seed));
  const batch = (at: number, targets: readonly number[]) => ({
    logits: engine.tensor(data[at] as Float32Array, [2, 4]),
    targets: engine.tensor(Int32Array.from(targets)),
    // Of images 3 and 2.
    values: (name: string) => phase.values?.[name]?.flip([0]).slice([[0, 2]]),
  });
  const [own, dark, labelled] = [batch(0, [3, 3]), batch(1, [2, 0]), batch(2, [0, 2])];
  const loss = phase.loss({
    ...own,
    drawn: (name: string) => ({ dark, labelled })[name],
  } as unknown as Batch<ResNet>);
  const [a, b, c] = data.map((values) => rows.rowsOf(values, 4)) as [number[][], number[][], number[][]];
  const distances = [
    ...[0.5, 2, -3].map((z, i) => (b[0]![i]! - z) ** 2),
    ...[1, -1].map((z, i) => (b[1]![i]! - z) ** 2),
  ];
  const expected = rows.crossEntropy(a, [3, 3]) + 0.3 * rows.mean(distances) + 0.7 * rows.crossEntropy(c, [0, 2]);
  await near(loss, [expected], 1e-6);
  for (const one of held) one.dispose();
});

test('its exemplars are a reservoir unless somebody says otherwise, and which is recorded', async () => {
  assert.is(parseConfig({ method: 'derpp' }).selection, 'reservoir');
  assert.is(parseConfig({ method: 'derpp', selection: 'herding' }).selection, 'herding');
  assert.is(parseConfig({ method: 'replay' }).selection, 'herding');
  const [usual, chosen] = [await make(), await make({ selection: 'random' })];
  assert.equal([usual.training.selection, chosen.training.selection], ['reservoir', 'random']);
  // A file says it itself: what is the default later changes nothing of it.
  const saved = await usual.save();
  const other = defineMethod({ ...derpp, selection: 'random' });
  const loaded = await ContinualLearner.load(engine, saved, { method: other });
  assert.is(loaded.training.selection, 'reservoir');
  for (const one of [usual, chosen, loaded]) one.dispose();
});

test('without a place in memory it is refused before it learns', async () => {
  for (const planned of [
    make({ memory: 0 }),
    (async () => makeBenchmark({ ...small, method: 'derpp', memory: 0 }))(),
  ]) {
    const error = await refusal(planned);
    assert.instance(error, ConfigError);
    assert.match(error.message, /^memory: the method "derpp" needs exemplars, and there is room for none\./);
  }
});

test.run();
