/** The losses of published methods against their definitions in float64, and where a batch has little in it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  adjustedCrossEntropy,
  auxiliaryTargets,
  balancedDistillationLoss,
  classBalancedWeights,
  darkExperienceLoss,
  decoupledKD,
  lessForgetLoss,
  logitReplayLoss,
  marginRankingLoss,
  podFlatLoss,
  podSpatialLoss,
  proxyNCALoss,
  separatedCrossEntropy,
  softCrossEntropy,
  softTargetLoss,
  taskDistillationLoss,
} from '../src/entries/methods.ts';
import { gradcheck } from '../src/entries/testing.ts';
import { crossEntropy, globalKD, type Tensor } from '../src/index.ts';
import { engine, near, uniform } from './support/engine.ts';
import * as rows from './support/rows.ts';

const { rowsOf, mean, sum } = rows;
const [n, old, classes] = [5, 4, 7];
const logits = engine.tensor(uniform(n * classes, 1, -3, 3), [n, classes]);
const teacherData = uniform(n * old, 2, -3, 3);
const teacher = engine.tensor(teacherData, [n, old]);
const targetList = [0, 6, 3, 4, 1];
const targets = engine.tensor(Int32Array.from(targetList));

/** The value, and whether a gradient that reached `leaf` is all finite numbers. */
async function learnt(loss: Tensor, leaf: Tensor): Promise<{ value: number; gradient: number[] }> {
  loss.backward();
  const gradient = leaf.grad ? [...(await leaf.grad.data())] : [];
  leaf.grad = null;
  assert.ok(gradient.every(Number.isFinite), `gradient ${gradient}`);
  return { value: await loss.item(), gradient };
}

const leaf = (values: readonly (readonly number[])[]) => {
  const tensor = engine.tensor(values as number[][]);
  tensor.requiresGrad = true;
  return tensor;
};
const labels = (...values: number[]) => engine.tensor(Int32Array.from(values));

test('distillation of old logits is the global one plus the entropy of the teacher', async () => {
  const soft = rowsOf(teacherData, old).map((row) => rows.softmax(row.map((z) => z / 2)));
  await gradcheck(
    (z) => softTargetLoss(z, teacher),
    (z) => [
      mean(
        rowsOf(z!, classes).map((row, i) => -rows.dot(soft[i]!, rows.logSoftmax(row.slice(0, old).map((v) => v / 2)))),
      ),
    ],
    [logits],
  );
  const entropy = mean(soft.map((p) => -sum(p.map((value) => value * Math.log(value)))));
  const kl = await globalKD(logits, teacher, { taskSizes: [old], temperature: 2 }).item();
  await near(softTargetLoss(logits, teacher), [kl + entropy], 1e-6);
});

test('distilling one class, or one sample, teaches nothing or little, but finitely', async () => {
  const one = leaf([[3, -1]]);
  const { value, gradient } = await learnt(softTargetLoss(one, engine.tensor([[7]])), one);
  assert.equal([value, ...gradient], [-0 + 0, 0, 0]);
});

test('labels are smoothed where the rules have cross entropies, over the classes that are compared', async () => {
  const smoothed = { labelSmoothing: 0.2 };
  const weights = engine.tensor(uniform(classes, 5, 0.5, 2));
  await near(
    adjustedCrossEntropy(logits, targets, weights, smoothed),
    await crossEntropy(logits.div(weights), targets, smoothed).data(),
    1e-6,
  );
  const [fresh, earlier] = [targetList.map((label) => label >= old), targetList.map((label) => label < old)];
  const part = (isIn: readonly boolean[], from: number, to: number) => {
    const own = targetList.flatMap((label, i) => (isIn[i] ? [{ i, label: label - from }] : []));
    const z = rowsOf(uniform(n * classes, 1, -3, 3), classes);
    return crossEntropy(
      engine.tensor(own.map(({ i }) => (z[i] as number[]).slice(from, to))),
      labels(...own.map(({ label }) => label)),
      { ...smoothed, reduction: 'sum' },
    );
  };
  const expected = part(fresh, old, classes)
    .add(part(earlier, 0, old))
    .div(n);
  await near(separatedCrossEntropy(logits, targets, old, smoothed), await expected.data(), 1e-6);
  const dark = {
    logits,
    targets,
    memoryLogits: logits,
    storedLogits: logits,
    otherLogits: logits,
    otherTargets: targets,
  };
  await near(
    darkExperienceLoss(dark, { alpha: 1, beta: 2, ...smoothed }),
    await crossEntropy(logits, targets, smoothed).mul(3).data(),
    1e-6,
  );
});

