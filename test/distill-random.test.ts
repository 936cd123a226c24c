import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { denseKD } from '../src/distill/dense-kd.ts';
import { GroupDraw, type GroupDrawOptions, gatherGroups } from '../src/distill/group-draw.ts';
import { groupKD, groupLosses } from '../src/distill/group-kd.ts';
import { randomKD } from '../src/distill/random-kd.ts';
import { type PoolKind, TaskPool } from '../src/distill/task-pool.ts';
import { logSoftmax } from '../src/index.ts';
import { engine, errorOf, leaf, near, uniform } from './support/engine.ts';

/** Places in the pool of `steps` draws, one array a step and row. */
async function draws(draw: GroupDraw, steps: number, batch = 1): Promise<number[][]> {
  const rows: number[][] = [];
  for (let step = 0; step < steps; step++) {
    const { chosen, masks } = draw.next(batch);
    const places = [...(await chosen.data())];
    const words = [...(await masks.data())];
    places.forEach((place, i) => {
      if (place !== 0xffffffff) {
        const mask = (BigInt(words[2 * i + 1]!) << 32n) | BigInt(words[2 * i]!);
        assert.is(mask, draw.pool.mask(place));
      }
    });
    while (places.length) rows.push(places.splice(0, draw.groups));
    chosen.dispose();
    masks.dispose();
  }
  return rows;
}

function counts(rows: readonly number[][], groups: number): number[] {
  const seen = Array<number>(groups).fill(0);
  for (const place of rows.flat()) seen[place]!++;
  return seen;
}

/** Within five standard errors of a binomial count: sound draws under a fixed seed stay well inside. */
function assertShare(count: number, trials: number, probability: number): void {
  const spread = 5 * Math.sqrt(trials * probability * (1 - probability)) + 1e-9;
  assert.ok(Math.abs(count - trials * probability) <= spread, `${count} of ${trials}, expected ${probability}`);
}

const make = (pool: TaskPool, options: GroupDrawOptions) => new GroupDraw(engine, pool, options);
const dense = TaskPool.of('dense', [2, 1, 3]);

test('every group of the pool is drawn as often as the others, none twice at a time', async () => {
  for (const groups of [1, 3, 7]) {
    const rows = await draws(make(dense, { groups, per: 'sample', seed: 4 }), 8, 250);
    assert.is(rows.length, 2000);
    for (const row of rows) assert.is(new Set(row).size, groups);
    for (const count of counts(rows, 7)) assertShare(count, 2000, groups / 7);
  }
});

test('weighted draws take a group in proportion to its weight', async () => {
  const pool = TaskPool.of('runs', [2, 1, 3]);
  const weights = [1, 2, 0, 3, 1, 2];
  const rows = await draws(make(pool, { groups: 3, per: 'sample', seed: 5, weights }), 8, 250);
  for (const row of rows) assert.is(new Set(row).size, 3);
  counts(rows, 6).forEach((count, g) => {
    assertShare(count, 2000, weights[g]! / 3);
  });
});

test('draws go on by themselves, repeat with the seed, and resume from the saved state', async () => {
  const pool = TaskPool.of('dense', Array(9).fill(2));
  const first = make(pool, { groups: 2, seed: 1 });
  const rows = await draws(first, 6);
  assert.ok(new Set(rows.map(String)).size > 4, `${rows}`);
  assert.equal(await draws(make(pool, { groups: 2, seed: 1 }), 6), rows);
  assert.not.equal(await draws(make(pool, { groups: 2, seed: 2 }), 6), rows);
  const halfway = make(pool, { groups: 2, seed: 1 });
  await draws(halfway, 3);
  const resumed = make(pool, { groups: 2, seed: 99 });
  engine.write(resumed.state.storage, Uint32Array.from(await halfway.state.data()));
  assert.equal(await draws(resumed, 3), rows.slice(3));
});

test('the dense pool of many tasks is drawn from without being counted', async () => {
  for (const tasks of [21, 40, 64]) {
    const pool = TaskPool.of('dense', Array(tasks).fill(1));
    const { masks } = make(pool, { groups: 4, per: 'sample', seed: 3 }).next(200);
    const words = [...(await masks.data())];
    const sets = Array.from({ length: 800 }, (_, i) => (BigInt(words[2 * i + 1]!) << 32n) | BigInt(words[2 * i]!));
    for (const set of sets) assert.ok(set > 0n && set >> BigInt(tasks) === 0n);
    for (let task = 0; task < tasks; task++) {
      assertShare(sets.filter((set) => (set >> BigInt(task)) & 1n).length, 800, 0.5);
    }
    for (let i = 0; i < 800; i += 4) assert.is(new Set(sets.slice(i, i + 4)).size, 4);
  }
});

