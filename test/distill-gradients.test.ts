/** Distillation's gradients against central differences of the float64 definition. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gradcheck } from '../src/autograd/gradcheck.ts';
import { denseKD } from '../src/distill/dense-kd.ts';
import { GroupDraw, gatherGroups } from '../src/distill/group-draw.ts';
import { groupKD, groupLosses } from '../src/distill/group-kd.ts';
import { randomKD } from '../src/distill/random-kd.ts';
import { type PoolKind, TaskPool } from '../src/distill/task-pool.ts';
import { weightedLoss } from '../src/distill/weighted-loss.ts';
import { weighting } from '../src/distill/weighting.ts';
import type { Tensor } from '../src/index.ts';
import { referenceDKD } from './support/dkd-reference.ts';
import { engine, uniform } from './support/engine.ts';

const taskSizes = [3, 1, 4];
const [batch, classes] = [4, 10];
const studentData = uniform(batch * classes, 1, -4, 4);
const teacherData = uniform(batch * classes, 2, -4, 4);
const student = engine.tensor(studentData, [batch, classes]);
const teacher = engine.tensor(teacherData, [batch, classes]);

/** Losses of groups by the definition, as a function of the student's logits. */
const definition =
  (masks: readonly bigint[], weights: readonly number[], temperature: number) => (logits: ArrayLike<number>) =>
    referenceDKD({
      student: logits,
      teacher: teacherData,
      ...{ batch, classes, teacherClasses: classes, taskSizes, masks, weights, temperature },
    });

const masksOf = (pool: TaskPool) => Array.from({ length: pool.size }, (_, g) => pool.mask(g));

for (const kind of ['dense', 'runs', 'tasks', 'whole'] as const satisfies readonly PoolKind[]) {
  test(`the grouped loss has the slope of its definition: ${kind}`, async () => {
    const pool = TaskPool.of(kind, taskSizes);
    for (const temperature of [0.5, 2, 20]) {
      const weights = [...uniform(pool.size, 3, 0, 1)];
      const reference = definition(masksOf(pool), weights, temperature);
      await gradcheck(
        (s) => groupKD(s, teacher, pool, { temperature, weights, normalize: false }),
        (s) => [reference(s!).loss],
        [student],
      );
      await gradcheck(
        (s) => groupLosses(s, teacher, pool, { temperature }),
        (s) => reference(s!).each,
        [student],
      );
    }
  });
}

test('the dense loss under the adaptive weighting has the slope of its definition', async () => {
  const pool = TaskPool.of('dense', taskSizes);
  const similarity = engine.tensor(uniform(16, 4, -1, 1), [2, 8]);
  const chosen = weighting('adaptive', pool, { newClasses: 2, similarity });
  const perTask = [...(await chosen.groups!.perTask.data())];
  const weights = masksOf(pool).map((_, g) => {
    const tasks = pool.tasksOf(g);
    const total = (part: 0 | 1) => tasks.reduce((sum, task) => sum + perTask[task * 2 + part]!, 0);
    return total(0) / total(1);
  });
  const reference = definition(masksOf(pool), weights, 2);
  await gradcheck(
    (s) => denseKD(s, teacher, { taskSizes, weighting: chosen }),
    (s) => [reference(s!).loss],
    [student],
  );
});

test('random groups have the slope of the groups that were drawn', async () => {
  const pool = TaskPool.of('dense', taskSizes);
  for (const per of ['batch', 'sample'] as const) {
    const make = () => new GroupDraw(engine, pool, { groups: 3, per, seed: 5 });
    const places = [...(await make().next(batch).chosen.data())];
    const reference = definition(
      masksOf(pool),
      masksOf(pool).map(() => 1),
      2,
    );
    const mean = (logits: ArrayLike<number>) => {
      const { each } = reference(logits);
      let total = 0;
      for (let b = 0; b < batch; b++) {
        for (let j = 0; j < 3; j++) {
          total += each[b * pool.size + places[per === 'batch' ? j : b * 3 + j]!]!;
        }
      }
      return total / batch / 3;
    };
    await gradcheck(
      (s) => randomKD(s, teacher, make()),
      (s) => [mean(s!)],
      [student],
    );
  }
});

test('the gather sends back what it took', async () => {
  const pool = TaskPool.of('dense', taskSizes);
  const { masks, chosen } = new GroupDraw(engine, pool, { groups: 2, per: 'sample', seed: 6 }).next(batch);
  const places = [...(await chosen.data())];
  const rows = (logits: ArrayLike<number>) =>
    places.flatMap((place, i) => {
      const b = Math.floor(i / 2);
      const members = pool.tasksOf(place).flatMap((task) => {
        const first = b * classes + pool.starts[task]!;
        return Array.from({ length: taskSizes[task]! }, (_, c) => logits[first + c]!);
      });
      return [...members, ...Array<number>(pool.classes - members.length).fill(-1e30)];
    });
  const packed = (s: Tensor) => gatherGroups(s, teacher, masks, pool).student;
  assert.equal(packed(student).shape, [batch, 2, 8]);
  // What lies behind a group, −1e30, would hide the rest of a relative error.
  await gradcheck(
    (s) => packed(s).maximum(-10),
    (s) => rows(s!).map((x) => Math.max(x, -10)),
    [student],
  );
});

test('the weighted reduction has its slopes in losses, group weights and sample weights', async () => {
  const [samples, groups] = [5, 7];
  const inputs = [
    engine.tensor(uniform(samples * groups, 7, 0, 2), [samples, groups]),
    engine.tensor(uniform(groups, 8, 0.1, 1)),
    engine.tensor(uniform(samples, 9, 0.1, 1)),
  ];
  await gradcheck(
    (losses, groupWeights, sampleWeights) =>
      weightedLoss(losses!, { groupWeights: groupWeights!, sampleWeights: sampleWeights! }),
    (losses, w, u) => [
      losses!.reduce((sum, loss, i) => sum + (loss * w![i % groups]! * u![Math.floor(i / groups)]!) / samples, 0),
    ],
    inputs,
  );
});

test.run();
