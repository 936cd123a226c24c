/** A run that is stopped within a task goes on from its last progress as if it had never stopped, or not at all. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Benchmark, type SavedRun } from '../src/continual/benchmark/benchmark.ts';
import type { MetricsLine } from '../src/continual/benchmark/benchmark-state.ts';
import { type ConfigInput, parseConfig } from '../src/continual/benchmark/config.ts';
import { ContinualLearner } from '../src/continual/learner.ts';
import { type AnyMethod, type Batch, defineMethod } from '../src/continual/method.ts';
import { checksumOf } from '../src/continual/stored-tensors.ts';
import { imagesByClass } from '../src/data/images-by-class.ts';
import { CheckpointError } from '../src/errors.ts';
import { readSafetensors, writeSafetensors } from '../src/nn/safetensors.ts';
import { crossEntropy } from '../src/ops/cross-entropy.ts';
import { engine, needs } from './support/engine.ts';
import { refusal } from './support/refusal.ts';
import { finish, makeBenchmark, outcome } from './support/run-benchmark.ts';
import { fashion, small } from './support/small-run.ts';

const config: ConfigInput = {
  ...small,
  classOrder: [1, 8, 5, 2, 0, 3],
  tasks: 3,
  trainPerClass: 12,
  testPerClass: 5,
  batch: 16,
  memory: 18,
  width: 4,
  epochs: 2,
  crop: 1,
  flip: 0.5,
};

type Saved = NonNullable<SavedRun['progress']>;

/** A run from beginning to end, and all that may be gone on with on its way: after each task, and after each epoch. */
async function recorded(input: ConfigInput, method?: AnyMethod, changed: (run: Benchmark) => void = () => {}) {
  const benchmark = makeBenchmark(input, method);
  changed(benchmark);
  const begin: Saved = { bytes: await benchmark.save(), where: 'checkpoint' };
  const stops: { checkpoint: Saved; progress: Saved; what: string }[] = [];
  const checkpoints = [begin];
  for await (const event of benchmark.run({ saveEvery: 1 })) {
    if (event.type === 'task') checkpoints.push({ bytes: await benchmark.save(), where: 'checkpoint' });
    if (event.type !== 'progress') continue;
    const what = `task ${event.task + 1}, phase ${event.phase + 1}, after ${event.epochs} epochs`;
    stops.push({ checkpoint: checkpoints.at(-1)!, progress: { bytes: event.bytes, where: 'progress' }, what });
  }
  const end = await outcome(benchmark);
  benchmark.dispose();
  return { stops, checkpoints, end };
}

/** Goes on in a fresh benchmark; what it comes to, and how many epochs it learns. */
async function goneOn(input: ConfigInput, saved: SavedRun, method?: AnyMethod) {
  const benchmark = makeBenchmark(input, method);
  await benchmark.resume(saved);
  const epochs = (await finish(benchmark.run())).filter(({ type }) => type === 'epoch');
  const end = await outcome(benchmark);
  benchmark.dispose();
  return { end, epochs: epochs.length };
}

async function sameWhereverStopped(input: ConfigInput, method?: AnyMethod, changed?: (run: Benchmark) => void) {
  const before = engine.memory().liveBuffers;
  const { stops, end } = await recorded(input, method, changed);
  const most = stops.length;
  for (const [at, { what, ...saved }] of stops.entries()) {
    const { end: resumed, epochs } = await goneOn(input, saved, method);
    assert.equal(resumed, end, what);
    assert.is(epochs, most - at - 1, `${what}: no epoch is learnt twice`);
  }
  assert.is(engine.memory().liveBuffers, before);
  return end;
}

// Each method by one of them: what an optimizer has to remember does not depend on the method.
for (const [method, optimizer] of [
  ['fdkd', 'adam'],
  ['rdkd', 'sgd'],
] as const) {
  test(`${method} by ${optimizer} goes on the same from every epoch`, async () => {
    const lr = optimizer === 'adam' ? 0.003 : 0.1;
    await sameWhereverStopped({ ...config, method, optimizer, lr, clip: optimizer === 'sgd' ? 1 : 0 });
  });
}

