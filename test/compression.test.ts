/** A small network learns from a large one: the same student again, a teacher that stays as it was, and a file that predicts. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  accuracyOf,
  Compression,
  type CompressionSettingsInput,
  ContinualLearner,
  countWeights,
  type LinearModel,
  type StudentOptions,
  saveStudent,
} from '../src/entries/continual.ts';
import { classGroups, clusterClasses, createResNet, noGrad, stateDict } from '../src/index.ts';
import { engine, uniform } from './support/engine.ts';
import { refusal } from './support/refusal.ts';

const [classes, side] = [4, 8];
const normalization = { mean: [0.3], std: [0.35] };

/** A bright quarter of the image says the class, under noise. */
function quarters(each: number, seed: number) {
  const labels = Array.from({ length: classes * each }, (_, i) => i % classes);
  const noise = uniform(labels.length * side * side, seed, 0, 200);
  const data = Uint8Array.from(noise, (value, i) => {
    const [image, row, column] = [Math.floor(i / side ** 2), Math.floor(i / side) % side, i % side];
    const quarter = 2 * Number(row >= side / 2) + Number(column >= side / 2);
    return Math.min(255, value + (quarter === labels[image] ? 55 : 0));
  });
  return { images: { data, count: labels.length, height: side, width: side, channels: 1 }, labels };
}

const [train, held] = [quarters(24, 1), quarters(20, 2)];
const settings: CompressionSettingsInput = { model: 'resnet8', width: 2, epochs: 3, batch: 16, lr: 0.05, crop: 0 };
const large = () => createResNet(engine, 'resnet8', { classes, width: 4, inChannels: 1, seed: 9 });

async function studentOf(compression: Compression, options: StudentOptions) {
  const losses: number[] = [];
  for await (const event of compression.learn(options)) {
    if (event.type === 'step') losses.push(event.loss);
    if (event.type === 'student') return { student: event.student, losses };
  }
  return assert.unreachable('no student') as never;
}

const numbers = async (model: LinearModel): Promise<number[]> =>
  [...(await stateDict(model)).values()].flatMap(({ data }) => Array.from(data));

/** Learnt by cross entropy, as a student of any network of its size. */
const start = large();
const school = new Compression(engine, {
  teacher: start,
  train,
  normalization,
  settings: { ...settings, width: 4, epochs: 8 },
});
const { student: teacher } = await studentOf(school, { loss: 'scratch', seed: 1 });
school.dispose();
start.dispose();
const before = await numbers(teacher);
const compression = new Compression(engine, { teacher, train, normalization, settings });
const groups = classGroups(
  [
    [2, 0],
    [3, 1],
  ],
  classes,
);
const first = await studentOf(compression, { loss: 'dense', seed: 5, groups });

test('a student is the same again from its seed, and another one from another', async () => {
  const again = await studentOf(compression, { loss: 'dense', seed: 5, groups });
  assert.equal(again.losses, first.losses);
  assert.equal(await numbers(again.student), await numbers(first.student));
  const other = await studentOf(compression, { loss: 'dense', seed: 6, groups });
  assert.not.equal(other.losses[0], first.losses[0]);
  for (const { student } of [again, other]) student.dispose();
});

test('students of one seed start alike and see the same, whatever their loss', async () => {
  const weightless = new Compression(engine, { teacher, train, normalization, settings: { ...settings, kdWeight: 0 } });
  const [usual, none] = [
    await studentOf(weightless, { loss: 'kd', seed: 3 }),
    await studentOf(weightless, { loss: 'scratch', seed: 3 }),
  ];
  assert.equal(usual.losses, none.losses);
  for (const { student } of [usual, none]) student.dispose();
  weightless.dispose();
});

test('losses differ, and the teacher is as it was', async () => {
  const losses = [first.losses];
  // As it would be in training, where batch norm moves its statistics.
  teacher.train();
  for (const loss of ['kd', 'decoupled', 'scratch'] as const) {
    const { student, losses: own } = await studentOf(compression, { loss, seed: 5 });
    losses.push(own);
    student.dispose();
  }
  assert.is(new Set(losses.map(([loss]) => loss)).size, 4, `first losses ${losses.map(([loss]) => loss)}`);
  assert.ok(losses.every((own) => own.length === 18 && own.every(Number.isFinite)));
  assert.ok(teacher.training, 'its mode too');
  teacher.eval();
  assert.equal(await numbers(teacher), before);
});

