/** Going on from one learner by several ways, its classes called otherwise, and few images that come more often. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ContinualLearner } from '../src/continual/learner.ts';
import type { LearnerOptions } from '../src/continual/learner-types.ts';
import { derpp } from '../src/continual/methods/derpp.ts';
import { podnet } from '../src/continual/methods/podnet.ts';
import { firstPerClass } from '../src/data/dataset.ts';
import { imagesByClass } from '../src/data/images-by-class.ts';
import { ArgumentError, ConfigError, type EngramError } from '../src/errors.ts';
import { engine } from './support/engine.ts';
import { refusal } from './support/refusal.ts';
import { fashion } from './support/small-run.ts';

const few = firstPerClass(fashion.train, 12);
const [first, second] = [imagesByClass(few, [1, 8]), imagesByClass(few, [5, 2])];
const settings = { width: 4, epochs: 2, batch: 10, memory: 8, crop: 1 };

async function learn(learner: ContinualLearner, images: typeof first): Promise<number> {
  let visited = 0;
  for await (const event of learner.learn(images)) if (event.type === 'epoch') visited = event.images;
  return visited;
}

async function learnt(options: LearnerOptions = {}): Promise<ContinualLearner> {
  const learner = await ContinualLearner.create(engine, { ...settings, ...options });
  await learn(learner, first);
  return learner;
}

const refused = async (promise: Promise<unknown>, kind: new (...a: never[]) => EngramError, expected: RegExp) => {
  const error = await refusal(promise);
  assert.instance(error, kind, String(error));
  assert.match(error.message, expected);
};

test('a fork is the same learner, and neither learns from the other', async () => {
  const learner = await learnt();
  const fork = await learner.fork();
  assert.equal(await fork.save(), await learner.save());
  const before = await learner.save();
  await learn(fork, second);
  assert.equal(await learner.save(), before);
  await learn(learner, second);
  assert.equal(await learner.save(), await fork.save());
  learner.dispose();
  assert.is((await fork.predictMany([...first.values()]))[0]?.length, 4);
  fork.dispose();
});

test('a fork that is under way has taken what it needs: the learner may be disposed of, or learn', async () => {
  for (const precision of ['f32', 'f16'] as const) {
    const learner = await learnt({ precision });
    const before = await learner.save();
    const forking = learner.fork();
    const task = learn(learner, second);
    const other = await forking;
    await task;
    assert.equal(await other.save(), before);
    const last = other.fork();
    other.dispose();
    const fork = await last;
    assert.equal(await fork.save(), before);
    assert.is((await fork.predictMany([...first.values()]))[0]?.length, 2);
    for (const one of [learner, fork]) one.dispose();
  }
});

test('another method goes on from the same weights, with what it keeps, and is saved as itself', async () => {
  const learner = await learnt({ method: 'fdkd', temperature: 3 });
  const fork = await learner.fork({ method: 'finetune', lr: 0.01 });
  assert.is(fork.method.name, 'finetune');
  assert.is(fork.training.lr, 0.01);
  assert.is(fork.training.width, 4, 'every learner’s settings are kept');
  assert.is(fork.memory.size, 0);
  assert.equal(fork.methodSettings, {});
  const asked = [...first.values()];
  assert.equal(await fork.predictMany(asked), await learner.predictMany(asked));
  const [again, kd] = [await ContinualLearner.load(engine, await fork.save()), await learner.fork({ method: 'kd' })];
  await learn(fork, second);
  await learn(again, second);
  assert.equal(await again.save(), await fork.save());
  assert.equal(
    kd.memory.exemplars.map(({ label }) => label),
    learner.memory.exemplars.map(({ label }) => label),
  );
  const smaller = await learner.fork({ memory: 4, temperature: 2 });
  assert.is(smaller.memory.size, 4);
  assert.is(smaller.methodSettings.temperature, 2);
  for (const one of [learner, fork, again, kd, smaller]) one.dispose();
});

test('a fork that cannot be is refused, and leaves nothing on the device', async () => {
  const learner = await learnt();
  const bare = await learnt({ method: 'finetune' });
  const live = engine.memory().liveBuffers;
  await refused(learner.fork({ width: 8 }), ConfigError, /"width" cannot differ.*\(4\)/);
  await refused(learner.fork({ mean: [0.5] }), ConfigError, /"mean" cannot differ/);
  await refused(learner.fork({ method: podnet }), ConfigError, /models of "fdkd" and "podnet" differ/);
  await refused(learner.fork({ method: 'joint' }), ConfigError, /not every image/);
  await refused(
    learner.fork({ method: derpp, selection: 'reservoir' }),
    ConfigError,
    /what "fdkd" kept: it has 8 exemplars/,
  );
  await refused(bare.fork({ method: 'replay' }), ConfigError, /class 0 has 0 exemplars/);
  await refused(learner.fork({ colour: 'red' }), ConfigError, /colour/);
  assert.is(engine.memory().liveBuffers, live);
  const task = learner.learn(second);
  await task.next();
  await refused(learner.fork(), ArgumentError, /being learnt already/);
  await task.return(undefined as never);
  const empty = await (await ContinualLearner.create(engine, settings)).fork({ width: 8, method: 'replay' });
  await learn(empty, first);
  assert.is(empty.classes.length, 2);
  for (const one of [learner, bare, empty]) one.dispose();
});

test('a class is called otherwise, and stays what it is', async () => {
  const learner = await learnt();
  const [name, other] = learner.classes as [string, string];
  const image = first.get(name) as NonNullable<ReturnType<typeof first.get>>;
  const before = (await learner.predictMany(image)).map((all) => all.map(({ probability }) => probability));
  learner.rename(name, 'mine');
  assert.equal(learner.classes, ['mine', other]);
  const after = (await learner.predictMany(image)).map((all) => all.map(({ probability }) => probability));
  assert.equal(after, before);
  assert.equal(learner.exemplars.map(({ label }) => label).includes(name), false);
  const loaded = await ContinualLearner.load(engine, await learner.save());
  assert.equal(loaded.classes, ['mine', other]);
  await learn(learner, new Map([['mine', image]]));
  assert.equal(learner.classes, ['mine', other], 'more of it brings no class');
  for (const [from, to, expected] of [
    ['nobody', 'x', /no class "nobody"/],
    ['mine', '', /empty/],
    ['mine', other, /another class is called/],
  ] as const) {
    assert.throws(
      () => learner.rename(from, to),
      (error: Error) => expected.test(error.message),
    );
  }
  const task = learner.learn(second);
  await task.next();
  assert.throws(() => learner.rename('mine', 'x'), /being learnt already/);
  await task.return(undefined as never);
  assert.equal(learner.classes, ['mine', other]);
  for (const one of [learner, loaded]) one.dispose();
});

test('new images come as often as is asked, from the second task on, and are kept once', async () => {
  const learner = await ContinualLearner.create(engine, { ...settings, memory: 40, oversample: 3 });
  assert.is(await learn(learner, first), 24);
  assert.is(await learn(learner, second), 3 * 24 + 24, 'three times each, and the exemplars once');
  const pixels = learner.exemplars.map(({ pixels }) => pixels.join());
  assert.is(new Set(pixels).size, learner.exemplars.length);
  const fork = await learner.fork({ method: 'finetune' });
  assert.is(await learn(fork, imagesByClass(few, [3])), 36);
  for (const one of [learner, fork]) one.dispose();
});

test.run();
