/** Weights of a pool's groups: uniform, listed, a tensor, or made in the kernel from a number a size, or two a task. */

import { ArgumentError, ShapeError } from '../errors.ts';
import type { Runtime } from '../gpu/runtime.ts';
import { sum } from '../ops/reduce.ts';
import { tensorFrom } from '../tensor/create.ts';
import '../ops/methods.ts';
import { sameShape, show } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { type GroupSizes, sizeWeights } from './group-sizes.ts';
import type { TaskPool } from './task-pool.ts';

/** Two numbers a task, (a_i, b_i), f32 [tasks, 2]: a group weighs Σ a_i / Σ b_i over its tasks, used as it is. */
export interface TaskWeights {
  /** f32 [tasks, 2]. */
  readonly perTask: Tensor;
  /** A group's weight is multiplied by one of these: the first for groups of one task, the last for the group of all. */
  readonly perSize?: readonly number[];
}

/** Weights by the groups' number of tasks. */
export interface SizeWeights {
  /** By name, or one number for each size from 1 to the number of old tasks. */
  readonly sizes: GroupSizes;
}

/** One number a group in the order of the pool; `undefined` for uniform weights. */
export type GroupWeights = readonly number[] | Float32Array | Tensor | TaskWeights | SizeWeights | undefined;

/** How the kernels find a group's weight. */
export type WeightSource = (
  | { readonly source: 'uniform'; readonly value: number }
  | { readonly source: 'group' | 'sample' | 'task'; readonly tensor: Tensor }
) & {
  /** Factor of that by the group's number of tasks, from one on. */
  readonly perSize?: readonly number[];
};

/** Numbers of the `WEIGHTS` constant in the kernels. */
export const WEIGHT_SOURCES = { uniform: 0, group: 1, sample: 2, task: 3 } as const;

/**
 * Checks listed weights and returns them, divided by their sum if `normalize`.
 * @throws {ShapeError} when there is not one weight a group.
 * @throws {ArgumentError} when a weight or their sum is out of range.
 */
export function checkWeights(
  where: string,
  weights: ArrayLike<number>,
  groups: number,
  normalize: boolean,
): Float32Array<ArrayBuffer> {
  if (weights.length !== groups) {
    throw new ShapeError({
      where,
      message: `${weights.length} weights were given for ${groups} groups.`,
      fix: 'Give one weight a group, in the order of the pool.',
    });
  }
  let total = 0;
  for (let i = 0; i < groups; i++) {
    const weight = weights[i] as number;
    if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY)) {
      throw new ArgumentError({
        where,
        message: `weight ${i} is ${weight}; a finite number of at least 0 was expected.`,
        fix: 'Use weight 0 to leave a group out.',
      });
    }
    total += weight;
  }
  if (!(total > 0 && total < Number.POSITIVE_INFINITY)) {
    throw new ArgumentError({
      where,
      message: `the ${groups} weights add up to ${total}.`,
      fix: 'At least one must be above 0, and their sum finite.',
    });
  }
  const scale = normalize ? 1 / total : 1;
  return Float32Array.from({ length: groups }, (_, i) => (weights[i] as number) * scale);
}

/**
 * Brings weights to where a kernel reads them. Tensors are trusted: their values are not read back.
 * @throws {ShapeError} when there is not one weight a group or a size, or two a task.
 * @throws {ArgumentError} when a listed weight or their sum is out of range.
 */
export function resolveWeights(
  where: string,
  engine: Runtime,
  pool: TaskPool,
  weights: GroupWeights,
  normalize: boolean,
): WeightSource {
  if (weights === undefined) return { source: 'uniform', value: normalize ? 1 / pool.size : 1 };
  if (weights instanceof Tensor) {
    weights.assertLive(where);
    if (weights.dtype !== 'f32' || !sameShape(weights.shape, [pool.size])) {
      throw new ShapeError({
        where,
        message: `the weights are ${weights.dtype}${show(weights.shape)}; f32[${pool.size}] was expected, one a group.`,
      });
    }
    return { source: 'group', tensor: normalize ? weights.detach().div(sum(weights.detach())) : weights };
  }
  if ('perTask' in weights) {
    const { perTask } = weights;
    perTask.assertLive(where);
    if (perTask.dtype !== 'f32' || !sameShape(perTask.shape, [pool.tasks, 2])) {
      throw new ShapeError({
        where,
        message: `the task weights are ${perTask.dtype}${show(perTask.shape)}; f32[${pool.tasks}, 2] was expected.`,
      });
    }
    const { perSize } = weights;
    if (perSize && perSize.length !== pool.tasks) {
      throw new ShapeError({
        where,
        message: `the task weights have ${perSize.length} factors by size; ${pool.tasks} were expected, for groups of 1 to ${pool.tasks} tasks.`,
      });
    }
    return { source: 'task', tensor: perTask, ...(perSize ? { perSize } : {}) };
  }
  if ('sizes' in weights) {
    const perSize = sizeWeights(where, pool, weights.sizes, normalize);
    return perSize
      ? { source: 'uniform', value: 1, perSize }
      : { source: 'uniform', value: normalize ? 1 / pool.size : 1 };
  }
  return { source: 'group', tensor: tensorFrom(engine, checkWeights(where, weights, pool.size, normalize)) };
}
