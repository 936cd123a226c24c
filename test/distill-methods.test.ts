/** What published methods keep of the old model: their losses as they were published, and with `--distill` in their place. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseConfig } from '../src/continual/benchmark/config.ts';
import type { ClassImages } from '../src/continual/class-images.ts';
import { DISTILLS, type Distill, drawSeed } from '../src/continual/distillation.ts';
import { ContinualLearner } from '../src/continual/learner.ts';
import type { LearnOptions } from '../src/continual/learner-types.ts';
import type { AnyMethod, Batch, TaskPlan } from '../src/continual/method.ts';
import { readSettings } from '../src/continual/setting.ts';
import type { ImageBytes } from '../src/data/image-bytes.ts';
import { imagesByClass } from '../src/data/images-by-class.ts';
import {
  bic,
  CosineLinear,
  foster,
  icarl,
  lessForgetLoss,
  lucir,
  lwf,
  marginRankingLoss,
  podFlatLoss,
  podnet,
  podSpatialLoss,
  proxyNCALoss,
  rdkd,
  softTargetLoss,
  ssil,
  wa,
} from '../src/entries/methods.ts';
import { ConfigError, crossEntropy, GroupDraw, readSafetensors, TaskPool, type Tensor } from '../src/index.ts';
import { engine, near, uniform } from './support/engine.ts';
import { fashion } from './support/small-run.ts';
import {
  at,
  batchOf,
  ce,
  classes,
  featuresOf,
  newClasses,
  oldClasses,
  oldLogits,
  phaseOf,
  share,
  stagesOf,
  targets,
} from './support/taught.ts';

const distilled: readonly AnyMethod[] = [lwf, icarl, bic, wa, podnet];

const kd = (logits: Tensor) => softTargetLoss(logits, oldLogits, { temperature: 2 });
const shared = (logits: Tensor) =>
  ce(logits)
    .mul(1 - share)
    .add(kd(logits).mul(share));
const ofNew = (logits: Tensor) => crossEntropy(logits.slice([null, [oldClasses, classes]]), targets.sub(oldClasses));

/** What was published, on the logits. */
const published: readonly (readonly [AnyMethod, (logits: Tensor) => Tensor])[] = [
  [lwf, (logits) => ofNew(logits).add(kd(logits).mul(3))],
  [icarl, (logits) => ce(logits).add(kd(logits))],
  [bic, shared],
  [wa, shared],
];

for (const [method, rule] of published) {
  test(`${method.name} teaches what was published, and something else with each other --distill`, async () => {
    const expected = await at(rule);
    using usual = await phaseOf(method);
    const { gradient } = await at((logits) => usual.loss(batchOf(logits)));
    await near(engine.tensor(gradient), expected.gradient, 1e-6);
    const values = new Map<Distill, number>();
    for (const distill of DISTILLS) {
      using phase = await phaseOf(method, { distill });
      assert.equal(Object.keys(phase.state ?? {}), distill === 'random' ? ['draw'] : []);
      const { value, gradient } = await at((logits) => phase.loss(batchOf(logits)));
      assert.ok(gradient.every(Number.isFinite));
      values.set(distill, value);
      assert.is((await at((logits) => usual.loss(batchOf(logits)))).value === value, distill === 'whole', distill);
    }
    assert.is(new Set(values.values()).size, DISTILLS.length);
  });
}

