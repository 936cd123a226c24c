/** Saved runs: one that is resumed goes on as the same run, and a file that is damaged or of another run is refused. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Benchmark } from '../src/continual/benchmark/benchmark.ts';
import type { BenchmarkState } from '../src/continual/benchmark/benchmark-state.ts';
import { type ConfigInput, parseConfig } from '../src/continual/benchmark/config.ts';
import { ContinualLearner } from '../src/continual/learner.ts';
import type { LearnerState } from '../src/continual/learner-state.ts';
import { checksumOf } from '../src/continual/stored-tensors.ts';
import { subset } from '../src/data/dataset.ts';
import { CheckpointError, ConfigError } from '../src/errors.ts';
import { readSafetensors, type SafetensorsEntry, writeSafetensors } from '../src/nn/safetensors.ts';
import { engine } from './support/engine.ts';
import { refusal } from './support/refusal.ts';
import { finish, makeBenchmark, outcome, read } from './support/run-benchmark.ts';
import { fashion, small } from './support/small-run.ts';

const few: ConfigInput = { ...small, trainPerClass: 16, epochs: 1, batch: 16 };

/** The state after the first task. */
async function firstTask(input: ConfigInput): Promise<{ benchmark: Benchmark; saved: Uint8Array<ArrayBuffer> }> {
  const benchmark = makeBenchmark(input);
  await finish(benchmark.runTask());
  return { benchmark, saved: await benchmark.save() };
}

const from = (bytes: Uint8Array) => ({ checkpoint: { bytes, where: 'x.safetensors' } });

test('a resumed run goes on bit for bit as the one that never stopped, however its steps are done', async () => {
  const input: ConfigInput = { ...small, method: 'fdkd', trainPerClass: 48, epochs: 2 };
  const { benchmark: straight, saved } = await firstTask(input);
  await finish(straight.runTask());
  const { learner: _, benchmark: records, tensors } = await outcome(straight);

  const otherwise = { capture: false, lossEvery: 3, gradientCheckpointing: true, tune: false };
  for (const changes of [{}, otherwise]) {
    const resumed = makeBenchmark({ ...input, ...changes });
    await resumed.resume(from(saved));
    assert.is(resumed.tasksDone, 1);
    assert.equal(read(await resumed.save()).tensors, read(saved).tensors);
    const { capture, lossEvery, gradientCheckpointing, tune } = resumed.learner.training;
    const asGiven = { capture: true, lossEvery: 4, gradientCheckpointing: false, tune: undefined, ...changes };
    assert.equal({ capture, lossEvery, gradientCheckpointing, tune }, asGiven);
    assert.is(resumed.began, straight.began);
    await finish(resumed.run());
    const end = await outcome(resumed);
    assert.equal(end.tensors, tensors);
    const config = { ...(records as BenchmarkState).config, ...changes };
    assert.equal(end.benchmark, { ...(records as BenchmarkState), config });
    resumed.dispose();
  }
  straight.dispose();
});

test('a learner is loaded with its own ways of doing steps, or with others, but with no other settings', async () => {
  const { benchmark, saved } = await firstTask({ ...few, lossEvery: 2, tune: false });
  const load = (settings?: Record<string, unknown>) =>
    ContinualLearner.load(engine, saved, settings ? { settings } : {});
  const [same, other] = [await load(), await load({ capture: false, tune: undefined })];
  assert.equal(same.training, benchmark.learner.training);
  const { tune, ...untuned } = benchmark.learner.training;
  assert.is(tune, false);
  assert.equal(other.training, { ...untuned, capture: false });
  for (const [settings, expected] of [
    [{ lr: 1 }, /unknown setting "lr".*capture, tune, lossEvery, gradientCheckpointing/],
    [{ lossEvery: 0 }, /"lossEvery" does not fit/],
  ] as const) {
    const error = await refusal(load(settings));
    assert.instance(error, ConfigError);
    assert.match(error.message, expected);
  }
  for (const one of [same, other, benchmark]) one.dispose();
});

test('a run is saved before its first task too, and resumed as one that has learnt nothing', async () => {
  const benchmark = makeBenchmark(few);
  const saved = await benchmark.save();
  const resumed = makeBenchmark(few);
  await resumed.resume(from(saved));
  assert.is(resumed.tasksDone, 0);
  for (const one of [benchmark, resumed]) await finish(one.runTask());
  assert.equal(await outcome(resumed), await outcome(benchmark));
  for (const one of [benchmark, resumed]) one.dispose();
});

