/** A task that fails, or is left before its end: nothing of it stays, and learnt again it is learnt as if for the first time. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Benchmark, BenchmarkEvent } from '../src/continual/benchmark/benchmark.ts';
import type { ConfigInput } from '../src/continual/benchmark/config.ts';
import { ContinualLearner } from '../src/continual/learner.ts';
import { type AnyMethod, type Batch, defineMethod } from '../src/continual/method.ts';
import { methods } from '../src/continual/methods/index.ts';
import { imagesByClass } from '../src/data/images-by-class.ts';
import { ArgumentError } from '../src/errors.ts';
import { engine, needs } from './support/engine.ts';
import { refusal } from './support/refusal.ts';
import { finish, makeBenchmark, outcome, read } from './support/run-benchmark.ts';
import { fashion, small } from './support/small-run.ts';

const config: ConfigInput = {
  ...small,
  weighting: 'adaptive',
  trainPerClass: 12,
  testPerClass: 5,
  batch: 10,
  memory: 12,
  width: 4,
  epochs: 2,
  clip: 1,
  lossEvery: 2,
};

/** RDKD that counts what it holds, and does something ahead of every loss. */
function watched(before: (batch: Batch, call: number) => void = () => {}) {
  const counts = { begun: 0, disposed: 0 };
  const method: AnyMethod = {
    ...methods.rdkd,
    name: 'watched',
    async *learn(task) {
      counts.begun++;
      task.hold({ dispose: () => counts.disposed++ });
      let calls = 0;
      for await (const phase of methods.rdkd.learn(task)) {
        yield {
          ...phase,
          loss: (batch) => {
            before(batch, calls++);
            return phase.loss(batch);
          },
        };
      }
    },
  };
  return { method, counts };
}

/** Leaves the next task at the n-th event of this type. */
async function leave(benchmark: Benchmark, type: BenchmarkEvent['type'], n: number): Promise<void> {
  let seen = 0;
  for await (const event of benchmark.runTask({ saveEvery: 1 })) if (event.type === type && ++seen === n) return;
  assert.unreachable(`there was no ${type} ${n}`);
}

/** What the configuration leads to when nothing happens to it: the states after both tasks, and the first as it is saved. */
async function undisturbed() {
  const benchmark = makeBenchmark(config, watched().method);
  await finish(benchmark.runTask());
  const checkpoint = { bytes: await benchmark.save(), where: 'saved' };
  await finish(benchmark.runTask());
  const second = await outcome(benchmark);
  benchmark.dispose();
  return { first: read(checkpoint.bytes), second, checkpoint };
}

const straight = undisturbed();

test('left at any event, the first task and the second leave nothing behind and are learnt again to the last bit', async () => {
  const { first, second } = await straight;
  const nothing = engine.memory().liveBuffers;
  const { method, counts } = watched();
  const benchmark = makeBenchmark(config, method);
  const [fresh, unlearnt] = [engine.memory().liveBuffers, await outcome(benchmark)];
  await leave(benchmark, 'step', 1);
  assert.is(benchmark.learner.model, null);
  assert.is(engine.memory().liveBuffers, fresh);
  assert.equal(await outcome(benchmark), unlearnt);
  await finish(benchmark.runTask());
  assert.equal(await outcome(benchmark), first);

  const before = engine.memory().liveBuffers;
  for (const [type, n] of [
    ['step', 1],
    ['step', 3],
    ['epoch', 1],
    ['progress', 1],
    ['epoch', 2],
    ['progress', 2],
  ] as const) {
    await leave(benchmark, type, n);
    assert.is(engine.memory().liveBuffers, before, `${type} ${n}`);
    assert.is(counts.disposed, counts.begun);
    assert.equal(await outcome(benchmark), first);
  }
  await finish(benchmark.runTask());
  assert.equal(await outcome(benchmark), second);
  assert.is(counts.disposed, counts.begun);
  assert.is(counts.begun, 9);
  benchmark.dispose();
  assert.is(engine.memory().liveBuffers, nothing);
});