/** Sets that were drawn, one array a row. */
async function setsOf(draw: GroupDraw, batch: number): Promise<bigint[][]> {
  const { masks } = draw.next(batch);
  const words = [...(await masks.data())];
  const sets = Array.from({ length: words.length / 2 }, (_, i) => {
    return (BigInt(words[2 * i + 1]!) << 32n) | BigInt(words[2 * i]!);
  });
  masks.dispose();
  return Array.from({ length: sets.length / draw.groups }, (_, row) =>
    sets.slice(row * draw.groups, (row + 1) * draw.groups),
  );
}
const sizeOf = (set: bigint): number => [...set.toString(2)].filter((digit) => digit === '1').length;

/** Upper end of a χ² by Wilson and Hilferty, beyond which sound draws fall once in a million. */
const mostChiSquare = (freedom: number): number =>
  freedom * (1 - 2 / (9 * freedom) + 4.75 * Math.sqrt(2 / (9 * freedom))) ** 3;

function assertSpread(seen: readonly number[], expected: readonly number[]): void {
  const sum = seen.reduce((total, count, i) => total + (count - expected[i]!) ** 2 / expected[i]!, 0);
  assert.ok(sum < mostChiSquare(seen.length - 1), `χ² is ${sum}: ${seen}, not ${expected}`);
}

test('draws by size take each size by its weight, and within it one group as often as another', async () => {
  const pool = TaskPool.of('dense', [2, 1, 3, 1]);
  for (const [sizes, shares] of [
    ['balanced', [1 / 16, 1 / 24, 1 / 16, 1 / 4]],
    [
      [4, 1, 0, 2],
      [4 / 24, 1 / 24, 0, 2 / 24],
    ],
  ] as const) {
    const rows = await draws(make(pool, { per: 'sample', seed: 11, sizes }), 8, 500);
    const seen = counts(rows, 15);
    const expected = seen.map((_, g) => 4000 * shares[pool.tasksOf(g).length - 1]!);
    seen.forEach((count, g) => {
      if (expected[g] === 0) assert.is(count, 0);
    });
    const drawn = (counted: readonly number[]) => counted.filter((_, g) => expected[g]! > 0);
    assertSpread(drawn(seen), drawn(expected));
  }
});

test('several draws by size are distinct groups as far as weights allow, each as often as it weighs', async () => {
  const pool = TaskPool.of('dense', [2, 1, 3, 1]);
  for (const groups of [3, 8]) {
    const draw = make(pool, { groups, per: 'sample', seed: 12, sizes: 'balanced' });
    const rows = await draws(draw, 4, 500);
    const seen = counts(rows, 15);
    seen.forEach((count, g) => {
      const times = groups / 4 / pool.groupsBySize[pool.tasksOf(g).length - 1]!;
      if (times < 1) assertShare(count, 2000, times);
      else assert.ok(Math.abs(count - 2000 * times) < 5 * Math.sqrt(2000), `${count} of ${2000 * times}`);
    });
    for (const row of rows) {
      const bySize = [1, 2, 3, 4].map((size) => row.filter((g) => pool.tasksOf(g).length === size));
      // A quarter of the draws each, rounded up or down; only the one group of all four may come twice.
      for (const one of bySize) assert.ok(Math.abs(one.length - groups / 4) < 1, `${row}`);
      for (const one of bySize.slice(0, 3)) assert.is(new Set(one).size, one.length, `${row}`);
    }
  }
});

test('of many tasks, sizes are drawn without a list of the groups', async () => {
  for (const tasks of [21, 33, 64]) {
    const pool = TaskPool.of('dense', Array(tasks).fill(1));
    const draw = make(pool, { groups: 4, per: 'sample', seed: 13, sizes: 'balanced' });
    const rows = await setsOf(draw, 500);
    const sets = rows.flat();
    for (const set of sets) assert.ok(set > 0n && set >> BigInt(tasks) === 0n);
    const seen = Array<number>(tasks).fill(0);
    for (const set of sets) seen[sizeOf(set) - 1]!++;
    assertSpread(seen, Array<number>(tasks).fill(2000 / tasks));
    const members = Array.from({ length: tasks }, (_, task) => sets.filter((set) => (set >> BigInt(task)) & 1n).length);
    for (const count of members) assertShare(count, 2000, (tasks + 1) / 2 / tasks);
    const pairs = sets.filter((set) => sizeOf(set) === 2);
    assert.ok(new Set(pairs).size > 0.8 * pairs.length, 'pairs are drawn from all of them');
    const again = make(pool, { groups: 4, per: 'sample', seed: 13, sizes: 'balanced' });
    assert.equal(await setsOf(again, 500), rows);
    assert.not.equal(await setsOf(again, 500), rows, 'it goes on');
    for (const one of [draw, again]) one.dispose();
  }
});

