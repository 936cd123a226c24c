/** What tests count: of a learner against float64, of a benchmark against its accuracies, and of a task before it is learnt. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Benchmark } from '../src/continual/benchmark/benchmark.ts';
import { type ConfigInput, parseConfig } from '../src/continual/benchmark/config.ts';
import { expectedCalibrationError } from '../src/continual/benchmark/metrics/calibration-error.ts';
import { accuracyMatrix, headCounts, partSizes } from '../src/continual/benchmark/metrics/counts.ts';
import { zeroShot } from '../src/continual/benchmark/zero-shot.ts';
import { ContinualLearner } from '../src/continual/learner.ts';
import { defineMethod } from '../src/continual/method.ts';
import { finetune } from '../src/continual/methods/finetune.ts';
import { icarl } from '../src/continual/methods/icarl.ts';
import type { ImageDataset } from '../src/data/dataset.ts';
import { imagesByClass } from '../src/data/images-by-class.ts';
import { CheckpointError } from '../src/errors.ts';
import type { Engine, Tensor } from '../src/index.ts';
import { Module } from '../src/nn/module.ts';
import { readSafetensors, writeSafetensors } from '../src/nn/safetensors.ts';
import { globalAvgPool } from '../src/ops/pooling.ts';
import { concat } from '../src/ops/strided.ts';
import { engine } from './support/engine.ts';
import { refusal } from './support/refusal.ts';
import { finish, makeBenchmark, outcome } from './support/run-benchmark.ts';
import { fashion, small } from './support/small-run.ts';

const near = (actual: number, expected: number, tolerance = 1e-9) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

const config: ConfigInput = {
  ...small,
  classOrder: [1, 8, 5, 2, 0, 3],
  tasks: 3,
  trainPerClass: 16,
  testPerClass: 10,
  batch: 16,
  memory: 18,
  width: 4,
  epochs: 2,
};

test('a learner is tested as float64 says, within tasks and by its probabilities too', async () => {
  const learner = await ContinualLearner.create(engine, { method: 'fdkd', width: 4, epochs: 3, batch: 16, memory: 12 });
  const some = (labels: number[], count: number, from = 0) =>
    new Map(
      [...imagesByClass(fashion.test, labels)].map(([name, images]) => {
        const bytes = images.data.length / images.count;
        return [name, { ...images, count, data: images.data.slice(from * bytes, (from + count) * bytes) }];
      }),
    );
  await finish(learner.learn(some([1, 8, 5], 20)));
  await finish(learner.learn(some([2, 0], 20)));
  const lots = some([8, 2, 1, 0, 5], 30, 20);
  const { accuracy, withinTask, calibration, confusion, heads } = await learner.evaluate(lots, { heads: true });
  let [images, right, rightInTask] = [0, 0, 0];
  const bins = Array.from({ length: 15 }, () => ({ images: 0, right: 0, sure: 0 }));
  for (const [name, lot] of lots) {
    for (const [best, ...others] of await learner.predictMany(lot)) {
      const task = learner.classes.indexOf(name) < 3 ? learner.classes.slice(0, 3) : learner.classes.slice(3);
      const bin = bins[Math.ceil(best!.probability * 15) - 1]!;
      images++;
      bin.images++;
      bin.sure += best!.probability;
      if (best!.label === name) {
        right++;
        bin.right++;
      }
      if ([best!, ...others].find(({ label }) => task.includes(label))!.label === name) rightInTask++;
    }
  }
  near(accuracy, (100 * right) / images);
  near(withinTask, (100 * rightInTask) / images);
  assert.ok(rightInTask > right, 'told the task, more is told right');
  assert.equal(
    calibration.images,
    bins.map((bin) => bin.images),
  );
  assert.equal(
    calibration.right,
    bins.map((bin) => bin.right),
  );
  const error = bins.reduce((total, bin) => total + Math.abs(bin.right - bin.sure), 0);
  near(expectedCalibrationError(calibration), (100 * error) / images, 1e-3);
  // It predicts by its logits.
  assert.equal(heads?.classifier, confusion);
  assert.is.not(heads?.nearestMean, null);
  assert.is((await learner.evaluate(lots)).heads, undefined);
  learner.dispose();
});

test('both heads are asked whatever the method predicts by, where there are exemplars of all classes', async () => {
  const images = imagesByClass(fashion.test, [1, 8, 5, 2]);
  for (const method of [icarl, finetune]) {
    const before = engine.memory().liveBuffers;
    const learner = await ContinualLearner.create(engine, { method, width: 4, epochs: 1, batch: 64, memory: 8 });
    await finish(learner.learn(images));
    const { confusion, heads } = await learner.evaluate(images, { heads: true });
    if (method === icarl) {
      assert.equal(heads?.nearestMean, confusion);
      assert.not.equal(heads?.classifier, confusion);
    } else {
      assert.is(heads?.nearestMean, null);
      assert.equal(heads?.classifier, confusion);
    }
    learner.dispose();
    assert.is(engine.memory().liveBuffers, before, method.name);
  }
});

test('what a run counted holds its accuracies, and is the same when it is resumed within a task', async () => {
  const benchmark = makeBenchmark({ ...config, method: 'icarl' });
  let progress: Uint8Array | null = null;
  let checkpoint: Uint8Array | null = null;
  for await (const event of benchmark.run({ saveEvery: 1 })) {
    if (event.type === 'task' && event.task === 0) checkpoint = await benchmark.save();
    if (event.type === 'progress' && event.task === 1) progress ??= event.bytes;
  }
  const { summary, stages, zeroShots, matrix } = benchmark;
  const counted = stages.filter((parts) => parts !== null);
  assert.equal(
    counted.map((parts) => partSizes([parts])),
    [[20], [20, 20], [20, 20, 20]],
  );
  assert.equal(accuracyMatrix(counted), matrix);
  assert.equal(summary.matrix, matrix);
  assert.is(zeroShots.length, 2);
  assert.ok(zeroShots.every((shot) => shot?.images === 20));
  // It predicts by the nearest mean, which is not written down again.
  const [last] = counted.at(-1)!;
  assert.is(last!.nearestMean, undefined);
  assert.equal(headCounts(last!, 'nearestMean'), last!.counts);
  assert.equal(summary.counted?.nearestMean?.matrix, matrix);
  assert.ok(summary.counted!.taskIncremental.last >= summary.last);
  for (const row of summary.counted!.taskConfusion)
    near(
      row.reduce((a, b) => a + b),
      100,
    );

  const resumed = makeBenchmark({ ...config, method: 'icarl' });
  await resumed.resume({
    checkpoint: { bytes: checkpoint!, where: 'checkpoint' },
    progress: { bytes: progress!, where: 'progress' },
  });
  await finish(resumed.run());
  assert.equal(await outcome(resumed), await outcome(benchmark));
  assert.equal(resumed.zeroShots, zeroShots);
  for (const one of [benchmark, resumed]) one.dispose();
});

test('a run that is counted learns what it learns without a test, to the last bit', async () => {
  const benchmark = makeBenchmark({ ...config, method: 'rdkd', flip: 0.5, crop: 1 });
  const { training, methodSettings } = benchmark.learner;
  const learner = new ContinualLearner(engine, benchmark.method, { ...training, ...methodSettings });
  for (const classes of benchmark.scenario.tasks)
    await finish(learner.learn(imagesByClass(benchmark.images.train, classes)));
  await finish(benchmark.run());
  const tensors = (bytes: Uint8Array) => {
    return [...readSafetensors(bytes).tensors].map(([name, { data }]) => [
      name,
      Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
    ]);
  };
  assert.equal(tensors(await benchmark.save()), tensors(await learner.save()));
  benchmark.dispose();
  learner.dispose();
});

/** Tells the classes of images that are c/10 bright, once it has been told that it knows them; before, it says the first. */
class Rigged extends Module {
  readonly knows: Tensor;
  readonly featureSize = 1;