test('a file that is cut, of another model or of another configuration is refused, and nothing changes', async () => {
  const { benchmark, saved } = await firstTask(few);
  const refused = async (bytes: Uint8Array, changes: ConfigInput, expected: RegExp) => {
    const { align, ...others } = { ...few, ...changes };
    const other = makeBenchmark(align === undefined ? others : { ...others, align });
    const before = engine.memory().liveBuffers;
    const error = await refusal(other.resume(from(bytes)));
    assert.instance(error, CheckpointError);
    assert.match(error.message, expected);
    assert.is(other.tasksDone, 0);
    assert.is(other.learner.model, null);
    assert.is(engine.memory().liveBuffers, before);
    other.dispose();
  };
  await refused(saved.slice(0, saved.length / 2), {}, /x\.safetensors/);
  await refused(saved, { width: 4 }, /"width" = 8, but this run has 4/);
  await refused(saved, { memory: 44 }, /"memory" = 40/);
  await refused(saved, { model: 'resnet14' }, /"model"/);
  await refused(saved, { method: 'replay' }, /"method" = "fdkd", but this run has "replay"/);
  await refused(saved, { align: false }, /"align" = true, but this run has false/);
  await refused(saved, { pool: 'tasks' }, /"pool" = none, but this run has "tasks"/);
  await refused(saved, { temperature: 3 }, /"temperature" = 2, but this run has 3/);
  await refused(saved, { tasks: 4 }, /"tasks" = 2, but this run has 4/);
  await refused(await benchmark.learner.save(), {}, /this is no run/);
  benchmark.dispose();
});

test('other data is refused: fewer images, other pixels or labels, other names', async () => {
  const config = parseConfig({ ...few, testPerClass: 0 });
  const benchmark = new Benchmark(engine, fashion, config);
  await finish(benchmark.runTask());
  const saved = await benchmark.save();
  const refused = async (expected: RegExp, split: typeof fashion) => {
    const other = new Benchmark(engine, split, config);
    const error = await refusal(other.resume(from(saved)));
    assert.instance(error, CheckpointError);
    assert.match(error.message, expected);
    assert.is(other.tasksDone, 0);
    other.dispose();
  };
  const { train, test: tested } = fashion;
  const fewer = subset(tested, [...tested.labels.keys()].slice(0, -10));
  await refused(/made on (\d+)×14×14×1 testing images, but here are (?!\1×)\d+×14×14×1/, { train, test: fewer });
  const backwards = subset(train, [...train.labels.keys()].reverse());
  await refused(/training images are not those the run began with/, { train: backwards, test: tested });
  const images = tested.images.slice();
  images[0]! ^= 1;
  await refused(/testing images are not those the run began with/, { train, test: { ...tested, images } });
  const classNames = Array.from({ length: train.classes }, (_, label) => `other ${label}`);
  await refused(/training images are not those/, { train: { ...train, classNames }, test: tested });
  benchmark.dispose();
});

interface Damage {
  learner?: (state: LearnerState & { settings: Record<string, unknown> }) => void;
  benchmark?: (state: BenchmarkState) => void;
  tensors?: (tensors: Map<string, SafetensorsEntry>) => void;
}

function damaged(saved: Uint8Array, { learner, benchmark, tensors: change }: Damage): Uint8Array {
  const { tensors, metadata } = readSafetensors(saved);
  const states = [JSON.parse(metadata.learner as string), JSON.parse(metadata.benchmark as string)];
  learner?.(states[0]);
  benchmark?.(states[1]);
  change?.(tensors as Map<string, SafetensorsEntry>);
  const [first, second] = states.map((state) => JSON.stringify(state)) as [string, string];
  // As if it had been written so: what is told is more than that a disk changed it.
  return writeSafetensors(tensors, { ...metadata, learner: first, benchmark: second, checksum: checksumOf(tensors) });
}

/** Lets the memory hold black exemplars of these classes, and no others. */
const holding =
  (labels: (kept: readonly number[]) => readonly number[]) => (tensors: Map<string, SafetensorsEntry>) => {
    const kept = Int32Array.from(labels([...((tensors.get('memory.labels')?.data ?? []) as Int32Array)]));
    const n = kept.length;
    tensors.set('memory.labels', { dtype: 'I32', shape: [n], data: kept });
    tensors.set('memory.pixels', { dtype: 'U8', shape: [n, 14, 14, 1], data: new Uint8Array(n * 14 * 14) });
  };

