import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { requestAdapter } from '#adapter';
import { type DenseKDOptions, denseKD, globalKD, taskwiseKD } from '../src/distill/dense-kd.ts';
import { GroupDraw } from '../src/distill/group-draw.ts';
import { groupKD, groupLosses } from '../src/distill/group-kd.ts';
import { meanInverseSize } from '../src/distill/group-sizes.ts';
import { classSimilarity, Prototypes } from '../src/distill/prototypes.ts';
import { randomKD } from '../src/distill/random-kd.ts';
import { TaskPool } from '../src/distill/task-pool.ts';
import { weightedLoss } from '../src/distill/weighted-loss.ts';
import { countWeight, weighting } from '../src/distill/weighting.ts';
import { Engine, type Tensor } from '../src/index.ts';
import { engine, errorOf, leaf, near, relativeL2, uniform } from './support/engine.ts';

const taskSizes = [3, 1, 4];
const shape = [5, 10];
const studentData = uniform(50, 1, -4, 4);
const teacher = engine.tensor(uniform(50, 2, -4, 4), shape);
const refused = (fn: () => unknown, pattern: RegExp) => assert.match(errorOf(fn).message, pattern);

/** Loss and gradient of a function of the student's logits. */
async function both(fn: (student: Tensor) => Tensor): Promise<[number, Float32Array]> {
  const student = leaf(studentData, shape);
  const loss = fn(student);
  loss.backward();
  return [await loss.item(), (await student.grad!.data()) as Float32Array];
}

async function same(a: (student: Tensor) => Tensor, b: (student: Tensor) => Tensor): Promise<void> {
  const [loss, gradient] = await both(a);
  const [expected, expectedGradient] = await both(b);
  assert.ok(Math.abs(loss - expected) <= 1e-6 * Math.abs(expected), `${loss} and ${expected}`);
  assert.ok(relativeL2(gradient, expectedGradient) < 2e-6);
}

test('one call distils the dense pool; the usual and the task-wise distillation are pools of their own', async () => {
  const kd = (options: Partial<DenseKDOptions>) => (s: Tensor) => denseKD(s, teacher, { taskSizes, ...options });
  const pool = (kind: 'dense' | 'whole' | 'tasks') => TaskPool.of(kind, taskSizes);
  await same(kd({}), (s) => groupKD(s, teacher, pool('dense')));
  await same(
    (s) => globalKD(s, teacher, { taskSizes, temperature: 3 }),
    (s) => groupKD(s, teacher, pool('whole'), { temperature: 3 }),
  );
  await same(
    (s) => taskwiseKD(s, teacher, { taskSizes }),
    (s) => groupKD(s, teacher, pool('tasks')),
  );
  // 8 old classes, 2 new ones.
  await same(kd({ weighting: 'count' }), (s) => groupKD(s, teacher, pool('dense')).mul(2));
  await same(kd({ weighting: 'ratio' }), (s) => groupKD(s, teacher, pool('dense')).mul(0.8));
  await same(kd({ weighting: 0.3 }), (s) => groupKD(s, teacher, pool('dense')).mul(0.3));
  const groupWeights = [1, 2, 3, 4, 5, 6, 7];
  await same(kd({ groupWeights }), (s) => groupKD(s, teacher, pool('dense'), { weights: groupWeights }));
  const draw = () => new GroupDraw(engine, pool('dense'), { groups: 2, seed: 3 });
  await same(kd({ variant: 'random', draw: draw() }), (s) => randomKD(s, teacher, draw()));
});

test('the first task needs no teacher: zero, and the training goes on', async () => {
  const student = leaf(studentData, shape);
  const loss = denseKD(student, student.detach(), { taskSizes: [] });
  loss.add(student.sum()).backward();
  assert.is(await loss.item(), 0);
  await near(student.grad, Array(50).fill(1));
});

test('what does not go together is refused with a reason', () => {
  const student = leaf(studentData, shape);
  const kd = (options: Partial<DenseKDOptions>) => () => denseKD(student, teacher, { taskSizes, ...options });
  refused(kd({ variant: 'random' }), /'random' needs a draw.*new GroupDraw/);
  refused(kd({ pool: TaskPool.of('dense', [4, 4]) }), /the pool is over tasks of \[4, 4\]/);
  refused(kd({ taskSizes: [3, 7], weighting: 'count' }), /10 old against 0 new classes/);
  refused(kd({ weighting: -1 }), /the strength is -1/);
  refused(
    kd({ weighting: 'best' as 'fixed' }),
    /unknown weighting: 'best'\. Choose one of fixed, count, ratio, adaptive, adaptive-classes, adaptive-samples/,
  );
  refused(() => weighting('adaptive', TaskPool.of('dense', [2]), { newClasses: 1 }), /needs similarities/);
});