  constructor(
    engine: Engine,
    public classes: number,
  ) {
    super(engine);
    this.knows = engine.keep(engine.zeros([1]));
  }

  features(images: Tensor): Tensor {
    return globalAvgPool(images).mul(this.knows);
  }

  forward(images: Tensor): Tensor {
    const bright = globalAvgPool(images);
    const columns = Array.from({ length: this.classes }, (_, c) =>
      bright
        .sub(c / 10)
        .square()
        .mul(-100)
        .mul(this.knows),
    );
    return concat(columns, 1);
  }

  outputs(images: Tensor) {
    return { logits: this.forward(images), features: this.features(images), stages: [] };
  }

  grow(classes: number): void {
    this.classes += classes;
  }
}

const rigged = defineMethod({
  name: 'rigged',
  summary: 'knows all classes after the first task',
  settings: {},
  keeps: 'nothing',
  model: ({ engine, classes }) => new Rigged(engine as Engine, classes),
  learn({ engine, model }) {
    engine.write(model.knows.storage, Float32Array.of(1));
    return [];
  },
});

/** Four images of each of `classes` classes, c/10 bright. */
const shades = (classes: number): ImageDataset => ({
  name: 'shades',
  classes,
  classNames: Array.from({ length: classes }, (_, c) => `shade ${c}`),
  height: 4,
  width: 4,
  channels: 1,
  labels: Uint8Array.from({ length: 4 * classes }, (_, i) => Math.floor(i / 4)),
  images: Uint8Array.from({ length: 64 * classes }, (_, i) => Math.round((255 * Math.floor(i / 64)) / 10)),
});

