/** Training that diverges is told of before anything of it is kept. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { alignWeights } from '../src/continual/alignment.ts';
import { defineMethod } from '../src/continual/method.ts';
import { replay } from '../src/continual/methods/replay.ts';
import { ArgumentError, ConfigError } from '../src/errors.ts';
import { Linear } from '../src/nn/layers.ts';
import { crossEntropy } from '../src/ops/cross-entropy.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { engine } from './support/engine.ts';
import { refusal } from './support/refusal.ts';
import { finish, makeBenchmark, outcome } from './support/run-benchmark.ts';
import { small } from './support/small-run.ts';

test('training that diverges stops with advice, at the same step however losses are read', async () => {
  const stopped = async (lossEvery: number) => {
    const benchmark = makeBenchmark({ ...small, lr: 1e38, momentum: 0, trainPerClass: 64, lossEvery });
    const { message } = await refusal(finish(benchmark.run()));
    benchmark.dispose();
    return message;
  };
  const message = await stopped(1);
  assert.match(
    message,
    /epoch \d+, step \d+: .*diverged at learning rate.*smaller `lr` \(--lr\), or `warmup` \(--warmup\)/,
  );
  assert.is(await stopped(3), message);
});

/** One step a task, whose loss is finite and whose update is not, from the second task on. */
const once = { ...small, trainPerClass: 16, epochs: 1, batch: 64, lr: 1e20, momentum: 0, weightDecay: 0 } as const;

test('weights that are not finite after the last step are refused, and the learner stays what it was', async () => {
  const explosion = defineMethod({
    name: 'explosion',
    summary: '',
    settings: {},
    keeps: 'nothing',
    *learn({ index, fresh }) {
      yield {
        images: fresh,
        loss: ({ logits, targets }) => crossEntropy(logits, targets).mul(index ? 1e30 : 1e-20),
      };
    },
  });
  const benchmark = makeBenchmark(once, explosion);
  await finish(benchmark.runTask());
  const [saved, buffers] = [await outcome(benchmark), engine.memory().liveBuffers];
  const told: string[] = [];
  try {
    for await (const event of benchmark.runTask()) told.push(event.type);
    assert.unreachable('it went on');
  } catch (error) {
    assert.instance(error, ConfigError);
    assert.match(
      (error as Error).message,
      /^task 2: after its last step weights are no longer finite: training diverged/,
    );
  }
  assert.equal(told, ['step', 'epoch']);
  assert.equal(await outcome(benchmark), saved);
  assert.is(engine.memory().liveBuffers, buffers);
  benchmark.dispose();
});

test('a method that goes on after a phase never sees weights that are not finite, nor leaves any', async () => {
  const stages: string[] = [];
  const told = async (name: string, explodes: number): Promise<string> => {
    const staged = defineMethod({
      name,
      summary: '',
      settings: {},
      keeps: 'nothing',
      async *learn({ model, fresh }) {
        for (const stage of ['warm', 'hot']) {
          const loud = stage === 'hot' && explodes === 1 ? 1e30 : 1e-20;
          yield { name: stage, images: fresh, loss: (b) => crossEntropy(b.logits, b.targets).mul(loud) };
          stages.push(stage);
        }
        if (explodes !== 2) return;
        const bias = model.parameters().at(-1) as Tensor;
        engine.write(bias.storage, new Float32Array(bias.size).fill(Number.NaN));
      },
    });
    const benchmark = makeBenchmark(once, staged);
    const error = await refusal(finish(benchmark.run()));
    assert.instance(error, ConfigError);
    assert.is(benchmark.learner.model, null);
    benchmark.dispose();
    return error.message;
  };
  assert.match(await told('by-training', 1), /^task 1, phase hot: after its last step weights are no longer finite/);
  assert.equal(stages.splice(0), ['warm']);
  assert.match(await told('by-hand', 2), /^task 1: after its last step weights are no longer finite/);
  assert.equal(stages, ['warm', 'hot']);
});

test('so alignment, which would fail on them, is not come to', async () => {
  const loud = defineMethod({
    ...replay,
    name: 'loud',
    async *learn(task) {
      for await (const phase of replay.learn(task))
        yield { ...phase, loss: (batch) => phase.loss(batch).mul(task.index ? 1e30 : 1e-20) };
    },
  });
  const benchmark = makeBenchmark(once, loud);
  const error = await refusal(finish(benchmark.run()));
  assert.instance(error, ConfigError);
  assert.match(error.message, /^task 2: after its last step weights are no longer finite/);
  assert.is(benchmark.tasksDone, 1);
  benchmark.dispose();
});

const logits = { ...small, trainPerClass: 16, epochs: 1, batch: 64, optimizer: 'adam', lr: 1e20 } as const;
for (const method of ['fdkd', 'finetune'] as const) {
  test(`finite weights whose logits are not are refused too, by ${method}`, async () => {
    const before = engine.memory().liveBuffers;
    const benchmark = makeBenchmark({ ...logits, method });
    const error = await refusal(finish(benchmark.run()));
    assert.instance(error, ConfigError);
    assert.match(error.message, /training diverged at learning rate 100000000000000000000/);
    assert.is(benchmark.learner.model, null);
    assert.is(benchmark.tasksDone, 0);
    assert.is(benchmark.learner.tasksDone, 0);
    assert.equal(benchmark.lines, []);
    benchmark.dispose();
    assert.is(engine.memory().liveBuffers, before);
  });
}

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
