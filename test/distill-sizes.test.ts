/** Groups that weigh by how many tasks they hold, and pools that hold small groups alone. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gradcheck } from '../src/autograd/gradcheck.ts';
import { type DenseKDOptions, denseKD } from '../src/distill/dense-kd.ts';
import { GroupDraw } from '../src/distill/group-draw.ts';
import { groupKD } from '../src/distill/group-kd.ts';
import { type GroupSizes, meanInverseSize, sizeWeights } from '../src/distill/group-sizes.ts';
import { type PoolKind, TaskPool } from '../src/distill/task-pool.ts';
import { weighting } from '../src/distill/weighting.ts';
import { Engine, type Tensor } from '../src/index.ts';
import { randomLogits, referenceDKD, sharesBySize } from './support/dkd-reference.ts';
import { engine, errorOf, leaf, near, relativeL2, uniform } from './support/engine.ts';

const refused = (fn: () => unknown, pattern: RegExp) => assert.match(errorOf(fn).message, pattern);
const masksOf = (pool: TaskPool) => Array.from({ length: pool.size }, (_, g) => pool.mask(g));

interface Case {
  readonly pool: TaskPool;
  readonly sizes: 'balanced' | readonly number[];
  /** Standard deviation of the logits. */
  readonly spread?: number;
  readonly temperature?: number;
  readonly batch?: number;
  readonly closeness?: number | null;
}

/** Loss and gradient on an engine against the definition. */
async function agrees(on: Engine, { pool, sizes, spread = 4, temperature = 2, batch = 3, closeness = null }: Case) {
  const { taskSizes } = pool;
  const problem = { seed: 5, taskSizes, newClasses: 2, batch, spread, temperature, closeness };
  const { student, teacher } = randomLogits(problem);
  const classes = pool.classes + 2;
  const masks = masksOf(pool);
  const expected = referenceDKD({
    ...{ student, teacher, batch, classes, teacherClasses: classes, taskSizes, masks, temperature },
    weights: sharesBySize(masks, sizes),
  });
  const s = on.tensor(student, [batch, classes]);
  s.requiresGrad = true;
  const t = on.tensor(teacher, [batch, classes]);
  const loss = denseKD(s, t, { taskSizes, pool, sizes, temperature });
  loss.backward();
  const name = `${pool.kind} of ${pool.tasks} tasks, ${sizes}, logits of ${spread}`;
  await near(loss, [expected.loss], 1e-5, `loss: ${name}`);
  await near(s.grad, expected.gradient, 1e-5, `gradient: ${name}`);
  for (const tensor of [s.grad!, s, t, loss]) tensor.dispose();
  pool.disposeOn(on);
}

/** Tasks of one, two and three classes. */
const uneven = (tasks: number) => Array.from({ length: tasks }, (_, i) => 1 + (i % 3));
/** Falls, but not to nothing. */
const falling = (tasks: number) => Array.from({ length: tasks }, (_, i) => 1 / (1 + i * i));
const KINDS: readonly PoolKind[] = ['dense', 'pairs', 'runs', 'prefixes', 'tasks', 'whole'];

test('groups weigh by size as the definition has it, in every pool, of small and of extreme logits', async () => {
  for (const tasks of [1, 2, 7]) {
    for (const kind of KINDS) {
      const pool = TaskPool.of(kind, uneven(tasks));
      for (const sizes of ['balanced', falling(tasks)] as const) await agrees(engine, { pool, sizes });
    }
    const pool = TaskPool.of('dense', uneven(tasks));
    for (const extreme of [
      { spread: 6000 },
      { spread: 6000, temperature: Math.fround(0.05) },
      { spread: 5, closeness: 1e-3 },
      { spread: 0.01 },
      // One size alone, all others weighing nothing.
      { sizes: falling(tasks).map((_, i) => (i === tasks - 1 ? 3 : 0)) },
    ]) {
      await agrees(engine, { pool, sizes: 'balanced', ...extreme });
    }
  }
});