test('forward transfer is what is known of a task before it is learnt, against a network that is not trained', async () => {
  const data = { train: shades(6), test: shades(6) };
  const input = { method: 'rigged', data: 'shades', tasks: 3, classSeed: -1, mean: [0], std: [1] };
  const benchmark = new Benchmark(engine, data as never, parseConfig(input as ConfigInput, 'test', rigged), rigged);
  await finish(benchmark.run());
  // Untrained it says the first of two; then it knows all of them, their outputs included.
  assert.equal(benchmark.zeroShots, [
    { images: 8, before: 8, untrained: 4 },
    { images: 8, before: 8, untrained: 4 },
  ]);
  assert.is(benchmark.summary.counted?.forwardTransfer, 50);
  assert.is(benchmark.summary.last, 100);
  const counts = benchmark.stages.at(-1)![2]!.counts;
  assert.equal(counts, [
    [4, 4, 4],
    [5, 5, 4],
  ]);

  // A domain brings no class: the accuracy itself, among all classes.
  const { liveBuffers } = engine.memory();
  const names = benchmark.learner.classes;
  const shot = await zeroShot(benchmark.learner, {
    brings: names.slice(0, 2),
    tests: imagesByClass(data.test, [0, 1, 2, 3, 4, 5]),
  });
  assert.equal(shot, { images: 24, before: 24, untrained: 12 });
  assert.is(engine.memory().liveBuffers, liveBuffers);
  benchmark.dispose();
});

test('a run of an older version goes on, and says nothing of what it did not count', async () => {
  const begun = makeBenchmark({ ...config, tasks: 3, method: 'replay', epochs: 1 });
  await finish(begun.runTask());
  const { tensors, metadata } = readSafetensors(await begun.save());
  const state = JSON.parse(metadata.benchmark!);
  for (const line of state.lines) delete line.tests;
  const bytes = writeSafetensors(tensors, { ...metadata, benchmark: JSON.stringify(state) });
  const resumed = makeBenchmark({ ...config, tasks: 3, method: 'replay', epochs: 1 });
  await resumed.resume({ checkpoint: { bytes, where: 'checkpoint' } });
  assert.is(resumed.summary.counted, null);
  await finish(resumed.run());
  assert.is(resumed.summary.counted, null);
  assert.equal(
    resumed.stages.map((parts) => parts?.length ?? null),
    [null, 2, 3],
  );
  for (const one of [begun, resumed]) one.dispose();
});

test('counts that do not give the accuracies beside them are told as damage', async () => {
  const run = makeBenchmark({ ...config, method: 'finetune', epochs: 1 });
  await finish(run.runTask());
  const { tensors, metadata } = readSafetensors(await run.save());
  const state = JSON.parse(metadata.benchmark!);
  state.lines.at(-1).tests[0].counts[0][2] += 7;
  const bytes = writeSafetensors(tensors, { ...metadata, benchmark: JSON.stringify(state) });
  const error = await refusal(run.resume({ checkpoint: { bytes, where: 'checkpoint' } }));
  assert.instance(error, CheckpointError);
  assert.match(error.message, /^checkpoint: it is damaged: after task 1 its counts give other accuracies than it has/);
  run.dispose();
});

test.run();
