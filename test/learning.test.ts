/** Benchmarks on real images: they learn, replay keeps what fine-tuning loses, every method runs. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Benchmark } from '../src/continual/benchmark/benchmark.ts';
import { type ConfigInput, parseConfig, settingsFor } from '../src/continual/benchmark/config.ts';
import { subset } from '../src/data/dataset.ts';
import { ConfigError, EngramError } from '../src/errors.ts';
import { engine } from './support/engine.ts';
import { methodsHere } from './support/methods-here.ts';
import { makeBenchmark, outcome } from './support/run-benchmark.ts';
import { fashion, small } from './support/small-run.ts';

async function learn(changes: ConfigInput): Promise<Benchmark> {
  const benchmark = makeBenchmark({ ...small, ...changes });
  for await (const event of benchmark.run()) if (event.type === 'step') assert.ok(Number.isFinite(event.loss));
  return benchmark;
}

test('all classes at once are learnt', async () => {
  const benchmark = await learn({ method: 'joint', tasks: 1, epochs: 6 });
  assert.ok(benchmark.summary.last > 85, `${benchmark.summary.last} % on four classes`);
  benchmark.dispose();
});

test('steps that are replayed learn what steps run anew learn, to the last bit', async () => {
  const [replayed, anew] = [
    await learn({ method: 'rdkd', trainPerClass: 48, epochs: 2 }),
    await learn({ method: 'rdkd', trainPerClass: 48, epochs: 2, capture: false }),
  ];
  assert.equal(replayed.summary, anew.summary);
  assert.equal((await outcome(replayed)).tensors, (await outcome(anew)).tensors);
  replayed.dispose();
  anew.dispose();
});

test('losses that are read together are the same, and so is what is learnt', async () => {
  const follow = async (lossEvery: number) => {
    const benchmark = makeBenchmark({ ...small, trainPerClass: 40, batch: 16, epochs: 2, lossEvery });
    const told: string[] = [];
    for await (const event of benchmark.run()) {
      const { seconds, ...what } = event as typeof event & { seconds?: number };
      told.push(JSON.stringify(what));
    }
    const { tensors } = await outcome(benchmark);
    benchmark.dispose();
    return { told, tensors };
  };
  const one = await follow(1);
  // Five steps an epoch in the first task: windows that are not full at its end, and one that never is.
  for (const lossEvery of [3, 100]) {
    assert.equal(await follow(lossEvery), one);
  }
});

test('fine-tuning forgets the first task, dense distillation with exemplars keeps it', async () => {
  const finetune = await learn({ method: 'finetune', epochs: 8 });
  const fdkd = await learn({ method: 'fdkd', epochs: 8 });
  assert.ok(finetune.summary.matrix[1]![0]! < 20, `fine-tuning still knows ${finetune.summary.matrix[1]![0]} %`);
  assert.ok(fdkd.summary.matrix[1]![0]! > 60, `dense distillation keeps ${fdkd.summary.matrix[1]![0]} %`);
  assert.ok(fdkd.summary.forgetting < finetune.summary.forgetting);
  finetune.dispose();
  fdkd.dispose();
});

for (const method of methodsHere) {
  test(`${method} runs through three tasks and leaves no memory behind`, async () => {
    const before = engine.memory().liveBytes;
    const benchmark = await learn(
      settingsFor(method, {
        classOrder: [1, 8, 5, 2, 0, 3],
        tasks: 3,
        trainPerClass: 12,
        batch: 8,
        width: 2,
        epochs: 1,
        balancedEpochs: 1,
        lr: 0.02,
      }),
    );
    assert.equal(
      benchmark.matrix.map((row) => row.length),
      [1, 2, 3],
    );
    // A reservoir is full, six classes' shares are not.
    const kept = { finetune: 0, lwf: 0, joint: 6 * 12, derpp: 40 }[method as string] ?? 36;
    assert.is(benchmark.learner.memory.size, kept);
    assert.equal(
      benchmark.lines
        .filter(({ type }) => type === 'task')
        .map((line) => 'exemplars' in line && line.exemplars)
        .at(-1),
      kept,
    );
    benchmark.dispose();
    assert.equal(engine.memory().liveBytes, before);
  });
}

test('configurations that cannot work are refused before anything is trained', () => {
  const refused = (input: Record<string, unknown>, expected: RegExp) =>
    assert.throws(
      () => new Benchmark(engine, fashion, parseConfig({ ...small, ...input })),
      (error: EngramError) => error instanceof EngramError && expected.test(error.message),
    );
  refused({ memmory: 3 }, /unknown setting "memmory".*The settings of runs by "fdkd": data, /);
  refused({ epochs: 0 }, /"epochs"/);
  refused({ method: 'dkd' }, /"dkd" is not a built-in method.*fdkd, rdkd/);
  refused({ tasks: 5 }, /4 classes cannot be dealt out to 5 tasks/);
  refused({ tasks: 2, baseClasses: 4 }, /cannot be dealt out/);
  refused({ memory: 3 }, /3 exemplars are too few for 4 classes/);
  refused({ classOrder: [1, 1, 2] }, /class 1 appears twice/);
  refused({ classOrder: [1, 12] }, /class 12/);
  refused({ trainPerClass: 5000 }, /5000 images a class/);
  refused({ mean: [0, 0, 0], std: [1, 1, 1] }, /1 channels/);
  refused({ model: 'resnet9' }, /resnet9/);
});

test('a class without images is named', () => {
  const only = [...fashion.train.labels.keys()].filter((i) => fashion.train.labels[i] !== 8);
  const split = { train: subset(fashion.train, only), test: fashion.test };
  assert.throws(
    () => new Benchmark(engine, split, parseConfig({ ...small, trainPerClass: 0 })),
    (error: EngramError) => error instanceof ConfigError && /class Bag has no training images/.test(error.message),
  );
});

test.run();
