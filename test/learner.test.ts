/** The learner as its users meet it: classes by name, from pictures, at any time; kept, asked, saved, and gone on with. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ClassImages } from '../src/continual/class-images.ts';
import type { Knowledge, Setup } from '../src/continual/knowledge.ts';
import { ContinualLearner } from '../src/continual/learner.ts';
import type { LearnerOptions, LearnOptions } from '../src/continual/learner-types.ts';
import { icarl } from '../src/continual/methods/icarl.ts';
import { checksumOf } from '../src/continual/stored-tensors.ts';
import { formerFingerprint, readTask } from '../src/continual/task-inputs.ts';
import type { ImageBytes } from '../src/data/image-bytes.ts';
import { imagesByClass } from '../src/data/images-by-class.ts';
import { ArgumentError, CheckpointError, ConfigError, type EngramError, ShapeError } from '../src/errors.ts';
import { readSafetensors, writeSafetensors } from '../src/nn/safetensors.ts';
import { engine } from './support/engine.ts';
import { refusal } from './support/refusal.ts';
import { fashion } from './support/small-run.ts';

/** The first `count` training images of a class, from image `from` on. */
function some(label: number, count: number, from = 0): ImageBytes {
  const [all] = [...imagesByClass(fashion.train, [label]).values()] as [ImageBytes];
  const { height, width, channels } = all;
  const bytes = height * width * channels;
  return { data: all.data.slice(from * bytes, (from + count) * bytes), count, height, width, channels };
}

const settings = { width: 4, epochs: 3, batch: 16, memory: 12, lr: 0.05, crop: 1, method: 'fdkd' } as const;
const make = (options: LearnerOptions = {}): Promise<ContinualLearner> =>
  ContinualLearner.create(engine, { ...settings, ...options });

async function learn(learner: ContinualLearner, images: ClassImages, options?: LearnOptions): Promise<void> {
  for await (const event of learner.learn(images, options)) void event;
}

const first = { trousers: some(1, 24), sandals: some(5, 24) };
const second = { shirt: some(6, 24), bag: some(8, 24) };

const refused = async (promise: Promise<unknown>, kind: new (...a: never[]) => EngramError, expected: RegExp) => {
  const error = await refusal(promise);
  assert.instance(error, kind, String(error));
  assert.match(error.message, expected);
};

test('it learns classes as they come, and tells them with probabilities', async () => {
  const learner = await make({ width: 8, epochs: 8 });
  assert.equal(learner.classes, []);
  await learn(learner, first);
  await learn(learner, second);
  assert.equal(learner.classes, ['trousers', 'sandals', 'shirt', 'bag']);
  assert.equal(learner.taskSizes, [2, 2]);
  assert.is(learner.taskPool.size, 3);
  const answer = await learner.predict(some(1, 1));
  assert.equal(answer.map(({ label }) => label).sort(), ['bag', 'sandals', 'shirt', 'trousers']);
  assert.ok(Math.abs(answer.reduce((sum, { probability }) => sum + probability, 0) - 1) < 1e-5);
  assert.ok(answer.every(({ probability }, i) => i === 0 || probability <= (answer[i - 1]?.probability ?? 0)));
  assert.is((await learner.predictMany(some(1, 3), { top: 2 })).map((one) => one.length).join(), '2,2,2');
  await refused(learner.predict(some(1, 2)), ArgumentError, /2 images were given.*predictMany/s);
  const { accuracy, perClass, confusion } = await learner.evaluate({ trousers: some(1, 10, 30), bag: some(8, 5, 30) });
  assert.is(
    confusion.reduce((sum, count) => sum + count, 0),
    15,
  );
  const [trousers = 0, bag = 0] = ['trousers', 'bag'].map((name) => perClass.get(name));
  assert.ok(Math.abs(accuracy - (10 * trousers + 5 * bag) / 15) < 1e-9);
  assert.ok(accuracy > 50, `${accuracy} % is no better than guessing`);
  learner.dispose();
});

test('the memory holds pictures of its own', async () => {
  const learner = await make();
  const given = { trousers: some(1, 24), sandals: some(5, 24) };
  await learn(learner, given);
  assert.is(learner.exemplars.length, 12);
  const bytes = 14 * 14;
  for (const { label, pixels } of learner.exemplars) {
    const { data, count } = given[label as keyof typeof given];
    const found = Array.from({ length: count }, (_, i) => data.subarray(i * bytes, (i + 1) * bytes));
    assert.ok(
      found.some((image) => image.every((value, at) => value === pixels[at])),
      label,
    );
  }
  const before = learner.exemplars.map(({ pixels }) => pixels.join());
  given.trousers.data.fill(0);
  const alone = { boot: some(9, 8) };
  for await (const event of learner.learn(alone)) if (event.type === 'step') alone.boot.data.fill(0);
  const boots = learner.exemplars.filter(({ label }) => label === 'boot');
  assert.ok(boots.length > 0 && boots.every(({ pixels }) => pixels.some((value) => value > 0)));
  for (const { label, pixels } of learner.exemplars)
    assert.ok(label === 'boot' || before.includes(pixels.join()), `${label} has changed`);
  learner.dispose();
});