needs('shader-f16')('rdkd in f16, its gradients clipped, goes on the same from every epoch', async () => {
  const input: ConfigInput = { ...config, method: 'rdkd', precision: 'f16', clip: 1, optimizer: 'adam', lr: 0.003 };
  // So large that steps are skipped, before it was stopped and after it was resumed.
  const { learner } = await sameWhereverStopped(input, undefined, (run) =>
    run.learner.scaler?.load({ scale: 2 ** 26, goodSteps: 0, skippedSteps: 0 }),
  );
  const { skippedSteps } = (learner as { scaler: { skippedSteps: number } }).scaler;
  // Of 16 steps.
  assert.ok(skippedSteps > 1 && skippedSteps < 12, `${skippedSteps} steps were skipped`);
});

test('a method of several phases with random numbers between them goes on the same from every epoch', async () => {
  const staged = defineMethod({
    name: 'staged',
    summary: '',
    settings: {},
    keeps: 'exemplars',
    async *learn(task) {
      const { model, fresh, exemplars } = task;
      const loss = ({ logits, targets }: Batch) => crossEntropy(logits, targets);
      yield { name: 'fit', loss };
      const balanced = task
        .random('balance')
        .shuffle([...fresh, ...exemplars])
        .slice(0, 16);
      const head = model.parameters().at(-1)!;
      const values = (await head.data()) as Float32Array<ArrayBuffer>;
      task.engine.write(
        head.storage,
        values.map((value) => value / 2),
      );
      yield { name: 'balance', images: balanced, recipe: { epochs: 3, optimizer: 'adam', lr: 0.001 }, loss };
    },
  });
  const { benchmark } = await sameWhereverStopped(config, staged);
  const { lines } = benchmark as { lines: MetricsLine[] };
  const phases = lines.flatMap((line) => (line.type === 'epoch' ? [`${line.phase} ${line.phaseName}`] : []));
  assert.equal([...new Set(phases)], ['0 fit', '1 balance'], 'and records them under their names');
});

test('progress is told of as often as asked for, and after the last epoch of each phase', async () => {
  const benchmark = makeBenchmark({ ...config, tasks: 2, epochs: 5 });
  const epochs: number[] = [];
  for await (const event of benchmark.runTask({ saveEvery: 2 }))
    if (event.type === 'progress') epochs.push(event.epochs);
  assert.equal(epochs, [2, 4, 5]);
  for await (const event of benchmark.runTask()) assert.is.not(event.type, 'progress');
  benchmark.dispose();
});

test('how steps are done may change within a task', async () => {
  const { stops, end } = await recorded({ ...config, method: 'rdkd' });
  const { what, ...saved } = stops[2]!;
  const otherwise = { capture: false, lossEvery: 1, gradientCheckpointing: true };
  const { end: resumed } = await goneOn({ ...config, method: 'rdkd', ...otherwise }, saved);
  assert.equal(resumed.tensors, end.tensors, what);
});

test('left again and resumed again, it is still the same run', async () => {
  const { stops, end } = await recorded(config);
  const { checkpoint, progress } = stops[2]!;
  const benchmark = makeBenchmark(config);
  await benchmark.resume({ checkpoint, progress });
  const settled = await outcome(benchmark);
  for (let n = 0; n < 2; n++) {
    for await (const event of benchmark.runTask()) if (event.type === 'epoch') break;
    assert.equal(await outcome(benchmark), settled);
  }
  await finish(benchmark.run());
  assert.equal(await outcome(benchmark), end);
  benchmark.dispose();
});

