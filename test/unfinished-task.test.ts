/** A task that fails, or is left before its end: nothing of it stays, and learnt again it is learnt as if for the first time. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { restoreCheckpoint, saveCheckpoint } from '../src/continual/checkpoint.ts';
import { type Config, parseConfig } from '../src/continual/config.ts';
import type { LearnerEvent } from '../src/continual/events.ts';
import { Learner } from '../src/continual/learner.ts';
import type { BatchContext, Method, TaskLoss } from '../src/continual/method.ts';
import { methods } from '../src/continual/methods.ts';
import { ArgumentError, CheckpointError } from '../src/errors.ts';
import { supportsF16 } from '../src/tensor/dtype.ts';
import { engine } from './support/engine.ts';
import { fashion, small } from './support/small-run.ts';

const config = parseConfig({
  ...small,
  method: 'rdkd',
  weighting: 'adaptive',
  trainPerClass: 12,
  testPerClass: 5,
  batch: 10,
  memory: 12,
  width: 4,
  epochs: 2,
  clip: 1,
  lossEvery: 2,
});

/** The configured method with its dispose counted, and with something done ahead of every loss. */
function watched(of: Config, before: (batch: BatchContext, call: number) => void = () => {}) {
  const built = methods[of.method];
  const counts = { begun: 0, disposed: 0 };
  const method: Method = {
    ...built,
    name: 'watched',
    async begin(context): Promise<TaskLoss> {
      const loss = await built.begin(context);
      counts.begun++;
      let calls = 0;
      return {
        loss: (batch) => {
          before(batch, calls++);
          return loss.loss(batch);
        },
        dispose: () => {
          counts.disposed++;
          loss.dispose?.();
        },
      };
    },
  };
  return { method, counts };
}

const finish = async (events: AsyncIterable<LearnerEvent>): Promise<void> => {
  for await (const event of events) void event;
};

const errorOf = async (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => assert.unreachable('nothing was thrown') as never,
    (error: Error) => error,
  );

/** Leaves the next task at the n-th event of this type; the first unless said. */
async function leave(learner: Learner, type: LearnerEvent['type'], n = 1): Promise<void> {
  let seen = 0;
  for await (const event of learner.runTask()) if (event.type === type && ++seen === n) return;
  assert.unreachable(`there was no ${type} ${n}`);
}

/** What the configuration leads to when nothing happens to it: the states after both tasks. */
async function undisturbed(of: Config): Promise<Uint8Array[]> {
  const learner = new Learner(engine, fashion, of, watched(of).method);
  const states: Uint8Array[] = [];
  for await (const event of learner.run()) if (event.type === 'task') states.push(await saveCheckpoint(learner));
  learner.dispose();
  return states;
}

const straight = undisturbed(config);

test('left at any event, the first task and the second leave nothing behind and are learnt again to the last bit', async () => {
  const [first, second] = await straight;
  const nothing = engine.memory().liveBuffers;
  const { method, counts } = watched(config);
  const learner = new Learner(engine, fashion, config, method);
  const fresh = engine.memory().liveBuffers;
  await leave(learner, 'step');
  assert.is(learner.model, null);
  assert.is(engine.memory().liveBuffers, fresh);
  assert.instance(await errorOf(saveCheckpoint(learner)), CheckpointError);
  await finish(learner.runTask());
  assert.equal(await saveCheckpoint(learner), first);

  const before = engine.memory().liveBuffers;
  for (const [type, n] of [
    ['step', 1],
    ['step', 3],
    ['epoch', 2],
  ] as const) {
    await leave(learner, type, n);
    assert.is(engine.memory().liveBuffers, before, `${type} ${n}`);
    assert.is(counts.disposed, counts.begun);
    assert.equal(await saveCheckpoint(learner), first);
  }
  await finish(learner.runTask());
  assert.equal(await saveCheckpoint(learner), second);
  assert.is(counts.disposed, counts.begun);
  assert.is(counts.begun, 6);
  learner.dispose();
  assert.is(engine.memory().liveBuffers, nothing);
});