test('aborted, it ends with the reason, and is learnt again to the last bit', async () => {
  const { first, second } = await straight;
  const benchmark = makeBenchmark(config, watched().method);
  await finish(benchmark.runTask());
  const before = engine.memory().liveBuffers;
  for (const type of ['step', 'epoch'] as const) {
    const abort = new AbortController();
    const going = async () => {
      for await (const event of benchmark.runTask({ signal: abort.signal }))
        if (event.type === type) abort.abort(new Error('no time'));
    };
    assert.is((await refusal(going())).message, 'no time');
    assert.is(engine.memory().liveBuffers, before);
    assert.equal(await outcome(benchmark), first);
  }
  await finish(benchmark.run());
  assert.equal(await outcome(benchmark), second);
  benchmark.dispose();
});

test('a loss that throws: in a first step, while it is recorded, between forward and backward', async () => {
  const { first, second } = await straight;
  let failing = -1;
  const { method, counts } = watched((batch, call) => {
    if (call !== failing) return;
    assert.is(batch.logits.shape[1], 4);
    throw new Error('out of cheese');
  });
  const benchmark = makeBenchmark(config, method);
  await finish(benchmark.runTask());
  const before = engine.memory().liveBuffers;
  for (failing of [0, 1, 2]) {
    assert.match((await refusal(finish(benchmark.runTask()))).message, /threw Error: out of cheese/);
    assert.is(engine.memory().liveBuffers, before, `call ${failing}`);
    assert.is(counts.disposed, counts.begun);
  }
  assert.equal(await outcome(benchmark), first);
  failing = -1;
  // However somebody leaves it: it teaches by its running statistics, and does not change them.
  benchmark.learner.model?.train();
  await finish(benchmark.run());
  assert.equal(await outcome(benchmark), second);
  benchmark.dispose();
});

test('a task that is to be tested counts when its test is done, and not when that fails', async () => {
  const images = (...labels: number[]) => imagesByClass(fashion.test, labels);
  const learner = await ContinualLearner.create(engine, { method: 'replay', width: 4, epochs: 1 });
  const before = engine.memory().liveBuffers;
  const error = await refusal(finish(learner.learn(images(1, 8), { test: images(1, 5) })));
  assert.instance(error, ArgumentError);
  assert.match(error.message, /^learn: test: class "[^"]+" is not known\./);
  assert.equal([learner.tasksDone, learner.classes, learner.model], [0, [], null]);
  assert.is(engine.memory().liveBuffers, before);
  const events = await finish(learner.learn(images(1, 8), { test: images(8, 1) }));
  const done = events.at(-1);
  assert.equal(done?.type === 'task' && done.evaluation, await learner.evaluate(images(8, 1)));
  const untested = (await finish(learner.learn(images(5, 2)))).at(-1) as object;
  assert.not('evaluation' in untested);
  learner.dispose();
});

test('of two errors the first is told, and what the second one kept is freed all the same', async () => {
  const clumsy = defineMethod({
    name: 'clumsy',
    summary: '',
    settings: {},
    keeps: 'nothing',
    *learn(task) {
      task.hold({
        dispose() {
          throw new Error('second');
        },
      });
      yield {
        loss() {
          throw new Error('first');
        },
      };
    },
  });
  const { weighting, ...others } = config;
  const benchmark = makeBenchmark(others, clumsy);
  const before = engine.memory().liveBuffers;
  assert.match((await refusal(finish(benchmark.run()))).message, /threw Error: first/);
  assert.is(engine.memory().liveBuffers, before);
  benchmark.dispose();
});

test('what is saved in the middle of a task is the state after the last finished one, and can be gone on with', async () => {
  const { first, second, checkpoint } = await straight;
  const benchmark = makeBenchmark(config, watched().method);
  await finish(benchmark.runTask());
  let saved = 0;
  for await (const event of benchmark.runTask()) {
    if (event.type === 'task') break;
    assert.equal(await outcome(benchmark), first, event.type);
    assert.is(benchmark.learner.memory.size, 12);
    saved++;
  }
  assert.ok(saved > 4);
  assert.equal(await outcome(benchmark), second);
  const resumed = makeBenchmark(config, watched().method);
  await resumed.resume({ checkpoint });
  await finish(resumed.run());
  assert.equal(await outcome(resumed), second);
  benchmark.dispose();
  resumed.dispose();
});