test('a file that says what no run leaves is refused by its name and what is wrong, and nothing changes', async () => {
  const { benchmark, saved } = await firstTask(few);
  const [live, before] = [engine.memory().liveBytes, await outcome(benchmark)];
  const refused = async (damage: Damage, expected: RegExp) => {
    const error = await refusal(benchmark.resume(from(damaged(saved, damage))));
    assert.instance(error, CheckpointError, error.message);
    assert.match(error.message, /^x\.safetensors: /);
    assert.match(error.message, expected);
  };
  const matrix = (rows: number[][]): Damage => ({ benchmark: (state) => void Object.assign(state, { matrix: rows }) });
  const learner = (changes: object): Damage => ({ learner: (state) => void Object.assign(state, changes) });
  const settings = (changes: object): Damage => ({ learner: (state) => void Object.assign(state.settings, changes) });
  await refused(matrix([[50, 50]]), /after task 1 it has the accuracies \[50, 50\], where 1/);
  await refused(matrix([[101]]), /accuracies \[101\], where 1 of 0 to 100 percent belong/);
  await refused(matrix([[-1]]), /accuracies \[-1\]/);
  await refused(matrix([[50], [50]]), /after task 2 it has the accuracies \[50\]/);
  await refused(matrix([]), /1 tasks are learnt, but 0 are tested/);
  const three = matrix([[1], [1, 1], [1, 1, 1]]);
  await refused({ ...three, ...learner({ tasksDone: 3 }) }, /after 3 tasks, but there are only 2/);
  await refused({ benchmark: (state) => void state.classOrder.reverse() }, /in another order/);
  await refused(learner({ classes: ['a', 'a'] }), /two classes are called "a"/);
  await refused(learner({ taskSizes: [3] }), /its tasks brought 3 classes, but it names 2/);
  await refused(learner({ taskSizes: [1, 1], tasksDone: 2 }), /2 tasks are learnt, but 1 are tested/);
  await refused(learner({ images: null }), /does not say what its images are/);
  await refused(learner({ scaler: { scale: 1, goodSteps: 0, skippedSteps: 0 } }), /a learner in f32 has no scale/);
  await refused(settings({ precision: 'f16' }), /a learner in f16 needs the scale/);
  await refused(settings({ lr: -1 }), /its settings do not fit: .*"lr" does not fit/);
  await refused(settings({ speed: 1 }), /its settings do not fit: .*unknown setting "speed"/);
  await refused(settings({ memory: 1 }), /its settings do not fit: .*1 exemplars are too few for 2 classes/);
  await refused(learner({ method: 'replay' }), /learns by "replay", not by "fdkd"/);

  const memory = (labels: (kept: readonly number[]) => readonly number[]): Damage => ({ tensors: holding(labels) });
  await refused(
    memory((kept) => kept.filter((label) => label === 1)),
    /class 0 has 0 exemplars, where 1 to 20 belong/,
  );
  await refused(
    memory(() => []),
    /class 0 has 0 exemplars/,
  );
  await refused(
    memory((kept) => [...kept, ...Array(5).fill(1)]),
    /class 1 has 21 exemplars, where 1 to 20 belong/,
  );
  await refused(
    memory((kept) => [...kept, 2]),
    /exemplar 32 is of class 2, but there are 2/,
  );
  await refused(
    memory((kept) => [...kept, -1]),
    /exemplar 32 is of class -1/,
  );
  await refused(
    { tensors: (all) => void all.delete('memory.pixels') },
    /pixels are missing, where U8\[32, 14, 14, 1\]/,
  );
  await refused({ tensors: (all) => void all.delete('memory.labels') }, /the exemplars have no labels/);
  const flat = { dtype: 'F32', shape: [32], data: new Float32Array(32) } as const;
  await refused({ tensors: (all) => void all.set('memory.labels', flat) }, /have labels F32\[32\]/);

  const put = (name: string, value: number): Damage => ({
    tensors: (all) => void all.get(name)!.data.fill(value as never, 0, 1),
  });
  await refused(put('model.bn1.running_var', -0.5), /"bn1\.running_var" holds the variance -0\.5/);
  await refused(put('model.bn1.running_var', Number.POSITIVE_INFINITY), /"bn1\.running_var" holds Infinity/);
  await refused(put('model.fc.weight', Number.NaN), /"fc\.weight" holds NaN/);
  await refused({ tensors: (all) => void all.delete('model.fc.bias') }, /Missing: "fc\.bias"\./);
  assert.is(benchmark.tasksDone, 1);
  assert.equal(await outcome(benchmark), before);
  assert.is(engine.memory().liveBytes, live);
  benchmark.dispose();
});

test('memories of other kinds are held to what they may be', async () => {
  const refused = async (input: ConfigInput, damage: Damage, expected: RegExp) => {
    const { benchmark, saved } = await firstTask({ ...few, ...input });
    const whole = makeBenchmark({ ...few, ...input });
    await whole.resume(from(saved));
    assert.equal(await outcome(whole), read(saved));
    const error = await refusal(whole.resume(from(damaged(saved, damage))));
    assert.instance(error, CheckpointError, error.message);
    assert.match(error.message, expected);
    for (const one of [benchmark, whole]) one.dispose();
  };
  const one = { tensors: holding(() => [0]) };
  const four = { tensors: holding(() => [0, 0, 0, 0, 1, 1, 1]) };
  await refused({ method: 'finetune' }, one, /its method keeps no exemplars, but there are 1/);
  await refused({ method: 'joint' }, one, /class 1 has 0 exemplars, where 1 or more belong/);
  await refused({ memoryPerClass: 3 }, four, /class 0 has 4 exemplars, where 1 to 3 belong/);
  await refused({ memory: 0 }, one, /its method keeps no exemplars, but there are 1/);
  await refused({ memoryBytes: 6 * 196 }, four, /its exemplars have 1372 bytes, where at most 1176 belong/);
  await refused({ selection: 'reservoir', memory: 20 }, one, /it has 1 exemplars, where 20 belong/);
  await refused({ selection: 'reservoir', memoryPerClass: 3 }, four, /class 0 has 4 exemplars, where 3 belong/);
});

test.run();
