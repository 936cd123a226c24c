/** What is known to fail in some later task, or to do nothing, is refused before the first step. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Benchmark } from '../src/continual/benchmark/benchmark.ts';
import { type Config, type ConfigInput, parseConfig } from '../src/continual/benchmark/config.ts';
import { distillation, usualPool } from '../src/continual/distillation.ts';
import type { Task } from '../src/continual/method.ts';
import { METHOD_NAMES, methods } from '../src/continual/methods/index.ts';
import { type DatasetSplit, type ImageDataset, subset } from '../src/data/dataset.ts';
import { loadDataset } from '../src/data/load-dataset.ts';
import { globalKD } from '../src/distill/dense-kd.ts';
import { EngramError } from '../src/errors.ts';
import { engine, uniform } from './support/engine.ts';
import { fashion, small } from './support/small-run.ts';

const glyphs = await loadDataset('glyphs');
const many: ConfigInput = { data: 'glyphs', trainPerClass: 1, testPerClass: 1, width: 2, memory: 200 };

/** The configuration as the run would go by it. */
function planned(input: ConfigInput, split: DatasetSplit = glyphs): Config {
  const benchmark = new Benchmark(engine, split, parseConfig(input));
  benchmark.dispose();
  return benchmark.config;
}

/** What the run says before anything else. */
async function first(input: ConfigInput): Promise<string> {
  const benchmark = new Benchmark(engine, glyphs, parseConfig(input));
  const { value } = await benchmark.run().next();
  const { type, message = '' } = value as { type: string; message?: string };
  benchmark.dispose();
  return `${type}: ${message}`;
}

function refused(input: ConfigInput, expected: RegExp, split: DatasetSplit = fashion): void {
  const before = engine.memory().liveBuffers;
  assert.throws(
    () => planned(input, split),
    (error: Error) => error instanceof EngramError && expected.test(error.message),
    `${JSON.stringify(input)}: ${expected}`,
  );
  assert.is(engine.memory().liveBuffers, before, 'nothing stays uploaded');
}

test('a class without training or test images is refused by its name, and the part that lacks it', () => {
  const without = (part: 'train' | 'test', label: number): DatasetSplit => {
    const set = fashion[part];
    const others = [...set.labels.keys()].filter((index) => set.labels[index] !== label);
    return { ...fashion, [part]: subset(set, others) };
  };
  const input: ConfigInput = { classOrder: [1, 8, 5, 2], tasks: 2, trainPerClass: 0, testPerClass: 0 };
  const name = (label: number) => fashion.train.classNames?.[label];
  refused(input, new RegExp(`class ${name(8)} has no test images in .*; every class needs`), without('test', 8));
  refused(input, new RegExp(`class ${name(5)} has no training images in .*; every class`), without('train', 5));
});

test('the dense pool becomes runs where there are too many tasks for it, and the run says so', async () => {
  assert.equal(
    [20, 21].map((oldTasks) => usualPool(oldTasks, false)),
    ['dense', 'runs'],
  );
  assert.is(usualPool(21, true), 'dense', 'drawn, not listed');
  assert.match(await first({ ...many, tasks: 25 }), /^notice: .*20 old tasks, and there will be 24: .*'runs'/);
  assert.match(await first({ ...many, tasks: 22 }), /^notice: .*there will be 21: .*'runs'/);
  for (const quiet of [
    { tasks: 21 },
    { tasks: 22, method: 'rdkd' },
    { tasks: 22, pool: 'runs' },
    { tasks: 22, upTo: 2 },
  ])
    assert.match(await first({ ...many, ...quiet }), /^step: /);
});