test('a loss that throws: in a first step, while it is recorded, between forward and backward', async () => {
  const [first, second] = await straight;
  let failing = -1;
  const { method, counts } = watched(config, (_, call) => {
    if (call === failing) throw new Error('out of cheese');
  });
  const learner = new Learner(engine, fashion, config, method);
  await finish(learner.runTask());
  const before = engine.memory().liveBuffers;
  for (failing of [0, 1, 2]) {
    assert.is((await errorOf(finish(learner.runTask()))).message, 'out of cheese');
    assert.is(engine.memory().liveBuffers, before, `call ${failing}`);
    assert.is(counts.disposed, counts.begun);
  }
  assert.equal(await saveCheckpoint(learner), first);
  failing = -1;
  // However somebody leaves it: it teaches by its running statistics, and does not change them.
  learner.model?.train();
  await finish(learner.run());
  assert.equal(await saveCheckpoint(learner), second);
  learner.dispose();
});

test('of two errors the first is told, and what the second one kept is freed all the same', async () => {
  const begin = () => ({
    loss: () => {
      throw new Error('first');
    },
    dispose: () => {
      throw new Error('second');
    },
  });
  const method: Method = { name: 'clumsy', summary: '', data: 'new', teacher: false, begin };
  const learner = new Learner(engine, fashion, config, method);
  const before = engine.memory().liveBuffers;
  assert.is((await errorOf(finish(learner.run()))).message, 'first');
  assert.is(engine.memory().liveBuffers, before);
  learner.dispose();
});

test('a checkpoint saved in the middle of a task is the one after the last finished task, and can be gone on with', async () => {
  const [first, second] = await straight;
  const learner = new Learner(engine, fashion, config, watched(config).method);
  await finish(learner.runTask());
  for await (const event of learner.runTask()) {
    if (event.type !== 'step') continue;
    assert.equal(await saveCheckpoint(learner), first);
    assert.is(learner.memory.size, 12);
    break;
  }
  const resumed = new Learner(engine, fashion, config, watched(config).method);
  restoreCheckpoint(resumed, (await straight)[0] as Uint8Array, 'saved');
  await finish(resumed.run());
  assert.equal(await saveCheckpoint(resumed), second);
  learner.dispose();
  resumed.dispose();
});

const half = supportsF16(engine) ? test : test.skip;
half('the scale of the loss goes back too', async () => {
  const inHalf = { ...config, precision: 'f16' } as const;
  const learner = new Learner(engine, fashion, inHalf, watched(inHalf).method);
  // So large that the first steps overflow, and change it.
  learner.scaler?.load({ scale: 2 ** 60, goodSteps: 0, skippedSteps: 0 });
  await leave(learner, 'epoch', 2);
  assert.equal(await learner.scaler?.state(), { scale: 2 ** 60, goodSteps: 0, skippedSteps: 0 });
  await finish(learner.runTask());
  assert.ok(((await learner.scaler?.state())?.skippedSteps ?? 0) > 0);
  learner.dispose();
});

test('two tasks at once, more tasks than there are, and whatever comes after dispose', async () => {
  const refused = async (promise: Promise<unknown>, expected: RegExp) => {
    const error = await errorOf(promise);
    assert.instance(error, ArgumentError);
    assert.match(error.message, expected);
  };
  const [first] = await straight;
  const nothing = engine.memory().liveBuffers;
  const learner = new Learner(engine, fashion, config, watched(config).method);
  assert.throws(() => learner.predict([0]), /nothing has been learnt/);
  const running = learner.run();
  await running.next();
  await refused(finish(learner.run()), /task 1 is being learnt already/);
  await refused(learner.runTask().next(), /task 1 is being learnt already/);
  assert.throws(() => restoreCheckpoint(learner, first as Uint8Array, 'saved'), /task 1 is being learnt already/);
  await running.return(undefined);
  await finish(learner.run());
  await refused(learner.runTask().next(), /all 2 tasks are learnt/);
  learner.dispose();

  const disposed = new Learner(engine, fashion, config, watched(config).method);
  const going = disposed.run();
  await going.next();
  disposed.dispose();
  assert.is(engine.memory().liveBuffers, nothing);
  await refused(finish(going), /was disposed of/);
  await refused(finish(disposed.run()), /was disposed of/);
  assert.throws(() => disposed.predict([0]), /was disposed of/);
  assert.throws(() => restoreCheckpoint(disposed, first as Uint8Array, 'saved'), /was disposed of/);
  assert.is(engine.memory().liveBuffers, nothing);
});

test.run();