const shape = [3, 8];
const logits = { student: uniform(24, 1, -3, 3), teacher: uniform(24, 2, -3, 3) };

test('the mean of the random losses and gradients comes to the dense one', async () => {
  const teacher = engine.tensor(logits.teacher, shape);
  const pool = TaskPool.of('dense', [2, 1, 3]);
  const weights = [1, 2, 1, 0, 2, 1, 3];
  // Task weights 1, 2 and 4 over counts 2, 1 and 3.
  const perTask = engine.tensor([
    [1, 2],
    [2, 1],
    [4, 3],
  ]);
  const cases = [
    { draw: make(pool, { groups: 2, seed: 8 }), dense: {}, random: {} },
    { draw: make(pool, { groups: 3, per: 'sample', seed: 8 }), dense: {}, random: {} },
    { draw: make(pool, { groups: 2, seed: 8, weights }), dense: { weights }, random: {} },
    { draw: make(pool, { seed: 8 }), dense: { weights: { perTask } }, random: { weights: { perTask } } },
    // By size, alone and beside numbers a task; more groups than any one may be drawn of without repetition, and a list of groups.
    ...[1, 2, 5].map((groups) => ({
      draw: make(pool, { groups, seed: 8, sizes: 'balanced' }),
      ...{ dense: { weights: { sizes: 'balanced' as const } }, random: {} },
    })),
    {
      draw: make(pool, { groups: 2, seed: 8, sizes: 'balanced' }),
      dense: { weights: { perTask, perSize: [0.5, 2, 1] } },
      random: { weights: { perTask, perSize: [0.5, 2, 1] } },
    },
    {
      draw: make(pool, { groups: 2, seed: 8, sizes: [3, 1, 2] }),
      ...{ dense: { weights: { perTask } }, random: { weights: { perTask } } },
    },
    {
      draw: make(TaskPool.of('pairs', [2, 1, 3]), { groups: 2, seed: 8, sizes: [3, 1, 0] }),
      ...{ dense: { weights: { sizes: [3, 1, 0] } }, random: {} },
    },
  ];
  const steps = 600;
  for (const { draw, dense: full, random } of cases) {
    const exact = leaf(logits.student, shape);
    const expected = groupKD(exact, teacher, draw.pool, full);
    expected.backward();
    const student = leaf(logits.student, shape);
    let total = 0;
    let squares = 0;
    const losses: Promise<number>[] = [];
    for (let step = 0; step < steps; step++) {
      engine.scope(() => {
        const loss = engine.keep(randomKD(student, teacher, draw, random));
        loss.backward();
        losses.push(loss.item().finally(() => loss.dispose()));
      });
      if (losses.length === 100)
        for (const loss of await Promise.all(losses.splice(0))) {
          total += loss;
          squares += loss * loss;
        }
    }
    const mean = total / steps;
    const error = Math.sqrt((squares / steps - mean * mean) / steps);
    assert.ok(Math.abs(mean - (await expected.item())) < 5 * error, `${mean} ± ${error}`);
    // A wrong weight would be off by tens of percent.
    await near(student.grad!.div(steps), await exact.grad!.data(), 0.1, 'mean gradient');
  }
});

test('m equal to the size of the pool is the dense loss itself', async () => {
  const teacher = engine.tensor(logits.teacher, shape);
  const student = leaf(logits.student, shape);
  const random = randomKD(student, teacher, make(dense, { groups: 50 }));
  await near(random, await groupKD(student, teacher, dense).data(), 1e-6);
});