test('classes that are never learnt are told by name, whatever leaves them out', async () => {
  const of = async (input: ConfigInput, split: DatasetSplit = fashion): Promise<string[]> => {
    const benchmark = new Benchmark(engine, split, parseConfig({ ...input, trainPerClass: 0, width: 2 }));
    const told: string[] = [];
    for await (const event of benchmark.run()) {
      if (event.type !== 'notice') break;
      told.push(event.message);
    }
    benchmark.dispose();
    return told;
  };
  const names = fashion.train.classNames!;
  const all = names.map((_, label) => label);
  assert.equal(await of({ tasks: 2 }), []);
  assert.equal(await of({ classOrder: all.slice(0, 9), tasks: 3 }), [
    `9 of 10 classes are learnt: the class order leaves out "${names[9]}".`,
  ]);
  assert.equal(await of({ classOrder: all.slice(0, 8), taskSizes: [4, 3] }), [
    `7 of 10 classes are learnt: the class order leaves out "${names[8]}", "${names[9]}", the sizes of tasks leave out "${names[7]}".`,
  ]);
  assert.match(
    (await of({ classOrder: [0, 1], tasks: 2 }))[0]!,
    /^2 of 10 .*leaves out ("[^"]+", ){4}"[^"]+" and 3 more\.$/,
  );
  // There is nothing to learn of a number that no image has.
  const some = (set: ImageDataset) =>
    subset(
      set,
      [...set.labels.keys()].filter((index) => set.labels[index]! < 9),
    );
  const without: DatasetSplit = { ...fashion, train: some(fashion.train), test: some(fashion.test) };
  assert.equal(await of({ classOrder: all.slice(0, 9), tasks: 3 }, without), []);
});

test('more tasks than a pool can group', () => {
  const tooMany = (input: ConfigInput, expected: RegExp) => refused({ ...many, ...input }, expected, glyphs);
  tooMany({ tasks: 41, upTo: 6 }, /40 old tasks have 4598478 groups of at most 6.*smaller `upTo` \(--up-to\)/);
  tooMany({ tasks: 5, pool: 'whole', upTo: 2 }, /'whole' has all 4 old tasks.*--up-to/);
  tooMany(
    { tasks: 22, pool: 'dense' },
    /21 old ones.*2\^21.*`pool: 'runs'` \(--pool runs\) or pairs, `upTo: 3` \(--up-to 3\), or the method rdkd/,
  );
  for (const method of ['fdkd', 'tkd', 'rdkd'] as const) {
    tooMany({ tasks: 66, method }, /the last of 66 tasks has 65 old ones; groups of at most 64/);
    assert.is(planned({ ...many, tasks: 65, method }).method, method);
  }
  for (const method of ['kd', 'replay', 'finetune', 'joint'] as const) planned({ ...many, tasks: 100, method });
  const drawn: ConfigInput = { ...many, tasks: 4, method: 'rdkd' };
  assert.is(planned({ ...drawn, groups: 7 }).groups, 7);
  tooMany({ ...drawn, groups: 8 }, /8 groups are to be drawn.*the pool 'dense' has 7.*`groups: 7` \(--groups 7\)/);
});

test('the usual distillation takes any number of tasks', async () => {
  const { temperature, kdWeight } = planned({ ...many, tasks: 66, method: 'kd' }) as Config & Record<string, number>;
  const held: { dispose(): void }[] = [];
  const task = {
    engine,
    index: 65,
    old: {},
    oldTaskSizes: new Array<number>(65).fill(1),
    newClasses: 1,
    hold(one: { dispose(): void }) {
      held.push(one);
      return one;
    },
    prototypes: () => assert.unreachable() as never,
  } as unknown as Task;
  const settings = { temperature: temperature as number, kdWeight: kdWeight as number, weighting: 'fixed' } as const;
  const kd = await distillation(task, settings, { pool: 'whole' });
  const logits = (n: number, seed: number) => engine.tensor(uniform(4 * n, seed), [4, n]);
  const [student, teacher] = [logits(66, 1), logits(65, 2)];
  const loss = await kd?.loss(student, teacher).item();
  assert.is(loss, await globalKD(student, teacher, { taskSizes: [65] }).item());
  for (const one of held) one.dispose();
});

test('alignment is a setting of the methods that do it, and on unless it is said', () => {
  for (const method of METHOD_NAMES) {
    const aligns = ['replay', 'kd', 'tkd', 'fdkd', 'rdkd', 'wa', 'der'].includes(method);
    assert.is('align' in methods[method].settings, aligns, method);
    if (!aligns) {
      assert.throws(() => planned({ ...many, method, align: true }), new RegExp(`"${method}" has no setting "align"`));
      continue;
    }
    assert.is(planned({ ...many, method }).align, true);
    for (const said of [true, false]) assert.is(planned({ ...many, method, align: said }).align, said);
  }
});

test('settings that could only fail later, or do nothing', () => {
  const wrong = (input: ConfigInput, expected: RegExp) => refused({ ...small, ...input }, expected);
  wrong({ crop: 14 }, /crop by up to 14 pixels.*14×14.*`crop: 13` \(--crop 13\)/);
  wrong({ scale: [2, 1] }, /the smaller one first/);
  wrong({ warmup: 4 }, /rises over 4 epochs, but there is a task of 4/);
  wrong({ warmup: 4, baseEpochs: 10 }, /a task of 4/);
  wrong({ milestones: [2] }, /"cosine" has no milestones/);
  wrong({ schedule: 'step' }, /"step" has no milestones/);
  wrong({ schedule: 'step', milestones: [2, 4] }, /milestone 4 is never reached in 4 epochs/);
  wrong({ schedule: 'step', milestones: [3], warmup: 1 }, /milestone 3, counted from the 1 epochs of warm-up on/);
  wrong({ nesterov: true, momentum: 0 }, /Nesterov.*sgd with 0/);
  wrong({ nesterov: true, optimizer: 'adam' }, /Nesterov.*adam/);
  wrong({ stem: 'imagenet' }, /resnet8 has no stem to choose/);
  wrong({ memory: 3 }, /3 exemplars are too few for 4 classes/);
  wrong({ mean: [0.5, 0.5], std: [1, 1] }, /1 channels/);
  const fits: ConfigInput = { ...small, schedule: 'step', milestones: [2, 8], baseEpochs: 10, nesterov: true };
  assert.is(planned(fits, fashion).baseEpochs, 10);
});

test('data that do not hold together', () => {
  const { train, test: tested } = fashion;
  refused(small, /label 9 of image .* is out of range/, { train: { ...train, classes: 9 }, test: tested });
  refused(small, /training images are 14×14×1 .* the test images 7×28×1/, {
    train,
    test: { ...tested, height: 7, width: 28 },
  });
});

test.run();