test('twenty tasks weigh by size without a list of their million groups', async () => {
  const taskSizes = uneven(20);
  await agrees(engine, { pool: TaskPool.of('dense', taskSizes.slice(0, 16)), sizes: 'balanced', batch: 1 });
  const pairs = [1, 1, ...Array<number>(18).fill(0)];
  const [dense, listed] = [TaskPool.of('dense', taskSizes), TaskPool.of('pairs', taskSizes)];
  assert.is(listed.size, 210);
  const shape = [2, dense.classes];
  const teacher = engine.tensor(uniform(2 * dense.classes, 2, -4, 4), shape);
  const student = uniform(2 * dense.classes, 1, -4, 4);
  const masks = masksOf(listed);
  const expected = referenceDKD({
    ...{ student, teacher: uniform(2 * dense.classes, 2, -4, 4), batch: 2, classes: dense.classes },
    ...{ teacherClasses: dense.classes, taskSizes, masks, temperature: 2, weights: masks.map(() => 1 / 210) },
  });
  for (const [pool, sizes] of [
    [dense, pairs],
    [listed, 'uniform'],
  ] as const) {
    const s = leaf(student, shape);
    const loss = denseKD(s, teacher, { taskSizes, pool, sizes });
    loss.backward();
    await near(loss, [expected.loss], 1e-5, `loss: ${pool.kind}`);
    await near(s.grad, expected.gradient, 1e-5, `gradient: ${pool.kind}`);
  }
});

test('the other form of the kernels, for GPUs or for CPUs, weighs by size as well', async () => {
  const other = Engine.from(engine.device, { kind: engine.adapterKind === 'hardware' ? 'software' : 'hardware' });
  for (const tasks of [1, 2, 7, 11]) {
    for (const kind of ['dense', 'pairs'] as const) {
      const pool = TaskPool.of(kind, uneven(tasks));
      await agrees(other, { pool, sizes: 'balanced' });
      await agrees(other, { pool, sizes: falling(tasks), spread: 6000 });
    }
  }
  await other.destroy();
});

const taskSizes = [3, 1, 4];
const shape = [5, 10];
const studentData = uniform(50, 1, -4, 4);
const teacherData = uniform(50, 2, -4, 4);
const teacher = engine.tensor(teacherData, shape);

async function same(a: (student: Tensor) => Tensor, b: (student: Tensor) => Tensor): Promise<void> {
  const results = [a, b].map((fn) => {
    const student = leaf(studentData, shape);
    const loss = fn(student);
    loss.backward();
    return { loss, gradient: student.grad! };
  });
  const [one, two] = results as [(typeof results)[0], (typeof results)[0]];
  await near(one.loss, await two.loss.data(), 1e-6);
  await near(one.gradient, await two.gradient.data(), 2e-6);
}

test('the loss by sizes has the slope of its definition', async () => {
  for (const kind of KINDS) {
    const pool = TaskPool.of(kind, taskSizes);
    const masks = masksOf(pool);
    for (const sizes of ['balanced', [1, 3, 0.5]] as const) {
      const weights = sharesBySize(masks, sizes);
      await gradcheck(
        (s) => denseKD(s, teacher, { taskSizes, pool, sizes }),
        (s) => [
          referenceDKD({
            ...{ student: s!, teacher: teacherData, batch: 5, classes: 10, teacherClasses: 10 },
            ...{ taskSizes, masks, weights, temperature: 2 },
          }).loss,
        ],
        [engine.tensor(studentData, shape)],
      );
    }
  }
});

test('uniform sizes and equal ones are the usual loss; balanced ones weigh every size the same', async () => {
  const kd = (options: Partial<DenseKDOptions>) => (s: Tensor) => denseKD(s, teacher, { taskSizes, ...options });
  await same(kd({ sizes: 'uniform' }), kd({}));
  await same(kd({ sizes: [2, 2, 2] }), kd({}));
  assert.equal(sizeWeights('test', TaskPool.of('dense', taskSizes), 'balanced'), [1 / 9, 1 / 9, 1 / 3]);
  assert.equal(sizeWeights('test', TaskPool.of('prefixes', taskSizes), 'balanced'), [1 / 9, 1 / 3, 1 / 3]);
  const groupWeights = [1, 1, 1, 1, 1, 1, 3];
  await same(kd({ sizes: 'balanced' }), kd({ groupWeights }));
  // As they are, where they are not to be divided by their sum.
  const pool = TaskPool.of('dense', taskSizes);
  await same(
    (s) => groupKD(s, teacher, pool, { weights: { sizes: [2, 0, 1] }, normalize: false }),
    (s) => groupKD(s, teacher, pool, { weights: [2, 2, 0, 2, 0, 0, 1], normalize: false }),
  );
  await same(kd({ sizes: 'balanced', weighting: 'count' }), (s) => kd({ groupWeights })(s).mul(2));
});

