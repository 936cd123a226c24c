/** What students are trained by, value and gradient against the definitions in float64. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compressionLoss, orderOf } from '../src/continual/compression/losses.ts';
import type { CompressionLoss } from '../src/continual/compression/settings.ts';
import { classGroups } from '../src/distill/class-groups.ts';
import { gradcheck } from '../src/entries/testing.ts';
import { engine, uniform } from './support/engine.ts';
import * as rows from './support/rows.ts';

const [n, classes] = [4, 6];
const given = uniform(n * classes, 3, -3, 3);
const teacherData = uniform(n * classes, 4, -5, 5);
const teacher = engine.tensor(teacherData, [n, classes]);
const right = [0, 5, 2, 3];
const targets = engine.tensor(Int32Array.from(right));
const terms = { temperature: 3, kdWeight: 0.7, alpha: 1.5, beta: 4, labelSmoothing: 0 };
const [T, lambda] = [terms.temperature, terms.kdWeight];
/** Not in order: classes 5 and 0, then 1, 3 and 2, then 4. */
const members = [[5, 0], [1, 3, 2], [4]];
const groups = classGroups(members, classes);

const softened = (row: readonly number[], among: readonly number[]) => among.map((c) => row[c]! / T);
/** Mean over the batch of KL among these classes. */
const among = (student: readonly number[][], of: (image: number) => readonly number[]): number =>
  rows.mean(
    student.map((row, i) =>
      rows.divergence(softened(rows.rowsOf(teacherData, classes)[i]!, of(i)), softened(row, of(i))),
    ),
  );
const all = Array.from({ length: classes }, (_, c) => c);
/** Every non-empty set of groups: its classes. */
const unions = [1, 2, 3, 4, 5, 6, 7].map((mask) => members.flatMap((group, g) => ((mask >> g) & 1 ? group : [])));

function decoupled(student: readonly number[][]): number {
  const split = (row: readonly number[], y: number) => {
    const others = all.filter((c) => c !== y).map((c) => row[c]! / T);
    return { binary: [row[y]! / T, rows.logSumExp(others)], others };
  };
  return rows.mean(
    student.map((row, i) => {
      const [s, t] = [split(row, right[i]!), split(rows.rowsOf(teacherData, classes)[i]!, right[i]!)];
      return 1.5 * rows.divergence(t.binary, s.binary) + 4 * rows.divergence(t.others, s.others);
    }),
  );
}

const definitions: Readonly<Record<CompressionLoss, (student: readonly number[][]) => number>> = {
  scratch: () => 0,
  kd: (student) => among(student, () => all),
  decoupled,
  dense: (student) => rows.mean(unions.map((union) => among(student, () => union))),
};

for (const [loss, distilled] of Object.entries(definitions) as [CompressionLoss, (typeof definitions)['kd']][]) {
  test(`${loss}: cross entropy and λ·T² times the distillation`, async () => {
    const places = orderOf(groups);
    const of = compressionLoss(loss, terms, groups, places && engine.tensor(places));
    await gradcheck(
      (logits) => of({ logits, oldLogits: teacher, targets }),
      (logits) => {
        const student = rows.rowsOf(logits!, classes);
        return [rows.crossEntropy(student, right) + lambda * T * T * distilled(student)];
      },
      [engine.tensor(given, [n, classes])],
    );
  });
}

test('dense of one group is kd, and of groups that lie in order nothing is reordered', async () => {
  const whole = classGroups([all], classes);
  assert.is(orderOf(whole), null);
  const of = compressionLoss('dense', terms, whole, null);
  await gradcheck(
    (logits) => of({ logits, oldLogits: teacher, targets }),
    (logits) => {
      const student = rows.rowsOf(logits!, classes);
      return [rows.crossEntropy(student, right) + lambda * T * T * definitions.kd(student)];
    },
    [engine.tensor(given, [n, classes])],
  );
});

test.run();