test('less-forget turns features back to their old directions; POD-flat is the same', async () => {
  const before = uniform(n * 3, 4);
  const f = engine.tensor(uniform(n * 3, 3), [n, 3]);
  await gradcheck(
    (x) => lessForgetLoss(x, engine.tensor(before, [n, 3])),
    (x) => [1 - mean(rowsOf(x!, 3).map((row, i) => rows.cosine(row, rowsOf(before, 3)[i]!)))],
    [f],
  );
  assert.is(podFlatLoss, lessForgetLoss);
  const zero = leaf([
    [0, 0],
    [0, 2],
  ]);
  const { value, gradient } = await learnt(
    lessForgetLoss(
      zero,
      engine.tensor([
        [1, 0],
        [0, 1],
      ]),
    ),
    zero,
  );
  assert.is(value, 0.5);
  assert.equal(gradient, [0, 0, 0, 0]);
});

test('margin ranking keeps old samples away from the nearest new classes', async () => {
  const cosines = engine.tensor(uniform(n * classes, 5), [n, classes]);
  for (const top of [1, 2, 3, 9]) {
    await gradcheck(
      (c) => marginRankingLoss(c, targets, { oldClasses: old, margin: 0.4, top }),
      (c) => {
        const hinges = rowsOf(c!, classes).flatMap((row, i) => {
          if (targetList[i]! >= old) return [];
          const rivals = row
            .slice(old)
            .sort((a, b) => b - a)
            .slice(0, top);
          return rivals.map((rival) => Math.max(0, 0.4 - row[targetList[i]!]! + rival));
        });
        return [mean(hinges)];
      },
      [cosines],
    );
  }
});

test('margin ranking is zero where there is nothing to rank, and ties are taken once', async () => {
  const cosines = leaf([
    [0.5, 0.5, 0.5],
    [0.1, 0.2, 0.3],
  ]);
  for (const [oldClasses, of] of [
    [0, labels(0, 1)],
    [3, labels(0, 1)],
    [1, labels(1, 2)],
    [1, labels(-1, -2)],
  ] as const) {
    const { value, gradient } = await learnt(marginRankingLoss(cosines, of, { oldClasses }), cosines);
    assert.is(value, 0, `${oldClasses} old`);
    assert.ok(gradient.every((g) => g === 0));
  }
  const tied = await learnt(marginRankingLoss(cosines, labels(0, 1), { oldClasses: 1, margin: 0.5 }), cosines);
  assert.is(tied.value, 0.5);
  assert.equal(tied.gradient, [-1, 0.5, 0.5, 0, 0, 0]);
  assert.throws(() => marginRankingLoss(cosines, labels(0, 1), { oldClasses: 4 }), /oldClasses is 4 .* 3 classes/);
});

test('POD-spatial is the distance between pooled profiles, stage by stage', async () => {
  const shapes = [
    [2, 3, 4, 2],
    [2, 2, 1, 3],
  ] as const;
  const sizes = shapes.map((shape) => shape.reduce<number>((a, b) => a * b, 1));
  const before = sizes.map((size, i) => uniform(size, 20 + i));
  const profiles = (values: ArrayLike<number>, [count, h, w, c]: readonly [number, number, number, number]) =>
    Array.from({ length: count }, (_, b) => {
      const at = (y: number, x: number, k: number) => values[((b * h + y) * w + x) * c + k]! ** 2;
      const over = (length: number) => Array.from({ length }, (_, i) => i);
      const byRow = over(h).flatMap((y) => over(c).map((k) => sum(over(w).map((x) => at(y, x, k)))));
      const byColumn = over(w).flatMap((x) => over(c).map((k) => sum(over(h).map((y) => at(y, x, k)))));
      const all = [...byRow, ...byColumn];
      return all.map((value) => value / Math.hypot(...all));
    });
  await gradcheck(
    (a, b) =>
      podSpatialLoss(
        [a!, b!],
        before.map((values, i) => engine.tensor(values, shapes[i]!)),
      ),
    (...maps) => [
      mean(
        maps.map((values, i) => {
          const then = profiles(before[i]!, shapes[i]!);
          return mean(profiles(values, shapes[i]!).map((row, b) => Math.hypot(...row.map((v, k) => v - then[b]![k]!))));
        }),
      ),
    ],
    sizes.map((size, i) => engine.tensor(uniform(size, 30 + i), shapes[i]!)),
  );
});

