/** Training that diverges is told of before anything of it is kept. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { alignWeights } from '../src/continual/alignment.ts';
import { saveCheckpoint } from '../src/continual/checkpoint.ts';
import { parseConfig } from '../src/continual/config.ts';
import { Learner } from '../src/continual/learner.ts';
import type { Method } from '../src/continual/method.ts';
import { ArgumentError, ConfigError } from '../src/errors.ts';
import { Linear } from '../src/nn/layers.ts';
import { crossEntropy } from '../src/ops/cross-entropy.ts';
import { engine } from './support/engine.ts';
import { fashion, small } from './support/small-run.ts';

test('training that diverges stops with advice, at the same step however losses are read', async () => {
  const stopped = async (lossEvery: number) => {
    const config = parseConfig({ ...small, lr: 1e38, momentum: 0, trainPerClass: 64, lossEvery });
    const learner = new Learner(engine, fashion, config);
    try {
      for await (const event of learner.run()) void event;
    } catch (error) {
      return (error as Error).message;
    } finally {
      learner.dispose();
    }
    return 'it went on';
  };
  const message = await stopped(1);
  assert.match(message, /epoch \d+, step \d+: .*diverged at learning rate/);
  assert.is(await stopped(3), message);
});

test('weights that are not finite after the last step are refused, and the learner stays what it was', async () => {
  // One step, whose loss is finite and whose update is not.
  const once = { ...small, trainPerClass: 16, epochs: 1, batch: 64, lr: 1e20, momentum: 0, weightDecay: 0 } as const;
  const explosion: Method = {
    name: 'explosion',
    summary: '',
    data: 'new',
    teacher: false,
    begin: ({ task }) => ({ loss: ({ logits, targets }) => crossEntropy(logits, targets).mul(task ? 1e30 : 1e-20) }),
  };
  const learner = new Learner(engine, fashion, parseConfig(once), explosion);
  for await (const event of learner.runTask()) void event;
  const [saved, buffers] = [await saveCheckpoint(learner), engine.memory().liveBuffers];
  const told: string[] = [];
  try {
    for await (const event of learner.runTask()) told.push(event.type);
    assert.unreachable('it went on');
  } catch (error) {
    assert.instance(error, ConfigError);
    assert.match(
      (error as Error).message,
      /^task 2: after its last step weights are no longer finite: training diverged/,
    );
  }
  assert.equal(told, ['step', 'epoch']);
  assert.equal(await saveCheckpoint(learner), saved);
  assert.is(engine.memory().liveBuffers, buffers);
  learner.dispose();
});

test('finite weights whose logits are not are refused too', async () => {
  const config = parseConfig({ ...small, trainPerClass: 16, epochs: 1, batch: 64, optimizer: 'adam', lr: 1e20 });
  const learner = new Learner(engine, fashion, config);
  const error = await (async () => {
    for await (const event of learner.run()) void event;
  })().catch((thrown) => thrown);
  assert.instance(error, ConfigError);
  assert.match(error.message, /training diverged at learning rate 100000000000000000000/);
  assert.is(learner.model, null);
  assert.is(learner.tasksDone, 0);
  learner.dispose();
});

test('alignment leaves weights of zero alone, and refuses what is not finite', async () => {
  const layer = new Linear(engine, 2, 3);
  const aligned = async (weights: number[]) => {
    engine.write(layer.weight.storage, Float32Array.from(weights));
    return { gamma: await alignWeights(layer, 1), weights: [...(await layer.weight.data())] };
  };
  // Columns are classes: the first is old, the other two are new.
  assert.equal(await aligned([3, 0, 1, 4, 1, 0]), { gamma: 5, weights: [3, 0, 5, 4, 5, 0] });
  assert.equal(await aligned([3, 0, 0, 4, 0, 0]), { gamma: 1, weights: [3, 0, 0, 4, 0, 0] });
  assert.equal(await aligned([0, 0, 1, 0, 1, 0]), { gamma: 1, weights: [0, 0, 1, 0, 1, 0] });
  for (const odd of [Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.instance(await aligned([3, 0, odd, 4, 1, 0]).catch((error) => error), ArgumentError);
    assert.instance(await aligned([odd, 0, 1, 4, 1, 0]).catch((error) => error), ArgumentError);
  }
  layer.dispose();
});

test.run();