test('gathered logits give the same loss and gradient as the groups they were drawn for', async () => {
  const teacher = engine.tensor(logits.teacher, shape);
  for (const per of ['batch', 'sample'] as const) {
    const { masks, chosen } = make(dense, { groups: 3, per, seed: 6 }).next(3);
    const student = leaf(logits.student, shape);
    const packed = gatherGroups(student, teacher, masks, dense);
    assert.equal(packed.student.shape, [3, 3, 6]);
    const logP = logSoftmax(packed.teacher, -1);
    const logQ = logSoftmax(packed.student, -1);
    const each = logP.exp().mul(logP.sub(logQ)).sum(-1);
    each.sum().backward();
    const places = [...(await chosen.data())];
    const at = (b: number, j: number) => places[per === 'batch' ? j : b * 3 + j]!;
    const plain = leaf(logits.student, shape);
    const all = groupLosses(plain, teacher, dense, { temperature: 1 });
    const values = [...(await all.data())];
    const pick = Float32Array.from({ length: 21 }, () => 0);
    const expected: number[] = [];
    for (let b = 0; b < 3; b++) {
      for (let j = 0; j < 3; j++) {
        expected.push(values[b * 7 + at(b, j)]!);
        pick[b * 7 + at(b, j)]! += 1;
      }
    }
    await near(each, expected, 1e-5, 'losses');
    all.backward(engine.tensor(pick, [3, 7]));
    await near(student.grad, await plain.grad!.data(), 1e-5, 'gradient');
  }
});

test('a draw is taken over the groups that are distilled, and over no others of the same number', () => {
  const [student, teacher] = [engine.zeros([2, 6]), engine.zeros([2, 6])];
  const kd = (draw: GroupDraw, pool: TaskPool | PoolKind, upTo?: number) =>
    denseKD(student, teacher, { taskSizes: [2, 1, 3], variant: 'random', draw, pool, ...(upTo ? { upTo } : {}) });
  const of = (pool: TaskPool) => make(pool, { groups: 2 });
  const [pairs, runs] = (['pairs', 'runs'] as const).map((kind) => TaskPool.of(kind, [2, 1, 3])) as [
    TaskPool,
    TaskPool,
  ];
  const listed = TaskPool.fromMasks([4, 2, 1, 6, 5, 3], [2, 1, 3]);
  for (const pool of [pairs, listed, 'pairs'] as const) kd(of(pairs), pool).dispose();
  kd(of(listed), 'dense', 2).dispose();
  for (const [draw, pool] of [
    [of(TaskPool.of('dense', [1, 1, 4])), 'dense'],
    [of(TaskPool.of('tasks', [2, 1, 3])), TaskPool.fromMasks([1, 2, 7], [2, 1, 3])],
    [of(runs), pairs],
    [of(TaskPool.fromMasks([1, 1, 2], [2, 1, 3])), TaskPool.fromMasks([1, 2, 2], [2, 1, 3])],
  ] as const)
    assert.match(errorOf(() => kd(draw, pool)).message, /the draw is over another pool/);
});

test('impossible draws are refused with a reason', () => {
  const refused = (fn: () => unknown, pattern: RegExp) => assert.match(errorOf(fn).message, pattern);
  refused(() => make(dense, { groups: 0 }), /0 groups a draw/);
  refused(() => make(dense, { seed: -1 }), /-1 is not a whole number/);
  refused(() => make(TaskPool.of('dense', []), {}), /no old task/);
  refused(() => make(dense, { groups: 3, weights: [9, 1, 1, 1, 1, 1, 1] }), /group 0 has 0\.6.*more than once/);
  refused(() => make(dense, { weights: [1, 2] }), /2 weights were given for 7 groups/);
  const wide = TaskPool.of('dense', Array(30).fill(1));
  refused(() => make(wide, { weights: [1] }), /30 tasks has too many groups/);
  refused(() => make(dense, { sizes: [1, 0] }), /2 weights by size were given for groups of 1 to 3 tasks/);
  refused(() => make(dense, { sizes: [0, 0, 0] }), /add up to 0/);
  refused(
    () => make(dense, { sizes: 'balanced', weights: [1, 1, 1, 1, 1, 1, 1] }),
    /by weights of their own or by sizes/,
  );
  const logit = engine.zeros([2, 6]);
  const singles = make(dense, { sizes: [1, 0, 0] });
  const perTask = engine.ones([3, 2]);
  refused(
    () => randomKD(logit, logit, singles, { weights: { perTask } }),
    /groups of 2 tasks weigh as much as others, but the draw's sizes leave them out/,
  );
  const weighted = make(dense, { weights: [1, 2, 1, 0, 2, 1, 3] });
  refused(() => randomKD(logit, logit, weighted, { weights: { perTask } }), /drawn by weights of the draw's own/);
  const weighting = { lambda: 1, groups: { perTask } };
  const random = { taskSizes: dense.taskSizes, variant: 'random', draw: weighted } as const;
  refused(() => denseKD(logit, logit, { ...random, weighting }), /drawn by weights of the draw's own/);
  const x = engine.zeros([2, 6]);
  refused(() => gatherGroups(x, x, engine.zeros([3, 1, 2], 'u32'), dense), /u32\[1 or 2, groups, 2\] was expected/);
});

test.run();