test('POD-spatial of unchanged or empty maps is zero with a gradient of zeros', async () => {
  for (const values of [uniform(12, 8), new Float32Array(12)]) {
    const map = engine.tensor(values, [1, 2, 2, 3]);
    map.requiresGrad = true;
    const { value, gradient } = await learnt(podSpatialLoss([map], [engine.tensor(values, [1, 2, 2, 3])]), map);
    assert.ok(value < 1e-15);
    assert.ok(gradient.every((g) => g === 0));
  }
  assert.throws(() => podSpatialLoss([], []), /at least one; was given 0 and 0/);
  assert.throws(
    () => podSpatialLoss([engine.zeros([1, 2, 2, 3])], [engine.zeros([1, 2, 2, 4])]),
    /stage f32\[n, h, w, c\], old f32\[n, h, w, c\]; was given f32\[1, 2, 2, 3\], f32\[1, 2, 2, 4\]/,
  );
});

test('the proxy loss compares the right class, less the margin, with all others', async () => {
  const scores = engine.tensor(uniform(n * classes, 6), [n, classes]);
  await gradcheck(
    (s, scale) => proxyNCALoss(s!, targets, { scale: scale!, margin: 0.3 }),
    (s, scale) => [
      mean(
        rowsOf(s!, classes).map((row, i) => {
          const y = targetList[i]!;
          const others = row.filter((_, c) => c !== y).map((value) => scale![0]! * value);
          return Math.max(0, rows.logSumExp(others) - scale![0]! * (row[y]! - 0.3));
        }),
      ),
    ],
    [scores, engine.tensor([2.5])],
  );
});

test('the proxy loss of one class, or of what is told apart, is zero', async () => {
  for (const [scores, of] of [
    [leaf([[0.9]]), labels(0)],
    [leaf([[1, -1, -1]]), labels(0)],
  ] as const) {
    const { value, gradient } = await learnt(proxyNCALoss(scores, of, { scale: 3, margin: 0.1 }), scores);
    assert.is(value, 0);
    assert.ok(gradient.every((g) => g === 0));
  }
});

test('the separated softmax compares new classes among themselves, and old ones', async () => {
  await gradcheck(
    (z) => separatedCrossEntropy(z, targets, old),
    (z) => [
      sum(
        rowsOf(z!, classes).map((row, i) => {
          const y = targetList[i]!;
          return y < old ? -rows.logSoftmax(row.slice(0, old))[y]! : -rows.logSoftmax(row.slice(old))[y - old]!;
        }),
      ) / n,
    ],
    [logits],
  );
  for (const without of [0, classes]) {
    await near(separatedCrossEntropy(logits, targets, without), await crossEntropy(logits, targets).data(), 1e-7);
  }
  const alone = leaf([[1, 2, 3]]);
  const { value, gradient } = await learnt(separatedCrossEntropy(alone, labels(2), 2), alone);
  assert.equal([value, ...gradient], [0, 0, 0, 0]);
  assert.throws(() => separatedCrossEntropy(logits, targets, 8), /oldClasses is 8; the logits have 7 classes/);
});

test('task-wise distillation adds up the tasks, with T²', async () => {
  const taskSizes = [1, 3];
  const slices = (row: readonly number[]) => [row.slice(0, 1), row.slice(1, old)].map((s) => s.map((v) => v / 3));
  await gradcheck(
    (z) => taskDistillationLoss(z, teacher, { taskSizes, temperature: 3 }),
    (z) => [
      9 *
        mean(
          rowsOf(z!, classes).map((row, i) =>
            sum(slices(row).map((own, t) => rows.divergence(slices(rowsOf(teacherData, old)[i]!)[t]!, own))),
          ),
        ),
    ],
    [logits],
  );
  assert.is(await taskDistillationLoss(logits, logits, { taskSizes: [] }).item(), 0);
});

