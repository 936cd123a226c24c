/** A learner on real images: it learns, replay keeps what fine-tuning loses, every method runs, a resumed run is the same run. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readCheckpointState, restoreCheckpoint, saveCheckpoint } from '../src/continual/checkpoint.ts';
import type { CheckpointState } from '../src/continual/checkpoint-state.ts';
import { type ConfigInput, METHOD_NAMES, parseConfig } from '../src/continual/config.ts';
import { Learner } from '../src/continual/learner.ts';
import { subset } from '../src/data/dataset.ts';
import { CheckpointError, ConfigError, EngramError } from '../src/errors.ts';
import { asFloat32, readSafetensors, type SafetensorsEntry, writeSafetensors } from '../src/nn/safetensors.ts';
import { engine, errorOf } from './support/engine.ts';
import { fashion, small } from './support/small-run.ts';

async function learn(changes: ConfigInput): Promise<Learner> {
  const learner = new Learner(engine, fashion, parseConfig({ ...small, ...changes }));
  for await (const event of learner.run()) if (event.type === 'step') assert.ok(Number.isFinite(event.loss));
  return learner;
}

test('all classes at once are learnt', async () => {
  const learner = await learn({ method: 'joint', tasks: 1, epochs: 6 });
  assert.ok(learner.summary.last > 85, `${learner.summary.last} % on four classes`);
  learner.dispose();
});

test('steps that are replayed learn what steps run anew learn, to the last bit', async () => {
  const [replayed, anew] = [
    await learn({ method: 'rdkd', trainPerClass: 48, epochs: 2 }),
    await learn({ method: 'rdkd', trainPerClass: 48, epochs: 2, capture: false }),
  ];
  assert.equal(replayed.summary, anew.summary);
  const [a, b] = [replayed, anew].map((learner) => saveCheckpoint(learner));
  const { tensors: left } = readSafetensors(await a!);
  const { tensors: right } = readSafetensors(await b!);
  for (const [name, { data }] of left) assert.equal(data, right.get(name)!.data, name);
  replayed.dispose();
  anew.dispose();
});

test('losses that are read together are the same, and so is what is learnt', async () => {
  const follow = async (lossEvery: number) => {
    const config = parseConfig({ ...small, method: 'fdkd', trainPerClass: 40, batch: 16, epochs: 2, lossEvery });
    const learner = new Learner(engine, fashion, config);
    const told: string[] = [];
    for await (const event of learner.run()) {
      const { seconds, ...what } = event as typeof event & { seconds?: number };
      told.push(JSON.stringify(what));
    }
    const { tensors } = readSafetensors(await saveCheckpoint(learner));
    learner.dispose();
    return { told, tensors };
  };
  const one = await follow(1);
  // Five steps an epoch in the first task: windows that are not full at its end, and one that never is.
  for (const lossEvery of [3, 100]) {
    const { told, tensors } = await follow(lossEvery);
    assert.equal(told, one.told);
    for (const [name, { data }] of one.tensors) assert.equal(tensors.get(name)!.data, data, name);
  }
});

test('fine-tuning forgets the first task, dense distillation with exemplars keeps it', async () => {
  const finetune = await learn({ method: 'finetune', align: false, epochs: 8 });
  const fdkd = await learn({ method: 'fdkd', epochs: 8 });
  assert.ok(finetune.summary.matrix[1]![0]! < 20, `fine-tuning still knows ${finetune.summary.matrix[1]![0]} %`);
  assert.ok(fdkd.summary.matrix[1]![0]! > 60, `dense distillation keeps ${fdkd.summary.matrix[1]![0]} %`);
  assert.ok(fdkd.summary.forgetting < finetune.summary.forgetting);
  finetune.dispose();
  fdkd.dispose();
});

for (const method of METHOD_NAMES) {
  test(`${method} runs through three tasks and leaves no memory behind`, async () => {
    const before = engine.memory().liveBytes;
    const learner = await learn({
      method,
      classOrder: [1, 8, 5, 2, 0, 3],
      tasks: 3,
      trainPerClass: 32,
      epochs: 1,
      weighting: 'fixed',
    });
    assert.equal(
      learner.matrix.map((row) => row.length),
      [1, 2, 3],
    );
    assert.equal(learner.memory.size, ['finetune', 'joint'].includes(method) ? 0 : 36);
    learner.dispose();
    assert.equal(engine.memory().liveBytes, before);
  });
}

test('a resumed run goes on bit for bit as the one that never stopped', async () => {
  const config = parseConfig({ ...small, method: 'fdkd', trainPerClass: 48, epochs: 2 });
  const straight = new Learner(engine, fashion, config);
  for await (const event of straight.runTask()) void event;
  const saved = await saveCheckpoint(straight);
  for await (const event of straight.runTask()) void event;

  const resumed = new Learner(engine, fashion, config);
  restoreCheckpoint(resumed, saved, 'saved');
  assert.is(resumed.tasksDone, 1);
  for await (const event of resumed.run()) void event;
  assert.equal(await saveCheckpoint(resumed), await saveCheckpoint(straight));
  straight.dispose();
  resumed.dispose();
});

interface Damage {
  state?: (good: CheckpointState) => CheckpointState;
  tensor?: (tensors: ReadonlyMap<string, SafetensorsEntry>) => void;
}

test('a checkpoint that is cut, of another model or of another configuration is refused, and nothing changes', async () => {
  const config = parseConfig({ ...small, trainPerClass: 16, epochs: 1, batch: 16 });
  const learner = new Learner(engine, fashion, config);
  assert.instance(await saveCheckpoint(learner).catch((error) => error), CheckpointError);
  for await (const event of learner.runTask()) void event;
  const saved = await saveCheckpoint(learner);
  const refused = (bytes: Uint8Array, changes: ConfigInput, expected: RegExp) => {
    const other = new Learner(engine, fashion, parseConfig({ ...config, ...changes }));
    assert.throws(
      () => restoreCheckpoint(other, bytes, 'x.safetensors'),
      (error: EngramError) => error instanceof CheckpointError && expected.test(error.message),
    );
    assert.is(other.tasksDone, 0);
    assert.is(other.model, null);
    other.dispose();
  };
  refused(saved.slice(0, saved.length / 2), {}, /x\.safetensors/);
  refused(saved, { width: 4 }, /"width" = 8, but this run has 4/);
  refused(saved, { memory: 44 }, /"memory" = 40/);
  refused(saved, { model: 'resnet14' }, /"model"/);
  refused(saved, { method: 'replay' }, /"method" = "fdkd", but this run has "replay"/);
  refused(saved, { align: false }, /"align" = true, but this run has false/);
  refused(saved, { pool: 'tasks' }, /"pool" = "dense", but this run has "tasks"/);
  learner.dispose();
});

test('a checkpoint of other data, or one whose parts do not fit each other, is refused', async () => {
  const config = parseConfig({ ...small, trainPerClass: 16, testPerClass: 0, epochs: 1, batch: 16 });
  const learner = new Learner(engine, fashion, config);
  for await (const event of learner.runTask()) void event;
  const saved = await saveCheckpoint(learner);
  const state = readCheckpointState(saved, 'saved');
  const refused = (expected: RegExp, changes: Partial<typeof state>, split = fashion) => {
    const { tensors, metadata } = readSafetensors(saved);
    const entries = [...tensors].map(
      ([name, entry]) => [name, { ...entry, dtype: 'F32', data: asFloat32(entry) }] as const,
    );
    const bytes = writeSafetensors(entries, { ...metadata, state: JSON.stringify({ ...state, ...changes }) });
    const other = new Learner(engine, split, config);
    const before = engine.memory().liveBuffers;
    assert.throws(
      () => restoreCheckpoint(other, bytes, 'x.safetensors'),
      (error: EngramError) => error instanceof CheckpointError && expected.test(error.message),
      String(expected),
    );
    assert.is(other.tasksDone, 0);
    assert.is(engine.memory().liveBuffers, before);
    other.dispose();
  };
  const { train, test: tested } = fashion;
  const fewer = subset(tested, [...tested.labels.keys()].slice(0, -10));
  refused(/made on (\d+)×14×14×1 testing images, but here are (?!\1×)\d+×14×14×1/, {}, { train, test: fewer });
  const backwards = subset(train, [...train.labels.keys()].reverse());
  refused(/keeps image \d+ as an exemplar of class 1, but here it is of class/, {}, { train: backwards, test: tested });
  const [first, second] = state.memory as [(typeof state.memory)[0], (typeof state.memory)[0]];
  refused(/keeps image 70000 as an exemplar, but there are only 160/, { memory: [[first[0], [70_000]], second] });
  refused(/a run in f32 has no scale/, { scaler: { scale: 1, goodSteps: 0, skippedSteps: 0 } });
  learner.dispose();
});

test('a checkpoint that says what no run leaves is refused by its name and what is wrong, and nothing changes', async () => {
  const config = parseConfig({ ...small, trainPerClass: 16, epochs: 1, batch: 16 });
  const learner = new Learner(engine, fashion, config);
  for await (const event of learner.runTask()) void event;
  const saved = await saveCheckpoint(learner);
  const live = engine.memory().liveBytes;
  const refused = ({ state = (good) => good, tensor }: Damage, expected: RegExp) => {
    const { tensors, metadata } = readSafetensors(saved);
    const changed = state(JSON.parse(metadata.state as string) as CheckpointState);
    tensor?.(tensors);
    const bytes = writeSafetensors(tensors, { ...metadata, state: JSON.stringify(changed) });
    const error = errorOf(() => restoreCheckpoint(learner, bytes, 'x.safetensors'));
    assert.instance(error, CheckpointError);
    assert.match(error.message, /^x\.safetensors: /);
    assert.match(error.message, expected);
  };
  const memory = (change: (kept: CheckpointState['memory']) => void): Damage => ({
    state(good) {
      change(good.memory);
      return good;
    },
  });
  refused(
    { state: (good) => ({ ...good, matrix: [[50, 50]] }) },
    /after task 1 it has the accuracies \[50, 50\], where 1/,
  );
  refused(
    { state: (good) => ({ ...good, matrix: [[101]] }) },
    /accuracies \[101\], where 1 of 0 to 100 percent belong/,
  );
  refused({ state: (good) => ({ ...good, matrix: [[-1]] }) }, /accuracies \[-1\]/);
  refused({ state: (good) => ({ ...good, matrix: [[50], [50]] }) }, /after task 2 it has the accuracies \[50\]/);
  refused({ state: (good) => ({ ...good, matrix: [[1], [1, 1], [1, 1, 1]] }) }, /after 3 tasks, but there are only 2/);
  refused({ state: (good) => ({ ...good, classOrder: [1, 5, 8, 2] }) }, /in another order/);
  const [label, other] = config.classOrder as number[] as [number, number];
  const of = (kept: CheckpointState['memory'], wanted: number) => kept.find(([each]) => each === wanted)![1];
  const taken = memory((kept) => of(kept, label).splice(0, 1, of(kept, other)[0]!));
  refused(taken, /keeps image \d+ as an exemplar of class 1, but here it is of class 8/);
  refused(
    memory((kept) => of(kept, label).splice(0, 1, of(kept, label)[1]!)),
    /image \d+ is .* class 1 twice/,
  );
  refused(
    memory((kept) => of(kept, label).push(...Array(20).fill(of(kept, label)[0]))),
    /class 1 has \d+ exemplars, where 1 to 20 belong/,
  );
  refused(
    memory((kept) => of(kept, label).splice(0)),
    /class 1 has 0 exemplars/,
  );
  refused(
    memory((kept) => kept.splice(0, 1)),
    /class 1 has 0 exemplars/,
  );
  refused(
    memory((kept) => kept.push([5, []])),
    /exemplars of class 5, which is in no task learnt so far/,
  );
  refused(
    memory((kept) => kept.push([...kept[0]!])),
    /the exemplars of class 1 are there twice/,
  );
  refused(
    memory((kept) => of(kept, label).push(160)),
    /keeps image 160 as an exemplar, but there are only 160/,
  );
  const put = (name: string, value: number): Damage => ({
    tensor: (tensors) => tensors.get(name)!.data.fill(value as never, 0, 1),
  });
  refused(put('bn1.running_var', -0.5), /"bn1\.running_var" holds the variance -0\.5/);
  refused(put('bn1.running_var', Number.POSITIVE_INFINITY), /"bn1\.running_var" holds Infinity/);
  refused(put('fc.weight', Number.NaN), /"fc\.weight" holds NaN/);
  refused({ tensor: (tensors) => (tensors as Map<string, unknown>).delete('fc.bias') }, /Missing: "fc\.bias"\./);
  assert.is(learner.tasksDone, 1);
  assert.equal(await saveCheckpoint(learner), saved);
  assert.is(engine.memory().liveBytes, live);
  learner.dispose();
});

test('configurations that cannot work are refused before anything is trained', () => {
  const refused = (input: Record<string, unknown>, expected: RegExp) =>
    assert.throws(
      () => new Learner(engine, fashion, parseConfig({ ...small, ...input })),
      (error: EngramError) => error instanceof EngramError && expected.test(error.message),
    );
  refused({ memmory: 3 }, /unknown setting "memmory".*Known settings/);
  refused({ epochs: 0 }, /"epochs"/);
  refused({ method: 'dkd' }, /"method"/);
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
    () => new Learner(engine, split, parseConfig({ ...small, trainPerClass: 0 })),
    (error: EngramError) => error instanceof ConfigError && /class 8 has no images/.test(error.message),
  );
});

test.run();