test('saved and loaded it needs nothing else, and goes on to the last bit', async () => {
  for (const weighting of ['adaptive', 'adaptive-classes', 'adaptive-samples'] as const) {
    const learner = await make({ method: 'rdkd', groups: 1, weighting });
    await learn(learner, first);
    const file = await learner.save({ note: 'mine' });
    assert.is(readSafetensors(file).metadata.note, 'mine');
    const other = await ContinualLearner.load(engine, file);
    assert.equal(await other.save({ note: 'mine' }), file);
    assert.equal(await other.predictMany(some(5, 4, 40)), await learner.predictMany(some(5, 4, 40)));
    await learn(learner, second);
    await learn(other, second);
    assert.equal(await other.save(), await learner.save());
    for (const one of [learner, other]) one.dispose();
  }
});

test('images of a known class train it on, and bring no logit', async () => {
  const learner = await make();
  await learn(learner, first);
  const before = learner.exemplars.filter(({ label }) => label === 'sandals').map(({ pixels }) => pixels.join());
  await learn(learner, { sandals: some(5, 30, 100) });
  assert.equal(learner.classes, ['trousers', 'sandals']);
  assert.equal(learner.taskSizes, [2]);
  assert.is(learner.tasksDone, 2);
  const after = learner.exemplars.filter(({ label }) => label === 'sandals').map(({ pixels }) => pixels.join());
  assert.is(after.length, 6);
  assert.not.equal(after, before, 'the new images are candidates too');
  await learn(learner, { sandals: some(5, 8, 200), bag: some(8, 24) });
  assert.equal(learner.classes, ['trousers', 'sandals', 'bag']);
  assert.equal(learner.taskSizes, [2, 1]);
  learner.dispose();
});

test('aborted or left, a task leaves nothing behind', async () => {
  const learner = await make();
  await learn(learner, first);
  const file = await learner.save();
  const buffers = engine.memory().liveBuffers;
  const controller = new AbortController();
  const reason = new Error('enough');
  const late: string[] = [];
  const run = (async () => {
    for await (const event of learner.learn(second, { signal: controller.signal }))
      if (controller.signal.aborted) late.push(event.type);
      else if (event.type === 'epoch') controller.abort(reason);
  })();
  assert.is(await run.catch((error: unknown) => error), reason);
  assert.equal(late, [], 'it ends at once');
  assert.is(engine.memory().liveBuffers, buffers);
  assert.equal(await learner.save(), file);
  await refused(learn(learner, second, { signal: AbortSignal.abort(reason) }), Error as never, /enough/);
  for await (const event of learner.learn(second)) if (event.type === 'step') break;
  assert.equal(await learner.save(), file);
  assert.is(engine.memory().liveBuffers, buffers);
  const going = learner.learn(second);
  await going.next();
  await refused(learn(learner, second), ArgumentError, /task 2 is being learnt already/);
  await going.return(undefined as never);
  learner.dispose();
  await refused(learn(learner, second), ArgumentError, /was disposed of/);
});

test('a task is gone on with after any saved epoch', async () => {
  const straight = await make({ method: 'rdkd' });
  await learn(straight, first);
  const file = await straight.save();
  const progress: Uint8Array[] = [];
  for await (const event of straight.learn(second, { saveEvery: 1 }))
    if (event.type === 'progress') progress.push(event.bytes);
  assert.is(progress.length, 3);
  const wanted = await straight.save();
  for (const resume of progress) {
    const learner = await ContinualLearner.load(engine, file);
    await learn(learner, second, { resume });
    assert.equal(await learner.save(), wanted);
    learner.dispose();
  }
  const learner = await ContinualLearner.load(engine, file);
  const [resume] = progress as [Uint8Array];
  await refused(
    learn(learner, { shirt: some(6, 24, 1), bag: some(8, 24) }, { resume }),
    CheckpointError,
    /other images/,
  );
  await learn(learner, second);
  await refused(learn(learner, second, { resume }), CheckpointError, /progress of task 2, but task 3/);
  for (const one of [learner, straight]) one.dispose();
});

