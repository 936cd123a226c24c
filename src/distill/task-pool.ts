/**
 * The pool of task groups to distil. After k tasks a model is capable of each of them and of every combination; a group
 * is such a combination, written as a bit mask over the old tasks, and its classes are the union of their logits.
 *
 * The paper ("Densely Distilling Cumulative Knowledge for Continual Learning", arXiv 2405.09820) names a pool of tasks;
 * which groups it holds is our reading, hence the kinds. `bench/results/ablation.md` has the comparison behind the default.
 */

import { ArgumentError } from '../errors.ts';
import type { Runtime } from '../gpu/runtime.ts';
import { tensorFrom } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { bit, enumerate, MOST_LISTED, setsBySize, setsUpTo, tasksIn } from './pool-groups.ts';

/**
 * `dense`: every non-empty set of old tasks, 2^k − 1 groups. `pairs`: single tasks and pairs, k(k + 1)/2. `runs`: contiguous runs, as
 * many. `prefixes`: single tasks and growing prefixes, 2k − 1. `tasks`: single tasks (task-wise KD), k. `whole`: all old tasks at once
 * (the usual KD), 1.
 */
export type PoolKind = 'dense' | 'pairs' | 'runs' | 'prefixes' | 'tasks' | 'whole';
export const POOL_KINDS: readonly PoolKind[] = ['dense', 'pairs', 'runs', 'prefixes', 'tasks', 'whole'];

/** Tasks in a mask of two words. */
export const MOST_TASKS = 64;
/** Tasks up to which the dense pool is distilled exactly: 1 048 575 groups. */
export const MOST_DENSE_TASKS = 20;

/** A group as bits: bit i for old task i. Beyond 53 tasks a number is too short, and a bigint is taken. */
export type Mask = number | bigint;

const where = 'TaskPool';

function checkSizes(taskSizes: readonly number[]): void {
  const bad = taskSizes.find((size) => !Number.isInteger(size) || size < 1);
  if (bad !== undefined || taskSizes.length > MOST_TASKS) {
    throw new ArgumentError({
      where,
      message:
        bad === undefined
          ? `${taskSizes.length} old tasks do not fit a mask of ${MOST_TASKS} bits.`
          : `task sizes [${taskSizes.join(', ')}] hold ${bad}; each old task needs a whole number of classes, at least 1.`,
      fix: bad === undefined ? 'Join neighbouring tasks.' : 'Leave out tasks without classes.',
    });
  }
}

/** @throws {ArgumentError} */
function checkBound(kind: PoolKind, upTo: number | undefined, k: number): void {
  if (upTo === undefined) return;
  if (!Number.isInteger(upTo) || upTo < 1) {
    throw new ArgumentError({
      where,
      message: `upTo is ${upTo}; a whole number of at least 1 was expected, the tasks of the largest groups.`,
      fix: 'upTo: 2 is for single tasks and pairs. Leave it out for groups of any size.',
    });
  }
  if (kind === 'whole' && upTo < k) {
    throw new ArgumentError({
      where,
      message: `the one group of the pool 'whole' has all ${k} old tasks; with upTo ${upTo} no group is left.`,
      fix: 'Leave out upTo, or use another pool.',
    });
  }
  const size = setsBySize(k, upTo).reduce((sum, count) => sum + count, 0);
  if (kind === 'dense' && upTo < k && size > MOST_LISTED) {
    throw new ArgumentError({
      where,
      message: `${k} old tasks have ${size} groups of at most ${upTo}; up to ${MOST_LISTED} are listed.`,
      fix: 'Use a smaller upTo, or draw groups of the dense pool (RDKD) by sizes: those beyond a list weigh nothing.',
    });
  }
}

/** A bound on the groups of {@link TaskPool.of}. */
export interface TaskPoolOptions {
  /** Tasks of the largest groups: those of more are left out. As many as there are by default. */
  upTo?: number | undefined;
}

/**
 * The groups of old tasks to distil. A group is a combination of tasks, and its classes are the union of their logits.
 * @example
 * const pool = TaskPool.of('dense', [10, 10, 10]); // 7 groups
 * pool.tasksOf(4); // [0, 2]
 */
export class TaskPool {
  /** First class of every old task, then the number of old classes. Tasks lie one after the other in the logits. */
  readonly starts: readonly number[];
  private readonly uploads = new WeakMap<Runtime, Tensor>();
  private counts: readonly number[] | null = null;

  private constructor(
    readonly kind: PoolKind | 'masks',
    readonly taskSizes: readonly number[],
    /** Low and high word of every mask; `null` for the dense pool, whose masks are 1, 2, … 2^k − 1. */
    private readonly words: Uint32Array<ArrayBuffer> | null,
    /** Where the groups are all sets of at most so many tasks. */
    readonly upTo: number | null,
  ) {
    const starts = [0];
    for (const size of taskSizes) starts.push((starts.at(-1) as number) + size);
    this.starts = starts;
  }