test('podnet keeps features and maps as published, and logits instead where it is told to', async () => {
  const [features, old] = [featuresOf(3), featuresOf(4)];
  const [stages, oldStages] = [stagesOf(5), stagesOf(6)];
  const growth = Math.sqrt(classes / newClasses);
  const scale = engine.tensor([3]);
  const nca = (logits: Tensor) => proxyNCALoss(logits.mul(0.2), targets, { scale, margin: 0.6, detachMargin: true });
  using usual = await phaseOf(podnet);
  const { value } = await at((logits) =>
    usual.loss({
      ...{ targets, outputs: { logits, cosines: logits.mul(0.2), features, stages } },
      oldOutputs: { logits: oldLogits, features: old, stages: oldStages },
    } as unknown as Batch),
  );
  const kept = podFlatLoss(features, old).add(podSpatialLoss(stages, oldStages).mul(3)).mul(growth);
  const [own, pod] = [(await at(nca)).value, await kept.item()];
  assert.ok(Math.abs(value - own - pod) < 1e-5, `${value}, not ${own} + ${pod}`);

  const expected = await at((logits) => nca(logits).add(kd(logits).mul(0.5 * growth)));
  using whole = await phaseOf(podnet, { distill: 'whole', kdWeight: 0.5 });
  await near(engine.tensor((await at((logits) => whole.loss(batchOf(logits)))).gradient), expected.gradient, 1e-6);
  const values = new Set<number>();
  for (const distill of DISTILLS) {
    using phase = await phaseOf(podnet, { distill });
    values.add((await at((logits) => phase.loss(batchOf(logits)))).value);
  }
  assert.is(values.size, DISTILLS.length);
});

test('lucir keeps directions and a margin, weighed as published; without new classes directions alone', async () => {
  const [features, old] = [featuresOf(3), featuresOf(4)];
  const batch = (logits: Tensor) =>
    ({
      ...{ targets, outputs: { logits, cosines: logits.mul(0.2), features } },
      oldOutputs: { features: old },
    }) as unknown as Batch;
  const classifier = new CosineLinear(engine, 5, oldClasses);
  classifier.grow(classes);
  const prototypes = async () => engine.tensor(uniform(classes * 5, 8), [classes, 5]);
  using phase = await phaseOf(lucir, {}, { model: { classifier }, prototypes });
  assert.equal(
    classifier.weights.map(({ requiresGrad }) => requiresGrad),
    [false, true],
    'the weights of old classes are held still',
  );
  const directions = lessForgetLoss(features, old);
  const { value, gradient } = await at((logits) => phase.loss(batch(logits)));
  const expected = await at((logits) =>
    ce(logits)
      .add(directions.mul(5 * Math.sqrt(oldClasses / newClasses)))
      .add(marginRankingLoss(logits.mul(0.2), targets, { oldClasses, margin: 0.5, top: 2 })),
  );
  assert.ok(Math.abs(value - expected.value) < 1e-5);
  await near(engine.tensor(gradient), expected.gradient, 1e-6);

  const prototypesOf = () => assert.unreachable('nothing is imprinted') as never;
  using known = await phaseOf(lucir, {}, { model: { classifier }, prototypes: prototypesOf, newClasses: 0 });
  const plain = await at((logits) => known.loss(batch(logits)));
  assert.ok(Math.abs(plain.value - (await at((logits) => ce(logits).add(directions.mul(5)))).value) < 1e-5);
  classifier.dispose();
});

test('groups that there will not be are refused before anything is learnt, and --distill where no logits are kept', () => {
  const plan = { taskSizes: [2, 2, 2, 2], training: parseConfig({}) };
  for (const method of distilled) {
    const check = (given: object) => () =>
      method.check?.(readSettings(method.settings, given, 'test', method.name), plan as never);
    assert.throws(check({ distill: 'random', groups: 8 }), (error: Error) => {
      assert.instance(error, ConfigError);
      return /8 groups are to be drawn.*the pool 'dense' has 7/.test(error.message);
    });
    assert.equal(check({ distill: 'random', groups: 7 })() ?? [], []);
    assert.equal(check({ groups: 8 })() ?? [], []);
  }
  assert.throws(
    () => parseConfig({ method: 'lucir', distill: 'dense' }),
    /"lucir" has no setting "distill".*one of lwf, icarl, bic, podnet, wa, ssil, foster/,
  );
  assert.is((parseConfig({ method: 'podnet' }) as { distill?: unknown }).distill, undefined);
});

function some(label: number, count: number): ImageBytes {
  const [all] = [...imagesByClass(fashion.train, [label]).values()] as [ImageBytes];
  const bytes = all.data.length / all.count;
  return { ...all, data: all.data.slice(0, count * bytes), count };
}
const tasksOf = (count: number): readonly ClassImages[] => [
  { trousers: some(1, count), sandals: some(5, count) },
  { shirt: some(6, count), bag: some(8, count) },
  { boots: some(9, count) },
];