needs('shader-f16')('the scale of the loss goes back too', async () => {
  const benchmark = makeBenchmark({ ...config, precision: 'f16' }, watched().method);
  const { learner } = benchmark;
  // So large that the first steps overflow, and change it.
  learner.scaler?.load({ scale: 2 ** 60, goodSteps: 0, skippedSteps: 0 });
  await leave(benchmark, 'epoch', 2);
  assert.equal(await learner.scaler?.state(), { scale: 2 ** 60, goodSteps: 0, skippedSteps: 0 });
  await finish(benchmark.runTask());
  assert.ok(((await learner.scaler?.state())?.skippedSteps ?? 0) > 0);
  benchmark.dispose();
});

/** To the first event of the task itself. */
async function begin(events: AsyncIterator<{ readonly type: string }>): Promise<void> {
  for (let told = true; told; ) told = (await events.next()).value?.type === 'notice';
}

test('two tasks at once, more tasks than there are, and whatever comes after dispose', async () => {
  const refused = async (promise: Promise<unknown>, expected: RegExp) => {
    const error = await refusal(promise);
    assert.instance(error, ArgumentError);
    assert.match(error.message, expected);
  };
  const { checkpoint } = await straight;
  const image = { data: fashion.test.images.subarray(0, 14 * 14), shape: [14, 14, 1] as const };
  const nothing = engine.memory().liveBuffers;
  const benchmark = makeBenchmark(config, watched().method);
  await refused(benchmark.learner.predict(image), /nothing has been learnt/);
  const running = benchmark.run();
  await begin(running);
  await refused(finish(benchmark.run()), /task 1 is being learnt already/);
  await refused(benchmark.runTask().next(), /task 1 is being learnt already/);
  await refused(finish(benchmark.learner.learn({ shoe: image })), /task 1 is being learnt already/);
  await refused(benchmark.resume({ checkpoint }), /task 1 is being learnt already/);
  await running.return(undefined);
  await finish(benchmark.run());
  assert.is((await benchmark.learner.predict(image)).length, 4);
  await refused(benchmark.runTask().next(), /all 2 tasks are learnt/);
  benchmark.dispose();

  const disposed = makeBenchmark(config, watched().method);
  const going = disposed.run();
  await begin(going);
  disposed.dispose();
  assert.is(engine.memory().liveBuffers, nothing);
  await refused(finish(going), /was disposed of/);
  await refused(finish(disposed.run()), /was disposed of/);
  await refused(disposed.learner.predict(image), /was disposed of/);
  await refused(disposed.save(), /was disposed of/);
  await refused(disposed.resume({ checkpoint }), /was disposed of/);
  assert.is(engine.memory().liveBuffers, nothing);
});

test('a task begun while the saved run is still being read wins, and a task begun before the last event is taken counts', async () => {
  const { second, checkpoint } = await straight;
  const benchmark = makeBenchmark(config, watched().method);
  const before = engine.memory().liveBuffers;
  const resuming = refusal(benchmark.resume({ checkpoint }));
  const early = benchmark.runTask();
  await early.next();
  assert.match((await resuming).message, /task 1 is being learnt already/);
  await early.return(undefined);
  assert.is(engine.memory().liveBuffers, before);

  const events = benchmark.runTask();
  for await (const { type } of { [Symbol.asyncIterator]: () => ({ next: () => events.next() }) })
    if (type === 'task') break;
  // Its generator is not done, but its task is.
  const next = benchmark.runTask();
  await next.next();
  await events.return(undefined);
  await finish(next);
  assert.equal(await outcome(benchmark), second);
  benchmark.dispose();
});

test.run();
