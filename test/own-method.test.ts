/** A method of one's own: it is recorded by its name, resumes as itself alone, and may not pass for a built-in one. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readCheckpointState, restoreCheckpoint, saveCheckpoint } from '../src/continual/checkpoint.ts';
import { parseConfig } from '../src/continual/config.ts';
import { Learner } from '../src/continual/learner.ts';
import type { Method } from '../src/continual/method.ts';
import { methods } from '../src/continual/methods.ts';
import { CheckpointError, ConfigError, type EngramError } from '../src/errors.ts';
import { crossEntropy } from '../src/ops/cross-entropy.ts';
import { engine } from './support/engine.ts';
import { fashion, small } from './support/small-run.ts';

const settings = { ...small, trainPerClass: 16, testPerClass: 10, epochs: 1, batch: 16 };
const named = (name: string, changes: Partial<Method> = {}): Method => ({
  name,
  summary: 'cross entropy on new data and exemplars',
  data: 'memory',
  teacher: false,
  begin: () => ({ loss: ({ logits, targets }) => crossEntropy(logits, targets) }),
  ...changes,
});

async function firstTask(method?: Method): Promise<{ learner: Learner; saved: Uint8Array }> {
  const learner = new Learner(engine, fashion, parseConfig(settings), method);
  for await (const event of learner.runTask()) void event;
  return { learner, saved: await saveCheckpoint(learner) };
}

test('the checkpoint says which method it was', async () => {
  const { learner, saved } = await firstTask(named('mine'));
  assert.is(learner.config.method, 'mine');
  assert.is(readCheckpointState(saved, 'saved').config.method, 'mine');
  learner.dispose();
  const replay = new Learner(engine, fashion, parseConfig(settings), methods.replay);
  assert.is(replay.config.method, 'replay', 'a built-in one handed in counts, not the configured one');
  replay.dispose();
});

test('it resumes as itself, and as nothing else', async () => {
  const [mine, builtIn] = [await firstTask(named('mine')), await firstTask()];
  const resume = (saved: Uint8Array, method?: Method): number => {
    const learner = new Learner(engine, fashion, parseConfig(settings), method);
    try {
      restoreCheckpoint(learner, saved, 'saved');
      return learner.tasksDone;
    } finally {
      learner.dispose();
    }
  };
  const refused = (saved: Uint8Array, method: Method | undefined, expected: RegExp) =>
    assert.throws(
      () => resume(saved, method),
      (error: EngramError) => error instanceof CheckpointError && expected.test(error.message),
    );
  assert.is(resume(mine.saved, named('mine')), 1);
  refused(mine.saved, undefined, /"method" = "mine", but this run has "fdkd"/);
  refused(mine.saved, named('other'), /"method" = "mine", but this run has "other"/);
  refused(builtIn.saved, named('mine'), /"method" = "fdkd", but this run has "mine"/);
  refused(builtIn.saved, methods.replay, /"method" = "fdkd", but this run has "replay"/);
  for (const { learner } of [mine, builtIn]) learner.dispose();
});

test('no name, or the name of a built-in method, is refused', () => {
  for (const [name, expected] of [
    ['fdkd', /is called "fdkd" as a built-in one is/],
    ['', /has no name/],
  ] as const) {
    assert.throws(
      () => new Learner(engine, fashion, parseConfig(settings), named(name)),
      (error: EngramError) => error instanceof ConfigError && expected.test(error.message),
    );
  }
});

test('it says whether it aligns weights, and what it cannot do', () => {
  const aligned = (method: Method, align?: boolean): boolean => {
    const config = parseConfig(align === undefined ? settings : { ...settings, align });
    const learner = new Learner(engine, fashion, config, method);
    learner.dispose();
    return learner.config.align;
  };
  assert.is(aligned(named('mine')), false);
  assert.is(aligned(named('mine', { align: true })), true);
  assert.is(aligned(named('mine', { align: true }), false), false);
  const check: Method['check'] = (config, { tasks }) => {
    throw new ConfigError({ where: config.method, message: `${tasks.length} tasks are too many.` });
  };
  assert.throws(() => aligned(named('mine', { check })), /^mine: 2 tasks are too many/);
});

test.run();
