/**
 * Weights of groups by their number of tasks. Of the 2^k − 1 groups of a dense pool nearly all hold about k/2 tasks, and
 * their softmax is nearly the one over all classes: a uniform mean hardly feels single tasks and pairs. Weights by size
 * cost the exact kernels nothing, as a group's size is the number of bits in its mask.
 */
import { ArgumentError, ShapeError } from '../errors.ts';
import { MOST_TASKS, type TaskPool } from './task-pool.ts';

/**
 * How a group S weighs by its number of tasks |S|. `uniform`: every group the same. `balanced`: every size the same, so that a group
 * of the dense pool of k tasks weighs 1/(k · C(k, |S|)). A list: w(1), w(2), … w(k), one number of at least 0 a size; a group's share
 * is w(|S|) over the sum of it over all groups.
 * Our reading: the paper of dense distillation (arXiv 2405.09820) gives no weights that could be read.
 */
export type GroupSizes = 'uniform' | 'balanced' | readonly number[];
export const GROUP_SIZES = ['uniform', 'balanced'] as const;

const isSame = (sizes: GroupSizes | undefined): boolean => sizes === undefined || sizes === 'uniform';

/** Whether two say the same. */
export const sameSizes = (a: GroupSizes | undefined, b: GroupSizes | undefined): boolean =>
  (isSame(a) && isSame(b)) || String(a) === String(b);

/** @throws {ArgumentError} for a number that is none, or below 0. */
function checkList(where: string, sizes: readonly number[], tasks: number): void {
  if (sizes.length !== tasks) {
    throw new ShapeError({
      where,
      message: `${sizes.length} weights by size were given for groups of 1 to ${tasks} tasks.`,
      fix: `Give ${tasks}: of groups of one task, of two, … of all ${tasks}.`,
    });
  }
  const bad = sizes.findIndex((weight) => !(weight >= 0 && weight < Number.POSITIVE_INFINITY));
  if (bad >= 0) {
    throw new ArgumentError({
      where,
      message: `the weight of groups of ${bad + 1} tasks is ${sizes[bad]}; a finite number of at least 0 was expected.`,
      fix: 'Use weight 0 to leave a size out.',
    });
  }
}

/**
 * What one group of each size weighs, from one task to all k of the pool.
 * @param normalize divide by the sum over all groups.
 * @returns `null` where all groups weigh the same.
 * @throws {ShapeError} when a list does not have one number a size.
 * @throws {ArgumentError} for a name that is none, for a number out of range, and when no group of the pool weighs anything.
 */
export function sizeWeights(
  where: string,
  pool: TaskPool,
  sizes: GroupSizes | undefined,
  normalize = true,
): readonly number[] | null {
  if (isSame(sizes)) return null;
  const counts = pool.groupsBySize;
  if (sizes === 'balanced') {
    const there = counts.filter((count) => count > 0).length;
    return counts.map((count) => (count > 0 ? 1 / (there * count) : 0));
  }
  if (!Array.isArray(sizes)) {
    throw new ArgumentError({
      where,
      message: `unknown sizes: '${sizes}'.`,
      fix: `Choose ${GROUP_SIZES.join(' or ')}, or list one weight for each size.`,
    });
  }
  const list: readonly number[] = sizes;
  checkList(where, list, pool.tasks);
  const total = counts.reduce((sum, count, i) => sum + (count > 0 ? count * (list[i] as number) : 0), 0);
  if (!(total > 0 && total < Number.POSITIVE_INFINITY)) {
    const there = counts.flatMap((count, i) => (count > 0 ? [i + 1] : []));
    throw new ArgumentError({
      where,
      message: `the weights by size [${list.join(', ')}] of all ${pool.size} groups of the pool '${pool.kind}' add up to ${total}.`,
      fix: `Groups of ${there.join(', ')} tasks are there: give one of these sizes a weight above 0, and none that overflows.`,
    });
  }
  return list.map((weight) => (normalize ? weight / total : weight));
}

/** As the kernels take them: by the number of tasks, from none on, in vectors of four. */
export const paddedSizes = (perSize: readonly number[] | null): number[] =>
  Array.from({ length: MOST_TASKS + 4 }, (_, tasks) => (tasks > 0 ? (perSize?.[tasks - 1] ?? 0) : 0));

/**
 * For each task i, the sum over the groups that hold it of w_S/(classes of the group), with weights that add up to 1: what turns means
 * over groups of class means into sums over tasks. Exact for the dense pool of any size, by counting its sets by their number of
 * classes, and of tasks where these weigh.
 * @param perSize w_S by the number of tasks; uniform without.
 */
export function meanInverseSize(pool: TaskPool, perSize: readonly number[] | null = null): number[] {
  const sizes = pool.taskSizes;
  if (!pool.isLazy) {
    const sums = sizes.map(() => 0);
    for (let g = 0; g < pool.size; g++) {
      const tasks = pool.tasksOf(g);
      const classes = tasks.reduce((sum, task) => sum + (sizes[task] as number), 0);
      const weight = perSize ? (perSize[tasks.length - 1] as number) : 1 / pool.size;
      for (const task of tasks) (sums[task] as number) += weight / classes;
    }
    return sums;
  }
  // Tasks of equally many classes have equal sums.
  const known = new Map<number, number>();
  return sizes.map((own, i) => {
    const sum = known.get(own) ?? ofDenseTask(sizes.toSpliced(i, 1), own, perSize);
    known.set(own, sum);
    return sum;
  });
}

/** @param others classes of the other tasks. */
function ofDenseTask(others: readonly number[], own: number, perSize: readonly number[] | null): number {
  const all = 2 ** (others.length + 1) - 1;
  // chance[t][n]: that a random set of the other tasks has n classes, and t tasks where these weigh.
  let chance: number[][] = [[1]];
  for (const size of others) {
    const next = chance.map((row) => [...row.map((p) => p / 2), ...new Array<number>(size).fill(0)]);
    if (perSize) next.push(new Array<number>((next[0] as number[]).length).fill(0));
    chance.forEach((row, t) => {
      const to = next[perSize ? t + 1 : t] as number[];
      row.forEach((p, n) => {
        (to[n + size] as number) += p / 2;
      });
    });
    chance = next;
  }
  const sets = 2 ** others.length;
  return chance.reduce(
    (sum, row, t) =>
      sum + row.reduce((part, p, n) => part + p / (n + own), 0) * sets * (perSize ? (perSize[t] as number) : 1 / all),
    0,
  );
}