test('similarities weigh beside sizes', async () => {
  const similarity = engine.tensor(uniform(16, 4, -1, 1), [2, 8]);
  for (const kind of ['dense', 'runs'] as const) {
    const pool = TaskPool.of(kind, taskSizes);
    const usual = weighting('adaptive', pool, { newClasses: 2, similarity });
    const perTask = [...(await usual.groups!.perTask.data())];
    const [lambda = 0] = await (usual.lambda as Tensor).data();
    const shares = sharesBySize(masksOf(pool), 'balanced');
    const raw = shares.map((share, g) => {
      const total = (part: 0 | 1) => pool.tasksOf(g).reduce((sum, task) => sum + perTask[task * 2 + part]!, 0);
      return (share * total(0)) / total(1);
    });
    const chosen = weighting('adaptive', pool, { newClasses: 2, similarity, sizes: 'balanced' });
    await same(
      (s) => denseKD(s, teacher, { taskSizes, pool, weighting: chosen }),
      (s) => groupKD(s, teacher, pool, { weights: raw }).mul(lambda),
    );
  }
});

test('numbers a task weigh the groups of a bounded pool, whichever kernel takes them', async () => {
  const eight = Array<number>(8).fill(1);
  const pool = TaskPool.of('dense', eight, { upTo: 3 });
  const perTask = uniform(16, 6, 0.5, 2);
  const perSize = [1, 2, 0.5, 7, 7, 7, 7, 7];
  const quotients = masksOf(pool).map((_, g) => {
    const total = (part: 0 | 1) => pool.tasksOf(g).reduce((sum, task) => sum + perTask[task * 2 + part]!, 0);
    return total(0) / total(1);
  });
  const bySize = quotients.map((weight, g) => weight * perSize[pool.tasksOf(g).length - 1]!);
  const tensor = engine.tensor(perTask, [8, 2]);
  for (const [given, listed] of [
    [{ perTask: tensor }, quotients],
    [{ perTask: tensor, perSize }, bySize],
  ] as const) {
    await same(
      (s) => groupKD(s, teacher, pool, { weights: given }),
      (s) => groupKD(s, teacher, pool, { weights: listed, normalize: false }),
    );
  }
});

test('the mean over all sets can be had task by task, whatever sizes weigh', () => {
  for (const sizes of [[2], [3, 1, 4], [5, 5, 1, 2, 7]]) {
    const dense = TaskPool.of('dense', sizes);
    const listed = TaskPool.fromMasks(masksOf(dense), sizes);
    for (const by of ['balanced', falling(sizes.length)] as const) {
      const perSize = sizeWeights('test', dense, by);
      const expected = sizes.map((_, task) =>
        masksOf(dense).reduce((sum, mask, g) => {
          if (!((mask >> BigInt(task)) & 1n)) return sum;
          const tasks = dense.tasksOf(g);
          return sum + perSize![tasks.length - 1]! / tasks.reduce((n, one) => n + sizes[one]!, 0);
        }, 0),
      );
      for (const pool of [dense, listed]) assert.ok(relativeL2(meanInverseSize(pool, perSize), expected) < 1e-12);
    }
  }
});

