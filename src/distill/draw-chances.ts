/** What groups, or sizes of groups, are drawn by, as the kernels search it: shares added up in 32 bits. */
import { ArgumentError } from '../errors.ts';
import { checkWeights } from './group-weights.ts';
import { MOST_DENSE_TASKS, type TaskPool } from './task-pool.ts';

/** Shares added up; what lies behind the last one above 0 is never drawn. */
function addedUp(shares: ArrayLike<number>): Uint32Array<ArrayBuffer> {
  let total = 0;
  let last = 0;
  for (let i = 0; i < shares.length; i++) {
    total += shares[i] as number;
    if ((shares[i] as number) > 0) last = i;
  }
  let sum = 0;
  return Uint32Array.from({ length: shares.length }, (_, i) => {
    sum += shares[i] as number;
    return i >= last ? 0xffffffff : Math.min(0xffffffff, Math.round((sum / total) * 0xffffffff));
  });
}

/** By size: the sizes of the dense pool, or the groups of a list. */
export function chancesBySize(pool: TaskPool, perSize: readonly number[]): Uint32Array<ArrayBuffer> {
  if (pool.isLazy) return addedUp(pool.groupsBySize.map((count, i) => count * (perSize[i] as number)));
  return addedUp(Array.from({ length: pool.size }, (_, g) => perSize[pool.tasksOf(g).length - 1] as number));
}

/**
 * By the weights of the groups, none of which may have to appear twice among so many.
 * @throws {ShapeError} when there is not one weight a group.
 * @throws {ArgumentError} when the groups cannot be listed, or a weight is out of range.
 */
export function chancesByWeight(
  where: string,
  pool: TaskPool,
  weights: ArrayLike<number>,
  groups: number,
): Uint32Array<ArrayBuffer> {
  if (pool.isLazy && pool.tasks > MOST_DENSE_TASKS) {
    throw new ArgumentError({
      where,
      message: `the dense pool of ${pool.tasks} tasks has too many groups to list their weights.`,
      fix: 'Draw uniformly or by sizes, or list the groups with TaskPool.fromMasks.',
    });
  }
  const shares = checkWeights(where, weights, pool.size, true);
  const heaviest = shares.indexOf(shares.reduce((a, b) => Math.max(a, b)));
  if ((shares[heaviest] as number) * groups > 1 + 1e-6) {
    throw new ArgumentError({
      where,
      message: `group ${heaviest} has ${shares[heaviest]} of all weight: among ${groups} groups a draw it would have to appear more than once.`,
      fix: 'Draw fewer groups, or give it less weight.',
    });
  }
  return addedUp(weights);
}