const settings = { width: 4, epochs: 1, batch: 16, memory: 24, lr: 0.05, crop: 1 };

async function learn(learner: ContinualLearner, images: ClassImages, options?: LearnOptions) {
  let notes: Readonly<Record<string, number>> = {};
  for await (const event of learner.learn(images, options)) {
    if (event.type === 'step') assert.ok(Number.isFinite(event.loss));
    if (event.type === 'task') notes = event.notes;
  }
  return notes;
}

const make = (method: AnyMethod, changes: object = {}) =>
  ContinualLearner.create(engine, { ...settings, method, ...changes });

const tensorOf = async (learner: ContinualLearner, name: string): Promise<number[]> => {
  const found = [...(learner.model?.namedTensors() ?? [])].find((one) => one.name === name);
  return [...((await found?.tensor.data()) ?? [])];
};

for (const [method, least] of [
  [lwf, 35],
  [wa, 40],
  [lucir, 60],
] as const) {
  test(`${method.name} learns two tasks`, async () => {
    const learner = await make(method as AnyMethod, { epochs: 8 });
    const tasks = tasksOf(40).slice(0, 2);
    for (const task of tasks) await learn(learner, task);
    const { accuracy } = await learner.evaluate({ ...tasks[0], ...tasks[1] });
    assert.ok(accuracy > least, `${accuracy} % of four classes`);
    assert.is(learner.memory.size, method === lwf ? 0 : 24);
    learner.dispose();
  });
}

/** Weights after three tasks. */
async function trained(method: AnyMethod, distill: Distill): Promise<string> {
  const learner = await make(method, { distill });
  for (const task of tasksOf(8)) await learn(learner, task);
  const weights = await tensorOf(learner, method === bic ? 'net.fc.weight' : 'fc.weight');
  learner.dispose();
  return weights.join();
}

for (const [method, others] of [
  [lwf, ['random']],
  [icarl, ['random']],
  [bic, ['random']],
  [wa, ['dense', 'random', 'tasks']],
] as const) {
  test(`${method.name} trains with --distill ${others.join(', ')}`, async () => {
    const seen = new Set([await trained(method, 'whole')]);
    for (const distill of others) seen.add(await trained(method, distill));
    assert.is(seen.size, 1 + others.length);
  });
}

test('groups that are drawn are drawn on where a task is resumed, in its second phase too', async () => {
  const learner = await make(podnet, { distill: 'random', sizes: 'balanced', balancedEpochs: 2, proxies: 2 });
  const [first, second, third] = tasksOf(8) as [ClassImages, ClassImages, ClassImages];
  await learn(learner, first);
  await learn(learner, second);
  const before = await learner.save();
  const progress: Uint8Array[] = [];
  for await (const event of learner.learn(third, { saveEvery: 1 }))
    if (event.type === 'progress') progress.push(event.bytes);
  assert.is(progress.length, 3);
  const after = await learner.save();
  for (const resume of progress) {
    const resumed = await ContinualLearner.load(engine, before, { method: podnet });
    await learn(resumed, third, { resume });
    assert.equal(await resumed.save(), after);
    resumed.dispose();
  }
  learner.dispose();
});

test('what the steps of a task draw can be drawn once more by its seed', async () => {
  const learner = await make(rdkd, { seed: 5 });
  const [first, second] = tasksOf(8) as [ClassImages, ClassImages];
  await learn(learner, first);
  const states: (readonly number[])[] = [];
  for await (const event of learner.learn(second, { saveEvery: 1 })) {
    if (event.type !== 'progress') continue;
    const { tensors } = readSafetensors(event.bytes);
    states.push([...(tensors.get('state.draw') as { data: Uint32Array }).data]);
  }
  const pool = learner.taskPool;
  const draw = new GroupDraw(engine, TaskPool.of('dense', [pool.taskSizes[0] as number]), { seed: drawSeed(5, 1) });
  const begun = [...((await draw.state.data()) as Uint32Array)];
  assert.ok(states.length > 0);
  for (const [low = 0, , ...seed] of states) {
    assert.ok(low > 0, 'it moved on');
    assert.equal(seed, begun.slice(2));
  }
  draw.dispose();
  learner.dispose();
});

