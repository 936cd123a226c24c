/** A learner in f16: it learns what it learns in f32, resumes exactly, and makes do with f32 where there is no f16. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Benchmark, BenchmarkEvent, TestedTaskEvent } from '../src/continual/benchmark/benchmark.ts';
import type { ConfigInput } from '../src/continual/benchmark/config.ts';
import type { EpochEvent } from '../src/continual/events.ts';
import { ContinualLearner } from '../src/continual/learner.ts';
import { CheckpointError } from '../src/errors.ts';
import { readSafetensors } from '../src/nn/safetensors.ts';
import { Engine } from '../src/tensor/engine.ts';
import { engine, needs } from './support/engine.ts';
import { refusal } from './support/refusal.ts';
import { finish, makeBenchmark } from './support/run-benchmark.ts';
import { small } from './support/small-run.ts';

async function learn(
  changes: ConfigInput,
  on = engine,
): Promise<{ benchmark: Benchmark; events: readonly BenchmarkEvent[] }> {
  const benchmark = makeBenchmark({ ...small, ...changes }, undefined, on);
  return { benchmark, events: await finish(benchmark.run()) };
}

const epochs = (events: readonly BenchmarkEvent[]) => events.filter((e): e is EpochEvent => e.type === 'epoch');
const tasks = (events: readonly BenchmarkEvent[]) => events.filter((e): e is TestedTaskEvent => e.type === 'task');

needs('shader-f16')('real images are learnt as in f32', async () => {
  const settings = { method: 'joint', tasks: 1, epochs: 5, trainPerClass: 200, lr: 0.02 } as const;
  const [full, half] = [await learn(settings), await learn({ ...settings, precision: 'f16' })];
  const losses = epochs(half.events).map(({ loss }) => loss);
  for (const [i, { loss }] of epochs(full.events).entries()) {
    // Last bits grow: f32 runs by kernels that add up in another order differ by 2 % from the third epoch on.
    const share = i === 0 ? 0.005 : 0.06;
    assert.ok(Math.abs(losses[i]! - loss) < share * loss, `epoch ${i}: ${losses[i]} beside ${loss}`);
  }
  const { last } = half.benchmark.summary;
  assert.ok(last > 85, `${last} % on four classes`);
  assert.equal(tasks(full.events)[0]!.skippedSteps, 0);
  for (const { benchmark } of [full, half]) benchmark.dispose();
});

needs('shader-f16')('replayed and resumed runs are the same run; the masters are f32, the scale is kept', async () => {
  const before = engine.memory().liveBytes;
  const settings = { method: 'fdkd', trainPerClass: 48, epochs: 2, clip: 1, precision: 'f16' } as const;
  const straight = makeBenchmark({ ...small, ...settings });
  // So large that the first steps overflow: what is skipped must be skipped again.
  straight.learner.scaler!.load({ scale: 2 ** 36, goodSteps: 0, skippedSteps: 0 });
  const [{ skippedSteps }] = tasks(await finish(straight.runTask())) as [TestedTaskEvent];
  const saved = await straight.save();
  const { scaler } = JSON.parse(readSafetensors(saved).metadata.learner as string);
  assert.ok(skippedSteps > 0);
  assert.is(scaler.skippedSteps, skippedSteps);
  assert.equal(scaler, await straight.learner.scaler!.state());
  await finish(straight.runTask());

  const resumed = makeBenchmark({ ...small, ...settings, capture: false });
  await resumed.resume({ checkpoint: { bytes: saved, where: 'saved' } });
  assert.is(resumed.learner.training.capture, false);
  assert.equal(await resumed.learner.scaler!.state(), scaler);
  await finish(resumed.run());
  assert.equal(resumed.summary, straight.summary);
  const [a, b] = [straight, resumed].map(({ learner }) => learner.model!.namedTensors());
  for (const { name, tensor } of a!) {
    assert.is(tensor.dtype, 'f32');
    assert.equal(await tensor.data(), await (b!.next().value as { tensor: typeof tensor }).tensor.data(), name);
  }
  assert.equal(await resumed.learner.scaler!.state(), await straight.learner.scaler!.state());
  straight.dispose();
  resumed.dispose();
  assert.is(engine.memory().liveBytes, before);
});

test('a device without f16 trains in f32, and says so once', async () => {
  const settings: ConfigInput = { trainPerClass: 16, epochs: 1, batch: 16, precision: 'f16' };
  const { adapter } = await (await import('#adapter')).requestAdapter();
  const device = await adapter.requestDevice();
  const plain = Engine.from(device);
  const { benchmark, events } = await learn(settings, plain);
  const { learner } = benchmark;
  assert.is(benchmark.config.precision, 'f32');
  assert.is(learner.training.precision, 'f32');
  assert.is(learner.scaler, null);
  const notices = events.filter((event) => event.type === 'notice');
  assert.match(notices[1]!.message, /4 of 10 classes are learnt/);
  assert.is(notices.length, 2);
  assert.match(notices[0]!.message, /no shader-f16: training in f32/);
  assert.is(events[0], notices[0]);
  assert.is(tasks(events).length, 2);
  if (engine.device.features.has('shader-f16')) {
    const half = makeBenchmark({ ...small, ...settings });
    const error = await refusal(half.resume({ checkpoint: { bytes: await benchmark.save(), where: 'saved' } }));
    assert.instance(error, CheckpointError);
    assert.match(error.message, /"precision" = "f32", but this run has "f16".*the same `precision` \(--precision\)/);
    await finish(half.runTask());
    const goesOn = await ContinualLearner.load(plain, await half.learner.save());
    assert.is(goesOn.training.precision, 'f32');
    assert.is(goesOn.scaler, null);
    for (const one of [half, goesOn]) one.dispose();
  }
  benchmark.dispose();
  await plain.destroy();
  device.destroy();
});

test.run();