test('counts weigh as LUCIR and WA have it', () => {
  assert.is(countWeight('fixed', 90, 10), 1);
  assert.is(countWeight('count', 90, 10), 3);
  assert.is(countWeight('ratio', 90, 10, 2), 1.8);
});

test('prototypes are means of normalised features, over as many batches as there are', async () => {
  const features = uniform(8 * 3, 4);
  const labels = [0, 2, 0, 1, 2, 2, 0, 1];
  const prototypes = new Prototypes(engine, 4, 3);
  for (const half of [0, 4]) {
    prototypes.update(
      engine.tensor(features.slice(half * 3, half * 3 + 12), [4, 3]),
      engine.tensor(Int32Array.from(labels.slice(half, half + 4))),
    );
  }
  const expected = Array.from({ length: 12 }, () => 0);
  labels.forEach((label, b) => {
    const row = features.slice(b * 3, b * 3 + 3);
    const of = labels.filter((l) => l === label).length;
    row.forEach((x, f) => {
      expected[label * 3 + f]! += x / Math.hypot(...row) / of;
    });
  });
  const means = prototypes.means();
  await near(means, expected, 1e-6);
  const cosine = (a: number, b: number) => {
    const [x, y] = [a, b].map((c) => expected.slice(c * 3, c * 3 + 3));
    return x!.reduce((sum, value, f) => sum + value * y![f]!, 0) / Math.hypot(...x!) / Math.hypot(...y!);
  };
  // Class 3 was never seen: it resembles nothing.
  await near(classSimilarity(means, 2), [cosine(2, 0), cosine(2, 1), 0, 0], 1e-5);
  prototypes.dispose();
  refused(() => classSimilarity(engine.zeros([4, 3]), 4), /\[4, 3\] with 4 old classes/);
});

test('the mean over all sets can be had task by task', () => {
  for (const sizes of [[2], [3, 1, 4], [5, 5, 1, 2, 7]]) {
    const dense = TaskPool.of('dense', sizes);
    const listed = TaskPool.fromMasks(
      Array.from({ length: dense.size }, (_, g) => dense.mask(g)),
      sizes,
    );
    assert.ok(relativeL2(meanInverseSize(dense), meanInverseSize(listed)) < 1e-12);
  }
});

test('the adaptive weighting follows counts and similarities', async () => {
  const similarity = [
    [0.9, -0.5, 0.1, 0.2, 0.3, 0.0, 0.7, 0.4],
    [0.2, 0.6, 0.8, 0.1, -0.9, 0.5, 0.3, 0.2],
  ];
  for (const similarityOf of ['max', 'mean'] as const) {
    const sigma = similarity[0]!.map((_, o) => {
      const column = similarity.map((row) => Math.max(0, row[o]!));
      return (similarityOf === 'max' ? Math.max(...column) : (column[0]! + column[1]!) / 2) + 1e-3;
    });
    const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    for (const kind of ['dense', 'runs', 'tasks'] as const) {
      const pool = TaskPool.of(kind, taskSizes);
      const lambda = 0.5 * Math.sqrt(8 / 2) * mean(sigma);
      const raw = Array.from({ length: pool.size }, (_, g) =>
        mean(pool.tasksOf(g).flatMap((task) => sigma.slice(pool.starts[task], pool.starts[task + 1]))),
      );
      const chosen = weighting('adaptive', pool, {
        newClasses: 2,
        strength: 0.5,
        similarity: engine.tensor(similarity),
        similarityOf,
      });
      await near(chosen.lambda as Tensor, [lambda], 1e-6, 'lambda');
      await same(
        (s) => denseKD(s, teacher, { taskSizes, pool, weighting: chosen }),
        (s) => groupKD(s, teacher, pool, { weights: raw }).mul(lambda),
      );
    }
  }
});

test('similar classes everywhere weigh nothing more than another, groups, classes and samples alike', async () => {
  const pool = TaskPool.of('dense', taskSizes);
  const labels = engine.tensor(Int32Array.from([0, 4, 9, 8, 2]));
  for (const strategy of ['adaptive', 'adaptive-classes', 'adaptive-samples'] as const) {
    const chosen = weighting(strategy, pool, { newClasses: 2, similarity: engine.full([2, 8], 0.499) });
    await same(
      (s) => denseKD(s, teacher, { taskSizes, weighting: chosen, labels }),
      (s) => groupKD(s, teacher, pool),
    );
  }
});

test('samples are weighed by labels that are there and fit', () => {
  const student = leaf(studentData, shape);
  const pool = TaskPool.of('dense', taskSizes);
  const chosen = weighting('adaptive-samples', pool, { newClasses: 2, similarity: engine.full([2, 8], 0.5) });
  const kd = (labels?: Tensor) => () =>
    denseKD(student, teacher, { taskSizes, weighting: chosen, ...(labels ? { labels } : {}) });
  refused(kd(), /no labels were given\. Pass labels: i32 \[batch\]/);
  refused(
    kd(engine.tensor(Int32Array.from([1, 2]))),
    /labels of shape \[2\] and weights of 10 classes do not fit .*\[5, 10\]/,
  );
  refused(() => weighting('adaptive-classes', pool, { newClasses: 2 }), /'adaptive-classes' needs similarities/);
});