test('lucir begins new classes in the mean direction of their old features, and holds the old ones', async () => {
  const columns: { found: number[]; expected: number[] }[] = [];
  const watched: AnyMethod = {
    ...lucir,
    async *learn(task) {
      for await (const phase of lucir.learn(task)) {
        for (let label = task.oldClasses; task.old && label < task.oldClasses + task.newClasses; label++) {
          const own = task.fresh.filter((image) => task.labels[image] === label);
          const features = await task.features(task.old, own);
          const size = task.old.featureSize;
          const mean = new Array<number>(size).fill(0);
          for (let i = 0; i < own.length; i++) {
            const row = features.subarray(i * size, (i + 1) * size);
            const length = Math.hypot(...row);
            for (const [k, value] of row.entries()) mean[k] = mean[k]! + value / length / own.length;
          }
          const newest = task.model.classifier.weights.at(-1)!;
          const weights = await newest.data();
          const found = mean.map((_, k) => weights[k * task.newClasses + label - task.oldClasses]!);
          columns.push({ found: unit(found), expected: unit(mean) });
        }
        yield phase;
      }
    },
  };
  const unit = (v: number[]) => v.map((value) => value / Math.hypot(...v));
  const learner = await make(watched, { cosineScale: 4 });
  const [first, second] = tasksOf(12) as [ClassImages, ClassImages];
  await learn(learner, first);
  const [scale = 0] = await tensorOf(learner, 'classifier.scale');
  assert.ok(scale !== 4 && Math.abs(scale - 4) < 1, `a few steps from 4 it is ${scale}`);
  const old = await tensorOf(learner, 'classifier.weights.0');
  await learn(learner, second);
  assert.is(columns.length, 2);
  for (const { found, expected } of columns) await near(engine.tensor(found), expected, 1e-5);
  assert.equal(await tensorOf(learner, 'classifier.weights.0'), old);
  await learn(learner, { bag: some(8, 12) });
  assert.is(columns.length, 2, 'known classes are not imprinted again');
  assert.not.equal(await tensorOf(learner, 'classifier.weights.0'), old, 'and all are trained');
  learner.dispose();
});

test('wa is taught by the network that was aligned', async () => {
  const taught: number[][] = [];
  const watched: AnyMethod = {
    ...wa,
    async *learn(task) {
      if (task.old) taught.push([...(await task.old.fc.weight.data())]);
      yield* wa.learn(task);
    },
  };
  const learner = await make(watched);
  const [first, second, third] = tasksOf(12) as [ClassImages, ClassImages, ClassImages];
  await learn(learner, first);
  const { gamma } = await learn(learner, second);
  assert.ok(gamma !== undefined && gamma !== 1, `γ is ${gamma}`);
  const aligned = await tensorOf(learner, 'fc.weight');
  const norm = (column: number) => Math.hypot(...aligned.filter((_, i) => i % 4 === column));
  assert.ok(Math.abs(norm(0) + norm(1) - norm(2) - norm(3)) < 1e-5);
  await learn(learner, third);
  assert.equal(taught[1], aligned);
  learner.dispose();
});

test('where a dense pool would be too large, it is said what is distilled instead', () => {
  const plan = (tasks: number) =>
    ({ taskSizes: Array<number>(tasks).fill(2), training: { labelSmoothing: 0 } }) as unknown as TaskPlan;
  const noticed = (distill: Distill | undefined, tasks: number) =>
    [...distilled, ssil, foster].map(
      (method) =>
        method.check?.(readSettings(method.settings, { distill }, 'test', method.name), plan(tasks))?.length ?? 0,
    );
  const all = (count: number) => Array<number>(distilled.length + 2).fill(count);
  assert.equal(noticed('dense', 40), all(1));
  for (const distill of DISTILLS) assert.equal(noticed(distill, 10), all(0), distill);
  assert.equal(noticed('random', 40), all(0));
});

test.run();