  /**
   * A pool of one kind over the old tasks; no old task gives an empty pool, whose loss is zero.
   * @param taskSizes classes of each old task, in the order of the logits.
   * @throws {ArgumentError} when the kind is unknown, there are more than 64 tasks, a task has no classes, `upTo` is no whole number of
   * at least 1 or leaves no group, or more than 1 048 575 groups would have to be listed.
   */
  static of(kind: PoolKind, taskSizes: readonly number[], options: TaskPoolOptions = {}): TaskPool {
    if (!POOL_KINDS.includes(kind)) {
      throw new ArgumentError({
        where,
        message: `unknown pool: '${kind}'.`,
        fix: `Choose one of ${POOL_KINDS.join(', ')}.`,
      });
    }
    checkSizes(taskSizes);
    const k = taskSizes.length;
    const bound = options.upTo ?? k;
    checkBound(kind, options.upTo, k);
    if (kind === 'dense' && bound >= k) return new TaskPool(kind, [...taskSizes], null, k);
    if (kind === 'dense' || kind === 'pairs') {
      const upTo = Math.min(bound, kind === 'pairs' ? 2 : k);
      return new TaskPool(kind, [...taskSizes], toWords(setsUpTo(upTo, k)), upTo);
    }
    const masks = enumerate(kind, k).filter((mask) => tasksIn(mask) <= bound);
    return new TaskPool(kind, [...taskSizes], toWords(masks), null);
  }

  /**
   * A pool of the groups you list. Bit i of a mask: the classes of task i belong to the group.
   * @throws {ArgumentError} when a mask has no task or a bit beyond the tasks, there are more than 64 tasks, or a task has no
   * classes.
   */
  static fromMasks(masks: readonly Mask[], taskSizes: readonly number[]): TaskPool {
    checkSizes(taskSizes);
    const k = taskSizes.length;
    const checked = masks.map((mask, i) => {
      const whole = typeof mask === 'bigint' || (Number.isSafeInteger(mask) && mask >= 0);
      const value = whole ? BigInt(mask) : -1n;
      if (value <= 0n || value >> BigInt(k) !== 0n) {
        throw new ArgumentError({
          where,
          message: `mask ${i} is ${mask}: ${value === 0n ? 'it has no task' : `a whole number with bits 0 to ${k - 1} was expected, for ${k} old tasks`}.`,
          fix: 'Set bit i for every old task i of the group.',
        });
      }
      return value;
    });
    return new TaskPool('masks', [...taskSizes], toWords(checked), null);
  }

  /** {@link starts} as kernels take them: room for 64 tasks and the end of the last, in vectors of four. */
  get paddedStarts(): number[] {
    return Array.from({ length: MOST_TASKS + 4 }, (_, i) => this.starts[i] ?? 0);
  }

  /** Number of old tasks, k. */
  get tasks(): number {
    return this.taskSizes.length;
  }

  /** Classes of all old tasks. */
  get classes(): number {
    return this.starts.at(-1) as number;
  }

  /** Number of groups; approximate for more than 53 dense tasks. */
  get size(): number {
    return this.words ? this.words.length / 2 : 2 ** this.tasks - 1;
  }

  /** Groups of one task, of two, … of all k: one number a size. Approximate beyond 2^53. */
  get groupsBySize(): readonly number[] {
    this.counts ??= this.upTo === null ? this.counted() : setsBySize(this.tasks, this.upTo);
    return this.counts;
  }

  /** First task of all: there is nothing to distil, and the loss is zero. */
  get isEmpty(): boolean {
    return this.size === 0;
  }

  /** Whether the masks are enumerated by the kernels instead of stored. */
  get isLazy(): boolean {
    return this.words === null;
  }

  /** Whether another pool has the same groups of the same tasks, in whatever order. */
  hasGroupsOf(other: TaskPool): boolean {
    if (other === this) return true;
    if (String(other.taskSizes) !== String(this.taskSizes) || other.size !== this.size) return false;
    // Of one kind, a smaller bound leaves fewer.
    if (other.kind === this.kind && this.kind !== 'masks') return true;
    const sorted = (pool: TaskPool) => Array.from({ length: pool.size }, (_, g) => pool.mask(g)).sort();
    const own = sorted(this);
    return sorted(other).every((mask, g) => mask === own[g]);
  }

  /** Mask of group `index`. */
  mask(index: number): bigint {
    if (!this.words) return BigInt(index) + 1n;
    return (BigInt(this.words[index * 2 + 1] as number) << 32n) | BigInt(this.words[index * 2] as number);
  }

  /** Tasks of group `index`, ascending. */
  tasksOf(index: number): number[] {
    const mask = this.mask(index);
    return this.taskSizes.flatMap((_, task) => (mask & bit(task) ? [task] : []));
  }

  /** The masks on the GPU, u32 [groups, 2], made once per engine; a stand-in of one mask for the dense pool. */
  masksOn(engine: Runtime): Tensor {
    let tensor = this.uploads.get(engine);
    if (!tensor || tensor.isFreed) {
      const words = this.words && this.words.length > 0 ? this.words : new Uint32Array(2);
      tensor = engine.keep(tensorFrom(engine, words, [words.length / 2, 2]));
      this.uploads.set(engine, tensor);
    }
    return tensor;
  }

  /** Frees the masks on this engine; they are uploaded again when they are needed. */
  disposeOn(engine: Runtime): void {
    this.uploads.get(engine)?.dispose();
  }

  private counted(): readonly number[] {
    const counts = new Array<number>(this.tasks).fill(0);
    for (let g = 0; g < this.size; g++) (counts[tasksIn(this.mask(g)) - 1] as number)++;
    return counts;
  }
}

function toWords(masks: readonly bigint[]): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(masks.length * 2);
  masks.forEach((mask, i) => {
    words[i * 2] = Number(mask & 0xffffffffn);
    words[i * 2 + 1] = Number(mask >> 32n);
  });
  return words;
}