test('progress of a task that was finished since is left out; that of a later one, or of another run, is refused', async () => {
  const { stops, checkpoints, end } = await recorded(config);
  const [begin, first, second] = checkpoints as [Saved, Saved, Saved];
  const progressOf = (task: number) => stops[2 * task]!.progress;
  const { end: resumed, epochs } = await goneOn(config, { checkpoint: second, progress: progressOf(1) });
  assert.is(epochs, 2);
  assert.equal(resumed, end);

  const refused = async (saved: SavedRun, expected: RegExp, changes: ConfigInput = {}, split = fashion) => {
    const other = new Benchmark(engine, split, parseConfig({ ...config, ...changes }));
    const untouched = await outcome(other);
    const live = engine.memory().liveBuffers;
    const error = await refusal(other.resume(saved));
    assert.instance(error, CheckpointError);
    assert.match(error.message, expected);
    assert.equal(await outcome(other), untouched);
    assert.is(engine.memory().liveBuffers, live);
    other.dispose();
  };
  await refused({ progress: progressOf(1) }, /^progress: this is the progress of task 2, but 0 tasks are learnt/);
  await refused({ checkpoint: begin, progress: progressOf(2) }, /the progress of task 3, but 0 tasks are learnt/);
  await refused({ checkpoint: first, progress: progressOf(2) }, /the progress of task 3, but 1 task is learnt/);
  await refused({ progress: progressOf(0) }, /^progress: .*"lr" = 0\.1, but this run has 0\.2/, { lr: 0.2 });
  await refused({ progress: progressOf(0) }, /"method" = "fdkd", but this run has "kd"/, { method: 'kd' });
  const images = fashion.train.images.slice();
  images[0]! ^= 1;
  const others = { ...fashion, train: { ...fashion.train, images } };
  await refused({ progress: progressOf(0) }, /images are not those the run began with/, {}, others);
  await refused(
    { progress: { bytes: first.bytes, where: 'progress' } },
    /^progress: this is not the progress of a task/,
  );
  const { bytes } = progressOf(0);
  await refused({ progress: { bytes: bytes.slice(0, -9), where: 'cut' } }, /^cut: /);
  const { tensors, metadata } = readSafetensors(bytes);
  tensors.get('model.fc.weight')!.data.fill(Number.NaN as never, 0, 1);
  await refused(
    {
      progress: { bytes: writeSafetensors(tensors, { ...metadata, checksum: checksumOf(tensors) }), where: 'progress' },
    },
    /^progress: the file is damaged: "fc\.weight" holds NaN/,
  );
});

test('a learner refuses progress with other images, of another task, of other settings, and learns on', async () => {
  const images = (...labels: number[]) => imagesByClass(fashion.train, labels);
  const settings = { method: 'rdkd', width: 4, epochs: 2, batch: 64, memory: 20 } as const;
  const make = () => ContinualLearner.create(engine, settings);
  const learner = await make();
  const all: Uint8Array[] = [];
  for await (const event of learner.learn(images(1, 8), { saveEvery: 1 }))
    if (event.type === 'progress') all.push(event.bytes);
  const [resume] = all as [Uint8Array];
  const saved = await learner.save();
  const refused = async (one: ContinualLearner, labels: number[], expected: RegExp) => {
    const before = engine.memory().liveBuffers;
    const error = await refusal(finish(one.learn(images(...labels), { resume })));
    assert.instance(error, CheckpointError);
    assert.match(error.message, expected);
    assert.is(engine.memory().liveBuffers, before);
  };
  await refused(learner, [5, 2], /the progress of task 1, but task 2 is to be learnt/);
  const fresh = await make();
  await refused(fresh, [1, 5], /made with other images, classes, settings or exemplars/);
  await refused(fresh, [8, 1], /made with other images, classes, settings or exemplars/);
  const other = await ContinualLearner.create(engine, { ...settings, seed: 1 });
  await refused(other, [1, 8], /made with other images, classes, settings or exemplars/);
  const events = await finish(fresh.learn(images(1, 8), { resume }));
  assert.is(events.filter(({ type }) => type === 'epoch').length, 1);
  assert.ok(Buffer.from(saved).equals(await fresh.save()));
  for (const one of [learner, fresh, other]) one.dispose();
});

test.run();