test('weighted losses and their gradients are those of the definition', async () => {
  for (const [samples, groups] of [
    [3, 4],
    [130, 77],
  ] as const) {
    const losses = uniform(samples * groups, 5, 0, 2);
    const w = uniform(groups, 6, 0, 1);
    const u = uniform(samples, 7, 0, 1);
    for (const reduction of ['mean', 'sum'] as const) {
      const tensors = { losses: leaf(losses, [samples, groups]), w: leaf(w, [groups]), u: leaf(u, [samples]) };
      const scale = (reduction === 'mean' ? 1 / samples : 1) * 3;
      const loss = weightedLoss(tensors.losses, { groupWeights: tensors.w, sampleWeights: tensors.u, reduction });
      loss.mul(3).backward();
      const grid = Array.from(losses, (_, i) => [Math.floor(i / groups), i % groups] as const);
      const sums = { loss: 0, w: Array<number>(groups).fill(0), u: Array<number>(samples).fill(0) };
      grid.forEach(([b, g], i) => {
        sums.loss += losses[i]! * u[b]! * w[g]! * scale;
        sums.w[g]! += losses[i]! * u[b]! * scale;
        sums.u[b]! += losses[i]! * w[g]! * scale;
      });
      await near(loss.mul(3), [sums.loss], 1e-6, 'loss');
      const byLosses = grid.map(([b, g]) => u[b]! * w[g]! * scale);
      await near(tensors.losses.grad, byLosses, 1e-6, 'gradient of the losses');
      await near(tensors.w.grad, sums.w, 1e-6, 'gradient of the group weights');
      await near(tensors.u.grad, sums.u, 1e-6, 'gradient of the sample weights');
    }
    const plain = leaf(losses, [samples, groups]);
    const total = weightedLoss(plain, { reduction: 'sum' });
    total.backward();
    await near(total, [losses.reduce((a, b) => a + b, 0)], 1e-6);
    await near(plain.grad, Array(samples * groups).fill(1));
  }
  refused(
    () => weightedLoss(engine.zeros([2, 3]), { groupWeights: engine.ones([2]) }),
    /group weights f32\[2\].*do not fit/,
  );
});

test('group losses weighed by hand are the grouped loss', async () => {
  const pool = TaskPool.of('dense', taskSizes);
  const groupWeights = engine.tensor(uniform(7, 8, 0, 1));
  await same(
    (s) => weightedLoss(groupLosses(s, teacher, pool), { groupWeights }),
    (s) => groupKD(s, teacher, pool, { weights: groupWeights, normalize: false }),
  );
});

test('a reduction that a loss does not have is refused', () => {
  const [logits, pool] = [engine.zeros([2, 4]), TaskPool.of('dense', [2, 2])];
  const no = { reduction: 'avg' as never };
  refused(() => groupKD(logits, logits, pool, no), /groupKD: reduction is avg; mean or none was expected/);
  const draw = new GroupDraw(engine, pool, { seed: 1 });
  refused(() => randomKD(logits, logits, draw, no), /randomKD: reduction is avg; mean or none/);
  refused(() => weightedLoss(logits, { reduction: 'none' as never }), /weightedLoss: reduction is none; mean or sum/);
});

test('sample weights have a gradient, however many samples there are', async () => {
  const samples = 70_000;
  const u = leaf(new Float32Array(samples).fill(1), [samples]);
  weightedLoss(engine.tensor(uniform(samples, 3, 1, 2), [samples, 1]), {
    sampleWeights: u,
    reduction: 'sum',
  }).backward();
  await near(u.grad, uniform(samples, 3, 1, 2), 1e-6);
});

test('every set is distilled within the limits that each device has', async () => {
  const { adapter } = await requestAdapter();
  const device = await adapter.requestDevice();
  const least = Engine.from(device);
  const taskSizes = [2, 2, 2, 2, 2, 2, 2];
  const classes = 14;
  const logits = (seed: number) => uniform(3 * classes, seed, -3, 3);
  const lossOn = async (on: Engine) => {
    const student = on.tensor(logits(1), [3, classes]);
    student.requiresGrad = true;
    const loss = denseKD(student, on.tensor(logits(2), [3, classes]), { taskSizes });
    loss.backward();
    return [await loss.item(), ...((await student.grad?.data()) ?? [])];
  };
  const [expected, actual] = [await lossOn(engine), await lossOn(least)];
  await near(engine.tensor(actual), expected, 1e-5);
  least.destroy();
  device.destroy();
});

test.run();