test('the order in which groups list their classes is of no account, and which classes they are is', async () => {
  const listed = classGroups(
    [
      [1, 3],
      [0, 2],
    ],
    classes,
  );
  const same = await studentOf(compression, { loss: 'dense', seed: 5, groups: listed });
  const close = (a: readonly number[], b: readonly number[]) =>
    Math.max(...a.map((loss, i) => Math.abs(loss - b[i]!) / Math.abs(loss)));
  assert.ok(close(same.losses, first.losses) < 1e-3, `losses ${same.losses} and ${first.losses}`);
  const answers = async (model: LinearModel) => {
    const logits = noGrad(engine, () =>
      engine.scope(() => model.forward(engine.tensor(uniform(32 * side * side, 7), [32, side, side, 1]))),
    );
    const row = await logits.data();
    logits.dispose();
    return Array.from({ length: 32 }, (_, i) => {
      const own = Array.from(row.subarray(i * classes, (i + 1) * classes));
      return own.indexOf(Math.max(...own));
    });
  };
  assert.equal(await answers(same.student), await answers(first.student));
  const other = await studentOf(compression, {
    loss: 'dense',
    seed: 5,
    groups: classGroups(
      [
        [0, 1],
        [2, 3],
      ],
      classes,
    ),
  });
  assert.ok(close(other.losses, first.losses) > 1e-3, 'other groups are another loss');
  for (const { student } of [same, other]) student.dispose();
});

test('the teacher sorts what it knows, and its prototypes say which classes are alike', async () => {
  assert.ok((await accuracyOf(teacher, held, normalization)) > 60);
  const prototypes = await compression.prototypes();
  assert.is(prototypes.length, classes * teacher.featureSize);
  assert.is(clusterClasses(prototypes, classes, 2).flat().length, classes);
});

test('a saved student is a learner that predicts by names, as the network does', async () => {
  const names = ['north-west', 'north-east', 'south-west', 'south-east'];
  const format = { height: side, width: side, channels: 1, ...normalization };
  const file = await saveStudent(first.student, { names, format, settings: compression.settings });
  const learner = await ContinualLearner.load(engine, file);
  assert.equal(learner.classes, names);
  assert.equal(learner.imageFormat, format);
  const lots = names.map((name, label) => {
    const of = held.labels.flatMap((one, i) => (one === label ? [i] : []));
    const data = Uint8Array.from(of.flatMap((i) => [...held.images.data.subarray(i * side ** 2, (i + 1) * side ** 2)]));
    return [name, { data, count: of.length, height: side, width: side, channels: 1 }] as const;
  });
  const { accuracy } = await learner.evaluate(lots);
  assert.is(accuracy, await accuracyOf(first.student, held, normalization));
  learner.dispose();
});

test('what cannot be compressed is refused, and says why', async () => {
  const refused = (options: Partial<ConstructorParameters<typeof Compression>[1]>, pattern: RegExp) =>
    assert.throws(() => new Compression(engine, { teacher, train, normalization, settings, ...options }), pattern);
  refused({ settings: { ...settings, width: 5 } }, /resnet8 would have \d+ parameters, and its teacher has \d+/);
  refused({ train: { ...train, labels: train.labels.slice(1) } }, /95 labels for 96 images/);
  refused({ train: { ...train, labels: train.labels.map((label) => label + 1) } }, /image 3 is of class 4/);
  for (const label of [Number.NaN, 0.7, -0.5, 2 ** 32, '1' as unknown as number]) {
    const labels = train.labels.with(2, label);
    refused({ train: { ...train, labels } }, new RegExp(`image 2 is of class ${label}, `));
    const { message } = await refusal(accuracyOf(teacher, { ...train, labels }, normalization));
    assert.match(message, new RegExp(`image 2 is of class ${label}, `));
  }
  refused({ settings: { ...settings, temperature: 0 } }, /"temperature" does not fit/);
  refused({ settings: { ...settings, crop: 8 } }, /can leave nothing of images of 8×8/);
  const learnt = (options: StudentOptions) =>
    studentOf(compression, options).then(
      () => 'no error',
      (error: Error) => error.message,
    );
  assert.match(await learnt({ loss: 'dense' }), /'dense' needs groups/);
  assert.match(await learnt({ loss: 'dense', groups: classGroups([[0, 1]], 2) }), /of 2 classes, the teacher has 4/);
  assert.match(await learnt({ loss: 'huge' as 'kd' }), /"huge" is not a loss of compressions/);
  assert.equal(
    countWeights(teacher).parameters,
    teacher.parameters().reduce((sum, { size }) => sum + size, 0),
  );
});

test('training leaves nothing on the device but the student, and a training that is left not even that', async () => {
  const held = () => engine.memory().liveBuffers;
  const buffers = held();
  for (const loss of ['dense', 'kd', 'decoupled', 'scratch'] as const) {
    const { student } = await studentOf(compression, { loss, seed: 2, groups });
    student.dispose();
    for await (const event of compression.learn({ loss, groups })) if (event.type === 'epoch') break;
    assert.is(held(), buffers, loss);
  }
  const stop = AbortSignal.abort(new Error('enough'));
  const left = await studentOf(compression, { loss: 'kd', signal: stop }).catch((reason) => reason);
  assert.is((left as Error).message, 'enough');
  assert.is(held(), buffers);
  first.student.dispose();
  compression.dispose();
  teacher.dispose();
});

test.run();