test('a task is gone on with for the classes whose images these are, and no others', async () => {
  const begun = async (learner: ContinualLearner, images: ClassImages): Promise<Uint8Array<ArrayBuffer>> => {
    for await (const event of learner.learn(images, { saveEvery: 1 }))
      if (event.type === 'progress') return event.bytes;
    return assert.unreachable('no progress') as never;
  };
  const learner = await make();
  const fewer = { shirt: some(6, 12), bag: some(6, 24, 12) };
  const more = { shirt: some(6, 24), bag: some(6, 12, 24) };
  await refused(learn(learner, more, { resume: await begun(learner, fewer) }), CheckpointError, /images, classes/);
  await learn(learner, first);
  // Both are known: the names of all classes are the same whichever it is.
  const images = { trousers: some(1, 12, 30) };
  const resume = await begun(learner, images);
  await refused(learn(learner, { sandals: images.trousers }, { resume }), CheckpointError, /images, classes/);

  const read = { known: learner.classes, images: learner.imageFormat, resize: false, training: learner.training };
  const inputs = await readTask(engine, images, read);
  // As it was marked when the images' classes were no part of it.
  const { setup, known } = learner as unknown as { setup: Setup; known: Knowledge };
  const former = formerFingerprint(setup, known, inputs);
  const { tensors, metadata } = readSafetensors(resume);
  const progress = JSON.stringify({ ...JSON.parse(metadata.progress as string), fingerprint: former });
  const straight = await learner.fork();
  await learn(straight, images);
  await learn(learner, images, { resume: writeSafetensors(tensors, { ...metadata, progress }) });
  assert.equal(await learner.save(), await straight.save());
  for (const one of [learner, straight]) one.dispose();
});

test('what is asked while a task ends is answered by what was known at the call', async () => {
  const learner = await make({ epochs: 1 });
  await learn(learner, first);
  const [before, buffers] = [await learner.predictMany(some(1, 5)), engine.memory().liveBuffers];
  const asked: Promise<unknown>[] = [];
  for await (const event of learner.learn(second)) {
    // Not waited for: the last ones are under way when the task is done.
    asked.push(learner.predictMany(some(1, 5)), learner.evaluate({ trousers: some(1, 5) }));
    if (event.type !== 'task') continue;
    asked.splice(-2); // By then the new classes are known.
  }
  assert.ok(asked.length > 0);
  const answers = await Promise.all(asked);
  for (const answer of answers.filter(Array.isArray)) assert.equal(answer, before);
  assert.is((await learner.predict(some(1, 1))).length, 4);
  await learn(learner, first);
  assert.is(engine.memory().liveBuffers, buffers, 'the models of before are freed');
  const last = learner.predictMany(some(1, 5));
  learner.dispose();
  assert.is((await last).length, 5, 'answered before the model is freed');
  await refused(learner.predict(some(1, 1)), ArgumentError, /was disposed of/);
});

test('other sizes are refused, or resized where that is wanted', async () => {
  const large = { data: new Uint8Array(8 * 28 * 28).fill(90), count: 8, height: 28, width: 28, channels: 1 };
  const strict = await make();
  await learn(strict, first);
  await refused(learn(strict, { bag: large }), ShapeError, /28×28×1.*14×14×1|14×14×1.*28×28×1/s);
  await refused(strict.predict(large), ShapeError, /28×28/);
  strict.dispose();
  const lenient = await make({ resize: true, epochs: 1 });
  await learn(lenient, first);
  await learn(lenient, { bag: large });
  assert.equal(lenient.exemplars.at(-1)?.pixels.length, 14 * 14);
  lenient.dispose();
});

test('what cannot be learnt is refused in words', async () => {
  const learner = await make();
  const none = { ...some(1, 1), data: new Uint8Array(0), count: 0 };
  await refused(learn(learner, {}), ArgumentError, /there are no classes/);
  await refused(
    learn(learner, [
      ['cup', some(1, 2)],
      ['cup', some(5, 2)],
    ]),
    ArgumentError,
    /two classes are called "cup"/,
  );
  for (const [images, expected] of [
    [undefined, /^learn: undefined does not say which class/],
    ['cups', /a string does not say which class/],
    [[some(1, 2)], /an array of 1 does not say which class.*\{ cup: images, pen: images \}/s],
    [some(1, 2), /does not say which class/],
    [engine.zeros([2, 14, 14, 1]), /Tensor does not say which class/],
    [fashion.train, /imagesByClass\(dataset\)/],
  ] as const)
    await refused(learn(learner, images as never), ArgumentError, expected);
  await refused(learn(learner, { cup: new Uint8Array(9) as never }), ArgumentError, /class "cup": a Uint8Array/);
  for (const saveEvery of [-1, 0.5, Number.NaN])
    await refused(learn(learner, first, { saveEvery }), ArgumentError, /progress cannot be given after every/);
  await refused(learn(learner, { cup: [] }), ArgumentError, /class "cup".*no images/s);
  await refused(learn(learner, { cup: none }), ShapeError, /class "cup"/);
  await refused(learn(learner, { '': some(1, 2) }), ArgumentError, /a class has no name/);
  await refused(learner.predict(some(1, 1)), ArgumentError, /nothing has been learnt yet/);
  await learn(learner, { one: some(1, 1), many: some(5, 9) });
  await refused(learner.evaluate({ unknown: some(1, 1) }), ArgumentError, /class "unknown" is not known/);
  for (const top of [0, -1, 1.5])
    await refused(learner.predict(some(1, 1), { top }), ArgumentError, /most probable classes cannot be given/);
  const events: string[] = [];
  const untestable = async () => {
    for await (const { type } of learner.learn({ bag: some(8, 9) }, { test: { unknown: some(6, 1) } }))
      events.push(type);
  };
  await refused(untestable(), ArgumentError, /^learn: test: class "unknown" is not known/);
  assert.equal(events, [], 'told before anything is learnt');
  await refused(make({ resize: 'yes' as never }), ConfigError, /"resize" does not fit: expected true or false/);
  await refused(
    make({ memory: 1 }).then((tiny) => learn(tiny, first)),
    ConfigError,
    /1 exemplars are too few for 2/,
  );
  await refused(make({ method: 'podnet' as never }), ConfigError, /no method "podnet" by name.*engram\/methods/s);
  await refused(make({ epoch: 3 }), ConfigError, /unknown setting "epoch"/);
  await refused(make({ temperature: -1 }), ConfigError, /"temperature" does not fit/);
  learner.dispose();
});