test('dark experience replays logits and labels', async () => {
  const [memory, other] = [7, 8].map((seed) => engine.tensor(uniform(n * classes, seed, -2, 2), [n, classes]));
  const stored = uniform(n * classes, 9, -2, 2);
  await gradcheck(
    (z, m, o) =>
      darkExperienceLoss(
        {
          ...{ logits: z!, targets, memoryLogits: m!, storedLogits: engine.tensor(stored, [n, classes]) },
          ...{ otherLogits: o!, otherTargets: targets },
        },
        { alpha: 0.3, beta: 0.5 },
      ),
    (z, m, o) => [
      rows.crossEntropy(rowsOf(z!, classes), targetList) +
        0.3 * mean([...m!].map((value, i) => (value - stored[i]!) ** 2)) +
        0.5 * rows.crossEntropy(rowsOf(o!, classes), targetList),
    ],
    [logits, memory!, other!],
  );
});

test('logits stored by a smaller classifier are compared as far as they go', async () => {
  const now = leaf([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  const stored = engine.tensor([
    [0, 9],
    [2, 2],
  ]);
  assert.is(await logitReplayLoss(now, stored).item(), (1 + 49 + 4 + 9) / 4);
  const { value, gradient } = await learnt(logitReplayLoss(now, stored, labels(1, 2)), now);
  await near(engine.tensor([value]), [(1 + 4 + 9) / 3], 1e-6);
  await near(engine.tensor(gradient), [2 / 3, 0, 0, 4 / 3, 2, 0], 1e-6);
  assert.is((await learnt(logitReplayLoss(now, stored, labels(0, 0)), now)).value, 0);
});

test('auxiliary targets put all old classes into one', async () => {
  assert.equal([...(await auxiliaryTargets(labels(0, 3, 4, 6, -1), 4).data())], [0, 0, 1, 3, -1]);
  assert.equal([...(await auxiliaryTargets(labels(0, 2), 0).data())], [1, 3]);
  assert.throws(() => auxiliaryTargets(engine.tensor([0, 1]), 1), /targets i32\[n\]; was given f32\[2\]/);
});

test('balanced losses are FOSTER’s', async () => {
  const w = classBalancedWeights([50, 40, 3, 9, 20, 20, 1], 0.9);
  const perClass = engine.tensor(w);
  await gradcheck(
    (z) => adjustedCrossEntropy(z, targets, perClass),
    (z) => [
      rows.crossEntropy(
        rowsOf(z!, classes).map((row) => row.map((value, c) => value / w[c]!)),
        targetList,
      ),
    ],
    [logits],
  );
  const own = w.slice(0, old);
  await gradcheck(
    (z) => balancedDistillationLoss(z, teacher, engine.tensor(own)),
    (z) => [
      mean(
        rowsOf(z!, classes).map((row, i) => {
          const weighted = rows.softmax(rowsOf(teacherData, old)[i]!.map((t) => t / 2)).map((p, c) => p * own[c]!);
          const student = rows.logSoftmax(row.slice(0, old).map((value) => value / 2));
          return -rows.dot(
            weighted.map((p) => p / sum(weighted)),
            student,
          );
        }),
      ),
    ],
    [logits],
  );
  assert.throws(() => adjustedCrossEntropy(logits, targets, engine.tensor(own)), /weights f32\[classes\].*f32\[4\]/);
});

test('what does not fit is refused with its shapes', () => {
  const wrong: [() => unknown, RegExp][] = [
    [() => softTargetLoss(teacher, logits), /the teacher \[5, 7\] has more classes than the student \[5, 4\]/],
    [() => softTargetLoss(logits, teacher, { temperature: 0 }), /softTargetLoss: the temperature is 0/],
    [() => softCrossEntropy(logits, teacher), /logits f32\[n, classes\], .*was given f32\[5, 7\], f32\[5, 4\]/],
    [() => lessForgetLoss(logits, teacher), /lessForgetLoss: takes features f32\[n, size\].*f32\[5, 4\]/],
    [() => proxyNCALoss(logits, labels(1)), /targets i32\[n\]; was given f32\[5, 7\], i32\[1\]/],
    [() => logitReplayLoss(logits, teacher, labels(1)), /known i32\[n\]; was given f32\[5, 4\], i32\[1\]/],
    [() => decoupledKD(logits, teacher, targets), /teacher f32\[n, classes\]/],
    [
      () => marginRankingLoss(logits, logits, { oldClasses: 1 }),
      /targets i32\[n\]; was given f32\[5, 7\], f32\[5, 7\]/,
    ],
  ];
  for (const [call, pattern] of wrong) assert.throws(call, pattern);
});

test.run();
