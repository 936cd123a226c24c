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

/** σ of each old class and of each new one, by the definition. */
function similarities(values: ArrayLike<number>): { ofOld: number[]; ofNew: number[] } {
  const at = (n: number, o: number) => Math.max(0, values[n * 8 + o]!);
  const old = Array.from({ length: 8 }, (_, o) => o);
  return {
    ofOld: old.map((o) => Math.max(at(0, o), at(1, o)) + 1e-3),
    ofNew: [0, 1].map((n) => Math.max(...old.map((o) => at(n, o))) + 1e-3),
  };
}
const average = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

for (const variant of ['full', 'random'] as const) {
  test(`classes and samples that are weighed by similarity: the slope of the definition, ${variant}`, async () => {
    const pool = TaskPool.of('dense', taskSizes);
    const cosines = uniform(16, 4, -1, 1);
    const { ofOld, ofNew } = similarities(cosines);
    const lambda = 3 * Math.sqrt(8 / 2) * average(ofOld);
    const options = { newClasses: 2, strength: 3, similarity: engine.tensor(cosines, [2, 8]) };
    const make = () => new GroupDraw(engine, pool, { groups: 2, seed: 5 });
    const places = [...(await make().next(batch).chosen.data())];
    const weights = masksOf(pool).map((_, g) =>
      variant === 'full' ? 1 / pool.size : places.filter((place) => place === g).length / 2,
    );
    const drawn = () => (variant === 'full' ? {} : { variant, draw: make() });

    // A softmax of z/T + ln ω: in T = 2 that is z + 2 ln ω.
    const shift = ofOld.map((one) => 2 * Math.log(one / average(ofOld)));
    const shifted = (logits: ArrayLike<number>) => Float64Array.from(logits, (x, i) => x + (shift[i % classes] ?? 0));
    await gradcheck(
      (s) => denseKD(s, teacher, { taskSizes, weighting: weighting('adaptive-classes', pool, options), ...drawn() }),
      (s) => {
        const of = {
          batch,
          classes,
          teacherClasses: classes,
          taskSizes,
          masks: masksOf(pool),
          weights,
          temperature: 2,
        };
        return [lambda * referenceDKD({ ...of, student: shifted(s!), teacher: shifted(teacherData) }).loss];
      },
      [student],
    );

    const labels = [9, 0, 5, 8];
    const all = [...ofOld, ...ofNew];
    const reference = definition(masksOf(pool), weights, 2);
    await gradcheck(
      (s) =>
        denseKD(s, teacher, {
          taskSizes,
          weighting: weighting('adaptive-samples', pool, options),
          labels: engine.tensor(Int32Array.from(labels)),
          ...drawn(),
        }),
      (s) => {
        const { each } = reference(s!);
        const losses = labels.map((label, b) => {
          const own = weights.map((w, g) => w * each[b * pool.size + g]!);
          return (all[label]! / average(all)) * own.reduce((x, y) => x + y, 0);
        });
        return [lambda * average(losses)];
      },
      [student],
    );
  });
}

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
