/** SS-IL, DER++ and FOSTER on images: they learn new classes and keep old ones; SS-IL's loss against its definition. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ContinualLearner } from '../src/continual/learner.ts';
import type { AnyMethod, Batch, Phase } from '../src/continual/method.ts';
import { derpp } from '../src/continual/methods/derpp.ts';
import { foster } from '../src/continual/methods/foster.ts';
import { ssil } from '../src/continual/methods/ssil.ts';
import { separatedCrossEntropy, taskDistillationLoss } from '../src/continual/rules/separated-softmax.ts';
import { firstPerClass } from '../src/data/dataset.ts';
import { imagesByClass } from '../src/data/images-by-class.ts';
import type { ResNet } from '../src/nn/resnet.ts';
import { engine, near, uniform } from './support/engine.ts';
import { fashion } from './support/small-run.ts';

const [many, tested] = [firstPerClass(fashion.train, 48), firstPerClass(fashion.test, 40)];
const [first, second] = [imagesByClass(many, [1, 8]), imagesByClass(many, [5, 2])];
const settings = { width: 8, epochs: 6, batch: 16, memory: 24, lr: 0.05 };

/**
 * Of four classes, learnt two by two, in too few steps for half a rate. FOSTER's weights by class move a teacher that is as unsure as
 * one of so few steps is towards old classes.
 */
const learning: readonly (readonly [method: AnyMethod, own: object])[] = [
  [ssil, { rateByTask: false }],
  [derpp, {}],
  [foster, { beta1: 0, beta2: 0 }],
];

for (const [method, own] of learning) {
  test(`${method.name} learns new classes and keeps old ones`, async () => {
    const learner = await ContinualLearner.create(engine, { ...settings, ...own, method });
    for (const images of [first, second]) for await (const event of learner.learn(images)) void event;
    const of = async (labels: number[]) => (await learner.evaluate(imagesByClass(tested, labels))).accuracy;
    const [old, fresh] = [await of([1, 8]), await of([5, 2])];
    learner.dispose();
    // Fine-tuning comes to 0 and 100.
    assert.ok(old > 25, `${old} % of old classes`);
    assert.ok(fresh > 60, `${fresh} % of new classes`);
    assert.ok(old + fresh > 115, `${old} % and ${fresh} %`);
  });
}

for (const method of [ssil, derpp]) {
  test(`${method.name}: a task that is left leaves nothing behind, and is learnt again as if for the first time`, async () => {
    const few = firstPerClass(fashion.train, 12);
    const [images, more] = [imagesByClass(few, [1, 8]), imagesByClass(few, [5, 2])];
    const learner = await ContinualLearner.create(engine, { ...settings, width: 4, epochs: 2, batch: 10, method });
    for await (const event of learner.learn(images)) void event;
    const loaded = await ContinualLearner.load(engine, await learner.save(), { method });
    const live = engine.memory().liveBuffers;
    for (const type of ['step', 'epoch', 'progress'] as const) {
      for await (const event of learner.learn(more, { saveEvery: 1 })) if (event.type === type) break;
      assert.is(engine.memory().liveBuffers, live, type);
    }
    for (const one of [learner, loaded]) for await (const event of one.learn(more)) void event;
    assert.equal(await learner.save(), await loaded.save());
    for (const one of [learner, loaded]) one.dispose();
  });
}

/** A task with two old ones before it, as far as SS-IL looks at it. */
const task = (changes: object) => {
  const held: { dispose(): void }[] = [];
  const one = {
    engine,
    index: 2,
    old: {},
    fresh: [0, 1, 2, 3],
    exemplars: [4, 5],
    oldClasses: 5,
    oldTaskSizes: [2, 3],
    newClasses: 2,
    training: { labelSmoothing: 0, batch: 128 },
    settings: { distill: 'tasks', temperature: 3, groups: 1, replayBatch: 0 },
    hold: <T extends { dispose(): void }>(given: T): T => {
      held.push(given);
      return given;
    },
    ...changes,
  };
  return { held, task: one as unknown as Parameters<typeof ssil.learn>[0] };
};

const phaseOf = async (given: Parameters<typeof ssil.learn>[0]): Promise<Phase<ResNet>> => {
  for await (const phase of ssil.learn(given)) return phase;
  return assert.unreachable() as never;
};

test('ssil: separated cross entropy and each task’s distillation, on both batches as one', async () => {
  const { task: given, held } = task({});
  const phase = await phaseOf(given);
  assert.equal(phase.images, [0, 1, 2, 3]);
  assert.equal(phase.drawn, { replay: { images: [4, 5], batch: 32 } });
  const logits = engine.tensor(uniform(6 * 7, 1, -3, 3), [6, 7]);
  const oldLogits = engine.tensor(uniform(6 * 5, 2, -3, 3), [6, 5]);
  const targets = engine.tensor(Int32Array.of(5, 6, 6, 2, 0, 4));
  const whole = { logits, oldLogits, targets };
  const batch = {
    drawn: (name: string) => name,
    joined: (other: unknown) => (other === 'replay' ? whole : null),
  };
  const loss = phase.loss(batch as unknown as Batch<ResNet>);
  const expected = separatedCrossEntropy(logits, targets, 5).add(
    taskDistillationLoss(logits, oldLogits, { taskSizes: [2, 3], temperature: 3 }),
  );
  await near(loss, await expected.data(), 1e-6);
  for (const one of held) one.dispose();
});

test('ssil draws a quarter of the batch, or as many as it is told; nothing where there are no exemplars', async () => {
  const drawn = async (changes: object) => {
    const { task: given, held } = task(changes);
    const phase = await phaseOf(given);
    for (const one of held) one.dispose();
    return phase.drawn?.replay?.batch;
  };
  const settings = { distill: 'tasks', temperature: 2, groups: 1 };
  assert.is(await drawn({ training: { batch: 30 } }), 7);
  assert.is(await drawn({ training: { batch: 2 } }), 1);
  assert.is(await drawn({ settings: { ...settings, replayBatch: 9 } }), 9);
  assert.is(await drawn({ exemplars: [] }), undefined);
});

test('ssil divides the rate by the number of the task, unless it is told not to', async () => {
  const rateOf = async (index: number, changes: object = {}) => {
    const settings = { distill: 'tasks', temperature: 2, groups: 1, replayBatch: 0, rateByTask: true, ...changes };
    const { task: given, held } = task({ index, settings, training: { labelSmoothing: 0, batch: 128, lr: 0.3 } });
    const { recipe } = await phaseOf(given);
    for (const one of held) one.dispose();
    return recipe?.lr;
  };
  assert.is(await rateOf(0), undefined, 'the first task has the one it is given');
  assert.is(await rateOf(2), 0.3 / 3);
  assert.is(await rateOf(2, { rateByTask: false }), undefined);
});

test.run();