test('bounded pools hold the small groups of their kind', () => {
  const groups = (kind: PoolKind, k: number, upTo?: number) =>
    masksOf(TaskPool.of(kind, Array(k).fill(2), upTo === undefined ? {} : { upTo })).map(Number);
  assert.equal(groups('pairs', 1), [1]);
  assert.equal(groups('pairs', 3), [1, 2, 4, 3, 5, 6]);
  assert.equal(groups('dense', 3, 2), groups('pairs', 3));
  assert.equal(groups('dense', 4, 1), groups('tasks', 4));
  assert.equal(groups('pairs', 4, 1), groups('tasks', 4));
  assert.equal(groups('dense', 3, 3), groups('dense', 3));
  assert.equal(groups('runs', 3, 2), [1, 3, 2, 6, 4]);
  assert.equal(groups('prefixes', 4, 2), [1, 2, 4, 8, 3]);
  const wide = TaskPool.of('dense', Array(64).fill(1), { upTo: 3 });
  assert.is(wide.size, 64 + 2016 + 41664);
  assert.is(new Set(masksOf(wide)).size, wide.size);
  assert.equal(wide.groupsBySize.slice(0, 4), [64, 2016, 41664, 0]);
  for (const kind of KINDS) {
    const pool = TaskPool.of(kind, taskSizes);
    const counts = [1, 2, 3].map((size) => masksOf(pool).filter((_, g) => pool.tasksOf(g).length === size).length);
    assert.equal(pool.groupsBySize, counts);
  }
  assert.ok(TaskPool.of('dense', [], { upTo: 2 }).isEmpty);
});

test('sizes and bounds that make no sense are refused with a reason', () => {
  const student = leaf(studentData, shape);
  const kd = (options: Partial<DenseKDOptions>) => () => denseKD(student, teacher, { taskSizes, ...options });
  const sizes = (given: unknown, pool: PoolKind = 'dense') => kd({ sizes: given as GroupSizes, pool });
  refused(sizes([1, -1, 1]), /denseKD: the weight of groups of 2 tasks is -1; .*at least 0.*leave a size out/);
  refused(sizes([1, Number.NaN, 1]), /groups of 2 tasks is NaN/);
  refused(sizes([1, 1, Number.POSITIVE_INFINITY]), /groups of 3 tasks is Infinity/);
  refused(sizes([0, 0, 0]), /\[0, 0, 0\] of all 7 groups of the pool 'dense' add up to 0/);
  refused(sizes([0, 1, 1], 'tasks'), /pool 'tasks' add up to 0\. Groups of 1 tasks are there/);
  refused(sizes([1, 1]), /2 weights by size were given for groups of 1 to 3 tasks\. Give 3/);
  refused(sizes('small'), /unknown sizes: 'small'\. Choose uniform or balanced/);
  refused(kd({ sizes: 'balanced', groupWeights: [1, 2, 3, 4, 5, 6, 7] }), /by groupWeights or by sizes/);
  const pool = TaskPool.of('dense', taskSizes);
  const draw = new GroupDraw(engine, pool, { sizes: 'balanced' });
  refused(kd({ variant: 'random', draw, sizes: [1, 1, 0] }), /sizes are \[1, 1, 0\], those of the draw 'balanced'/);
  assert.ok(kd({ variant: 'random', draw, sizes: 'balanced' })());
  draw.dispose();
  const similarity = engine.full([2, 8], 0.5);
  const chosen = weighting('adaptive', pool, { newClasses: 2, similarity });
  refused(kd({ weighting: chosen, sizes: 'balanced' }), /group weights of its own\. Give the sizes to weighting/);
  const perTask = engine.ones([3, 2]);
  refused(
    () => groupKD(student, teacher, pool, { weights: { perTask, perSize: [1] } }),
    /1 factors by size; 3 were expected/,
  );
  const many = Array<number>(40).fill(1);
  refused(
    () => TaskPool.of('dense', many, { upTo: 6 }),
    /40 old tasks have 4598478 groups of at most 6; up to 1048575/,
  );
  for (const upTo of [0, -1, 1.5, Number.NaN])
    refused(() => TaskPool.of('dense', [2], { upTo }), /upTo is .*at least 1/);
  refused(() => TaskPool.of('whole', [2, 2], { upTo: 1 }), /has all 2 old tasks; with upTo 1 no group is left/);
  refused(kd({ pool, upTo: 2 }), /upTo 2 is for kinds of pools/);
});

test.run();
