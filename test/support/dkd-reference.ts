/**
 * Dense Knowledge Distillation by its definition, in float64: for every group and sample, the softmax over the classes
 * of the group's tasks, teacher and student, and the divergence between the two. Slow and plain: the kernels' oracle.
 */

import { Random } from '../../src/tensor/random.ts';

export interface DKDProblem {
  student: ArrayLike<number>;
  teacher: ArrayLike<number>;
  batch: number;
  /** Row lengths of student and teacher. */
  classes: number;
  teacherClasses: number;
  taskSizes: readonly number[];
  masks: readonly bigint[];
  weights: readonly number[];
  temperature: number;
}

export interface DKDAnswer {
  loss: number;
  /** Mean over the batch, one a group. */
  groupLoss: number[];
  /** [batch, groups] */
  each: Float64Array;
  /** [batch, classes] */
  gradient: Float64Array;
}

/** ln softmax over some logits. */
function logSoftmax(logits: readonly number[]): number[] {
  const top = Math.max(...logits);
  const logSum = Math.log(logits.reduce((sum, x) => sum + Math.exp(x - top), 0));
  return logits.map((x) => x - top - logSum);
}

export function referenceDKD(problem: DKDProblem): DKDAnswer {
  const { student, teacher, batch, classes, teacherClasses, taskSizes, masks, weights, temperature } = problem;
  const each = new Float64Array(batch * masks.length);
  const gradient = new Float64Array(batch * classes);
  const groupLoss = masks.map((mask, g) => {
    const members: number[] = [];
    let first = 0;
    taskSizes.forEach((size, task) => {
      if ((mask >> BigInt(task)) & 1n) for (let c = first; c < first + size; c++) members.push(c);
      first += size;
    });
    let total = 0;
    for (let b = 0; b < batch; b++) {
      const logP = logSoftmax(members.map((c) => (teacher[b * teacherClasses + c] as number) / temperature));
      const logQ = logSoftmax(members.map((c) => (student[b * classes + c] as number) / temperature));
      let divergence = 0;
      members.forEach((c, i) => {
        const p = Math.exp(logP[i] as number);
        const q = Math.exp(logQ[i] as number);
        // p (ln p − ln q) − p + q sums to the same and has no negative summand.
        const t = (logP[i] as number) - (logQ[i] as number);
        divergence += Math.abs(t) < 1e-3 ? p * t * t * (1 / 2 - t / 6 + (t * t) / 24) : p * t - p + q;
        (gradient[b * classes + c] as number) += ((weights[g] as number) * (q - p)) / (temperature * batch);
      });
      each[b * masks.length + g] = divergence;
      total += divergence / batch;
    }
    return total;
  });
  const loss = groupLoss.reduce((sum, value, g) => sum + value * (weights[g] as number), 0);
  return { loss, groupLoss, each, gradient };
}

const tasksIn = (mask: bigint): number => [...mask.toString(2)].filter((bit) => bit === '1').length;

/** w_S by the number of tasks, by its definition: shares of 1, one a group. */
export function sharesBySize(masks: readonly bigint[], sizes: 'balanced' | readonly number[]): number[] {
  const sizeOf = masks.map(tasksIn);
  const counts = new Map<number, number>();
  for (const size of sizeOf) counts.set(size, (counts.get(size) ?? 0) + 1);
  const raw = sizeOf.map((size) =>
    sizes === 'balanced' ? 1 / (counts.size * counts.get(size)!) : (sizes[size - 1] as number),
  );
  const total = raw.reduce((sum, weight) => sum + weight, 0);
  return raw.map((weight) => weight / total);
}

/** A distillation problem with what a property test varies. Logits are float32, so that kernel and oracle read the same. */
export interface RandomProblem {
  seed: number;
  taskSizes: readonly number[];
  newClasses: number;
  batch: number;
  /** Standard deviation of the logits. */
  spread: number;
  temperature: number;
  /** Student = teacher + this × spread × noise; none: independent. */
  closeness: number | null;
}

/** Teacher's and student's logits, [batch, classes] each. */
export function randomLogits(problem: RandomProblem): {
  student: Float32Array<ArrayBuffer>;
  teacher: Float32Array<ArrayBuffer>;
} {
  const { seed, taskSizes, newClasses, batch, spread, closeness } = problem;
  const random = new Random(seed);
  const count = batch * (taskSizes.reduce((sum, n) => sum + n, 0) + newClasses);
  const teacher = Float32Array.from({ length: count }, () => random.normal(0, spread));
  const student = teacher.map((z) => (closeness === null ? 0 : z) + random.normal(0, spread * (closeness ?? 1)));
  return { student, teacher };
}
