/** Methods of a user's own that are none, fail, or give what they may not: each told in one paragraph, nothing half learnt. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseConfig } from '../src/continual/benchmark/config.ts';
import { ContinualLearner } from '../src/continual/learner.ts';
import {
  type AnyMethod,
  type Batch,
  defineMethod,
  type Phase,
  type PredictionContext,
  type Task,
} from '../src/continual/method.ts';
import { numberSetting } from '../src/continual/setting.ts';
import { firstPerClass } from '../src/data/dataset.ts';
import { imagesByClass } from '../src/data/images-by-class.ts';
import { ConfigError } from '../src/errors.ts';
import { crossEntropy } from '../src/ops/cross-entropy.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { engine, errorOf } from './support/engine.ts';
import { refusal } from './support/refusal.ts';
import { fashion } from './support/small-run.ts';

const few = firstPerClass(fashion.train, 8);
const [first, second] = [imagesByClass(few, [1, 8]), imagesByClass(few, [5, 2])];
const speed = numberSetting(1, { above: 0 }, 'weight of the loss', 'v');
const phase: Phase = { loss: ({ logits, targets }) => crossEntropy(logits, targets) };
const whole = {
  name: 'mine',
  summary: 'cross entropy',
  settings: {},
  keeps: 'exemplars',
  *learn() {
    yield phase;
  },
} as const satisfies AnyMethod;

const create = (changes: object): Promise<ContinualLearner> =>
  ContinualLearner.create(engine, {
    method: { ...whole, ...changes } as AnyMethod,
    width: 4,
    epochs: 1,
    batch: 8,
    memory: 8,
  });

function isRefused(error: unknown, expected: RegExp): void {
  assert.instance(error, ConfigError);
  const { message } = error as ConfigError;
  assert.match(message, expected);
  assert.not.ok(message.includes('\n'), message);
}

async function refused(action: () => Promise<unknown>, expected: RegExp): Promise<void> {
  isRefused(await refusal(action()), expected);
}

async function learn(learner: ContinualLearner, images: typeof first): Promise<void> {
  for await (const event of learner.learn(images)) void event;
}

for (const [title, changes, expected] of [
  ['no name', { name: undefined }, /has no name/],
  ['a name that is a path', { name: '../mine' }, /"\.\.\/mine" is not a name for a method\. Use letters and digits/],
  ['the name of a built-in one', { name: 'fdkd' }, /is called "fdkd" as a built-in one is/],
  ['no summary', { summary: undefined }, /the method "mine" has no summary/],
  [
    'no word on what it keeps',
    { keeps: 'some' },
    /does not say what it keeps .*'nothing', 'exemplars' or 'everything'/,
  ],
  ['no learn()', { learn: 3 }, /has no function learn\(\)/],
  ['a model that is no function', { model: {} }, /model of the method "mine" is an object, not a function/],
  ['no settings', { settings: undefined }, /declares no settings\. settings: \{\}/],
  ['a setting of learners', { settings: { lr: speed } }, /declares the setting "lr", which every learner has/],
  ['an option of learners', { settings: { resize: speed } }, /declares the setting "resize", which every learner has/],
  ['stored values that are no function', { stores: 3 }, /stores of the method "mine" is 3, not a function/],
  [
    'a selection that is none',
    { selection: 'best' },
    /the selection of the method "mine" is "best"\. selection: 'herding', 'random', 'reservoir'/,
  ],
  [
    'a setting that makes no flag',
    { settings: { 'two words': speed } },
    /"two words", whose name does not make a flag/,
  ],
  [
    'a setting like a switch turned off',
    { settings: { noSpeed: speed } },
    /"noSpeed", whose name does not make a flag/,
  ],
  ['a setting by its value', { settings: { speed: 3 } }, /"speed" as 3, which is no declaration\. .*numberSetting/],
] as const) {
  test(`${title}: refused before anything is made`, () => refused(() => create(changes), expected));
}

test('no object at all', () =>
  refused(() => ContinualLearner.create(engine, { method: null as never }), /^method: null was given/));

test('a setting of runs', () => {
  const method: AnyMethod = { ...whole, settings: { tasks: speed } };
  isRefused(
    errorOf(() => parseConfig({}, 'settings', method)),
    /"tasks", which every run has/,
  );
});

const yielding = (value: unknown) => ({
  *learn() {
    yield value;
  },
});
const losing = (loss: Phase['loss'] | (() => unknown)) => yielding({ loss });

for (const [title, changes, expected] of [
  ['learn() that is no generator', { learn() {} }, /^method "mine", task 1: learn\(\) gave undefined, not phases/],
  ['learn() that gives a promise', { async learn() {} }, /learn\(\) gave an object, not phases .* async \*learn/],
  ['a phase that is none', yielding(3), /learn\(\) yielded 3, not a phase/],
  ['a phase called by a number', yielding({ loss: () => {}, name: 7 }), /a phase is called 7\. Give a text/],
  ['a phase without a loss', yielding({}), /learn\(\) yielded an object without a function loss\(\)/],
  [
    'images that are not there',
    yielding({ ...phase, images: [0, 16] }),
    /the images \[0, 16\], of 16\. .*from 0 to 15/,
  ],
  ['no images', yielding({ ...phase, images: [] }), /the images \[\], of 16/],
  [
    'parameters that are no module',
    yielding({ ...phase, parameters: [] }),
    /parameters of a phase are \[\], not a module/,
  ],
  ['a recipe that is none', yielding({ ...phase, recipe: 3 }), /the recipe of a phase is 3/],
  ['state that is no tensor', yielding({ ...phase, state: { draws: 3 } }), /the state "draws" of a phase is 3/],
  [
    'a draw from no images',
    yielding({ ...phase, drawn: { memory: { images: [] } } }),
    /a phase is to draw "memory" from the images \[\], of 16\. .*such as task\.exemplars; one at least/,
  ],
  [
    'a draw from images that are not there',
    yielding({ ...phase, drawn: { memory: { images: [16] } } }),
    /to draw "memory" from the images \[16\], of 16/,
  ],
  ['a draw from nothing', yielding({ ...phase, drawn: { memory: 3 } }), /to draw "memory" from the images undefined/],
  [
    'a draw of no images',
    yielding({ ...phase, drawn: { memory: { images: [0], batch: 0 } } }),
    /to draw batches of 0 images of "memory"\. Give a whole number above 0/,
  ],
  [
    'a draw that is not there',
    losing(({ drawn }) => drawn('memory').logits.mean()),
    /^batch\.drawn: the phase has no "memory"\. Give it to the phase: \{ loss, drawn: \{ memory: … \} \}/,
  ],
  [
    'a draw by another name',
    yielding({ loss: ({ drawn }: Batch) => drawn('memry').logits.mean(), drawn: { memory: { images: [0] } } }),
    /^batch\.drawn: the phase has no "memry"\. Its drawn: memory\./,
  ],
  [
    'values that are no tensor',
    yielding({ ...phase, values: { ages: [1, 2] } }),
    /the values "ages" of a phase are \[1, 2\]\. Give a tensor with a row for each of the task's 16 images/,
  ],
  [
    'values of a wrong length',
    yielding({ ...phase, values: { ages: engine.zeros([15, 2]) } }),
    /the values "ages" of a phase are a tensor \[15, 2\]/,
  ],
  [
    'values that are not there',
    losing(({ values }) => values('ages').mean()),
    /^batch\.values: the phase has no "ages"\. Give it to the phase/,
  ],
  ['a loss that is a number', losing(() => 3), /^task 1: loss\(\) gave 3, not a tensor/],
  ['a loss to be waited for', losing(async () => 3), /loss\(\) gave a promise, not a tensor/],
  [
    'a loss for each image',
    losing(({ logits }) => logits),
    /loss\(\) gave f32\[8, 2\], where a scalar f32\[\] is expected/,
  ],
  [
    'a loss of nothing that is trained',
    losing(({ logits }) => logits.detach().mean()),
    /depends on nothing that is trained/,
  ],
  ['a loss that throws', losing(() => Reflect.get(null as never, 'x')), /^task 1: loss\(\) threw TypeError: /],
  ['a model that is none', { model: () => 3 }, /model\(\) gave 3, not a module/],
  [
    'a model that throws',
    { model: () => Reflect.get(null as never, 'x') },
    /^method "mine": model\(\) threw TypeError: /,
  ],
  [
    'stored values of too few images',
    { stores: async () => ({ marks: [new Float32Array(2)] }) },
    /^method "mine", task 1: stores\(\) gave 1 rows of "marks"\. Return \{ name: \[numbers of each of the 8 images\] \}/,
  ],
  ['nothing to store', { stores: async () => {} }, /task 1: stores\(\) gave undefined/],
  [
    'stored values by image',
    { stores: async (_: Task, images: number[]) => ({ marks: images.map(() => [1]) }) },
    /stores\(\) gave a row 0 of "marks" that is not a Float32Array/,
  ],
  [
    'stored values that are no numbers',
    { stores: async (_: Task, images: number[]) => ({ marks: images.map(() => Float32Array.of(1, Number.NaN)) }) },
    /a row 0 of "marks" that is not a Float32Array of finite numbers/,
  ],
  [
    'stored values that throw',
    { stores: () => Reflect.get(null as never, 'x') },
    /^method "mine", task 1: stores\(\) threw TypeError: /,
  ],
  [
    'a refusal that fails',
    { check: () => Reflect.get(null as never, 'x') },
    /^method "mine": check\(\) threw TypeError: /,
  ],
] as const) {
  test(`${title}: refused, and nothing is learnt`, async () => {
    const learner = await create(changes);
    await refused(() => learn(learner, first), expected);
    assert.equal([learner.classes, learner.exemplars.length, learner.tasksDone], [[], 0, 0]);
    learner.dispose();
  });
}

test('what throws in the middle of a task leaves the learner as it was before, and says why', async () => {
  const cause = new RangeError('too far\nby two');
  const learner = await create({
    *learn({ index }: { index: number }) {
      yield phase;
      if (index > 0) throw cause;
    },
  });
  await learn(learner, first);
  const before = await learner.save();
  const error = await refusal(learn(learner, second));
  isRefused(error, /^method "mine", task 2: learn\(\) threw RangeError: too far\\nby two\. Correct the method/);
  assert.is(error.cause, cause);
  assert.equal(await learner.save(), before);
  learner.dispose();
});

test('a setting that is asked for and was not declared is named with those that were', async () => {
  const method = defineMethod({
    ...whole,
    settings: { speed },
    *learn({ settings }) {
      yield { loss: (batch) => phase.loss(batch).mul((settings as unknown as { sped: number }).sped) };
    },
  });
  const learner = await ContinualLearner.create(engine, { method, width: 4, epochs: 1, batch: 8, memory: 8 });
  await refused(
    () => learn(learner, first),
    /^method "mine": it asks for the setting "sped", which it does not declare\. It declares speed\./,
  );
  assert.equal({ ...learner.methodSettings }, { speed: 1 });
  assert.is(JSON.stringify(await learner.methodSettings), '{"speed":1}');
  learner.dispose();
});

for (const [title, predictor, expected] of [
  ['no scores', () => ({}), /predictor\(\) gave an object, which has no function scores\(\)/],
  [
    'scores of another shape',
    () => ({ scores: () => engine.zeros([1]) }),
    /scores\(\) gave \[1\] for 16 images and 2 classes/,
  ],
  ['scores that throw', () => ({ scores: () => Reflect.get(null as never, 'x') }), /scores\(\) threw TypeError: /],
] as const) {
  test(`a predictor with ${title}`, async () => {
    const learner = await create({ predictor });
    await learn(learner, first);
    await refused(() => learner.evaluate(first), expected);
    learner.dispose();
  });
}

test('a predictor that failed is made anew by whoever asks next', async () => {
  let failures = 2;
  const learner = await create({
    predictor({ model }: PredictionContext) {
      if (failures-- > 0) throw new Error('not yet');
      return { scores: (images: Tensor) => model.forward(images) };
    },
  });
  await learn(learner, first);
  // Asked at once, both wait for the same one.
  const both = await Promise.allSettled([learner.evaluate(first), learner.evaluate(first)]);
  assert.equal(
    both.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  await refused(() => learner.evaluate(first), /predictor\(\) threw Error: not yet/);
  assert.ok((await learner.evaluate(first)).accuracy >= 0);
  assert.is(failures, -1, 'and is kept from then on');
  await learner.evaluate(first);
  assert.is(failures, -1);
  learner.dispose();
});

test.run();
