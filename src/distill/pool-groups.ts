/** Which groups the pools hold, as bit masks over k tasks, and how many there are of a size. */

/** Groups that can be listed at most: as many as the dense pool of 20 tasks has. */
export const MOST_LISTED = 2 ** 20 - 1;

export const bit = (task: number): bigint => 1n << BigInt(task);
const run = (from: number, to: number): bigint => bit(to) - bit(from);
const each = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Sets of `size` among `k` tasks; approximate beyond 2^53. */
export function choose(k: number, size: number): number {
  let sets = 1;
  for (let i = 0; i < Math.min(size, k - size); i++) sets = (sets * (k - i)) / (i + 1);
  return Math.round(sets);
}

/** Sets of one task, of two, … of `upTo` and of all k: one number a size, none beyond `upTo`. */
export const setsBySize = (k: number, upTo: number): number[] => each(k).map((i) => (i < upTo ? choose(k, i + 1) : 0));

export const tasksIn = (mask: bigint): number => {
  let count = 0;
  for (let rest = mask; rest > 0n; rest &= rest - 1n) count++;
  return count;
};

/** Every set of at most `upTo` of the tasks: the single ones, then the pairs, and so on. */
export function setsUpTo(upTo: number, k: number): bigint[] {
  const all: bigint[] = [];
  let latest = [{ mask: 0n, next: 0 }];
  for (let size = 1; size <= Math.min(upTo, k); size++) {
    latest = latest.flatMap(({ mask, next }) =>
      each(k - next).map((i) => ({ mask: mask | bit(next + i), next: next + i + 1 })),
    );
    for (const { mask } of latest) all.push(mask);
  }
  return all;
}

/** The groups of a pool that is neither dense nor pairs. */
export function enumerate(kind: 'runs' | 'prefixes' | 'tasks' | 'whole', k: number): bigint[] {
  if (kind === 'whole') return k > 0 ? [run(0, k)] : [];
  if (kind === 'tasks') return each(k).map(bit);
  if (kind === 'prefixes') return [...each(k).map(bit), ...each(Math.max(0, k - 1)).map((i) => run(0, i + 2))];
  return each(k).flatMap((from) => each(k - from).map((i) => run(from, from + i + 1)));
}