test('a file that is cut short, newer, or not whole is refused', async () => {
  const learner = await make({ epochs: 1 });
  await learn(learner, first);
  const file = await learner.save();
  const load = (bytes: Uint8Array) => ContinualLearner.load(engine, bytes, { where: 'mine.safetensors' });
  await refused(load(file.buffer as never), ArgumentError, /mine\.safetensors: .*new Uint8Array\(buffer\)/);
  await refused(load(file.slice(0, file.length - 5)), CheckpointError, /mine\.safetensors.*cut off/s);
  const { tensors, metadata } = readSafetensors(file);
  const changed = (change: Record<string, string>, without = '') => {
    const left = [...tensors].filter(([name]) => name !== without);
    return writeSafetensors(left, { ...metadata, checksum: checksumOf(left), ...change });
  };
  await refused(load(changed({ format: 'engram-learner-7' })), CheckpointError, /newer version of engram/);
  await refused(load(changed({ format: 'other' })), CheckpointError, /not a learner's file/);
  await refused(load(changed({}, 'memory.pixels')), CheckpointError, /exemplars' pixels are missing/);
  await refused(load(changed({}, 'model.fc.weight')), CheckpointError, /fc\.weight/);
  await refused(load(changed({ checksum: checksumOf([]) })), CheckpointError, /checksum differs/);
  const half = new Map(tensors);
  const pixels = tensors.get('memory.pixels');
  assert.ok(pixels);
  half.set('memory.pixels', {
    dtype: 'U8',
    shape: [12, 7, 14, 1],
    data: Uint8Array.from(pixels.data.slice(0, 12 * 7 * 14) as Uint8Array),
  });
  await refused(
    load(writeSafetensors(half, metadata)),
    CheckpointError,
    /U8\[12, 7, 14, 1\], where U8\[12, 14, 14, 1\] belong/,
  );
  const state = JSON.parse(metadata.learner ?? '{}');
  const twice = JSON.stringify({ ...state, classes: ['a', 'a'] });
  await refused(load(changed({ learner: twice })), CheckpointError, /two classes are called "a"/);
  learner.dispose();
});

test('the pool is what the method distils, or would where it distils something else', async () => {
  const many = Array.from({ length: 21 }, (_, at): [string, ImageBytes] => [`class ${at}`, some(1, 1, at)]);
  const sizes = new Array<number>(21).fill(1);
  /** After 21 tasks of one class. */
  const pool = async (method: LearnerOptions['method'], own: object = {}) => {
    const learner = await make({ method, epochs: 1, memory: 21, width: 2, ...own } as LearnerOptions);
    await learn(learner, many);
    const { tensors, metadata } = readSafetensors(await learner.save());
    learner.dispose();
    const state = { ...JSON.parse(metadata.learner ?? '{}'), taskSizes: sizes, tasksDone: 21 };
    const bytes = writeSafetensors(tensors, { ...metadata, learner: JSON.stringify(state) });
    const loaded = await ContinualLearner.load(engine, bytes, typeof method === 'object' ? { method } : {});
    const { size } = loaded.taskPool;
    loaded.dispose();
    return size;
  };
  const [dense, runs] = [2 ** 21 - 1, (21 * 22) / 2];
  assert.is(await pool('rdkd'), dense);
  assert.is(await pool('fdkd'), runs);
  assert.is(await pool(icarl, { distill: 'random' }), dense);
  assert.is(await pool(icarl, { distill: 'dense' }), runs);
  assert.is(await pool(icarl), runs);
});

test.run();
