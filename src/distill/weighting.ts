/**
 * How heavily the old tasks are distilled: λ_t for the whole loss, w_S for the groups.
 *
 * The paper's abstract speaks of an adaptive weighting by the numbers of old and new classes and by their similarity;
 * its formula could not be read. What follows is our reading, each form by a name, with K old and n new classes:
 *
 * - `fixed`: λ = strength, uniform groups.
 * - `count`: λ = strength · √(K/n) (LUCIR, Hou et al. 2019), uniform groups.
 * - `ratio`: λ = strength · K/(K + n) (WA, Zhao et al. 2020), uniform groups.
 * - `adaptive`: with σ_o the similarity of old class o to the new classes (the largest, or the mean, of the cosines
 *   between its prototype and theirs, nothing below zero), λ = strength · √(K/n) · mean σ, and w_S in proportion to the
 *   mean of σ over the group's classes: what resembles the new classes is what they overwrite. Equal σ give uniform groups.
 * - `adaptive-classes`: the same λ; within every group's softmax a class counts in proportion to its σ, for teacher and student:
 *   p_c ∝ σ_c · e^(z_c/T), as priors enter a softmax (Ren et al. 2020). Groups are uniform.
 * - `adaptive-samples`: the same λ; a sample's loss counts in proportion to the σ of its class, that of a new class being its
 *   similarity to the old ones. Groups are uniform.
 */

import { noGrad } from '../autograd/tape.ts';
import { ArgumentError, ShapeError } from '../errors.ts';
import { matmul } from '../ops/matmul/matmul.ts';
import { concat } from '../ops/strided.ts';
import { tensorFrom } from '../tensor/create.ts';
import '../ops/methods.ts';
import { show } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type GroupSizes, meanInverseSize, sizeWeights } from './group-sizes.ts';
import type { TaskWeights } from './group-weights.ts';
import type { TaskPool } from './task-pool.ts';

/** How λ changes with K old and n new classes. `fixed`: not. `count`: by √(K/n) (Hou et al. 2019). `ratio`: by K/(K + n) (Zhao et al. 2020). */
export type CountStrategy = 'fixed' | 'count' | 'ratio';

/**
 * By counts, or `adaptive`: as `count`, times the old classes' similarity to the new ones, which weighs the groups too;
 * `adaptive-classes` weighs classes within the groups instead, `adaptive-samples` the samples. The paper of dense distillation
 * (arXiv 2405.09820) names such a weighting; the formulas are our readings.
 */
export type WeightingStrategy = CountStrategy | 'adaptive' | 'adaptive-classes' | 'adaptive-samples';
type SimilarityStrategy = Exclude<WeightingStrategy, CountStrategy>;

const COUNTED: readonly CountStrategy[] = ['fixed', 'count', 'ratio'];
const SIMILAR: readonly SimilarityStrategy[] = ['adaptive', 'adaptive-classes', 'adaptive-samples'];
export const WEIGHTING_STRATEGIES: readonly WeightingStrategy[] = [...COUNTED, ...SIMILAR];

/** Whether a strategy compares classes, for which there must be images of the old ones. */
export const isBySimilarity = (strategy: string): strategy is SimilarityStrategy =>
  (SIMILAR as readonly string[]).includes(strategy);

/** A chosen weighting. */
export interface Weighting {
  /** λ_t: a number, or a scalar tensor when it comes from similarities on the GPU. */
  readonly lambda: number | Tensor;
  /** w_S, when not uniform, already times λ_t. */
  readonly groups?: TaskWeights;
  /** What each old class counts within a group's softmax, f32 [old classes], 1 on average; alike where it is left out. */
  readonly classes?: Tensor;
  /** What a sample counts by its class, f32 [old and new classes], 1 on average; alike where it is left out. */
  readonly samples?: Tensor;
}

/** What a weighting depends on. */
export interface WeightingOptions {
  /** Classes of the current task, n. */
  newClasses: number;
  /** Factor of λ_t; 1 by default. */
  strength?: number;
  /** For the adaptive ones: cosines between the prototypes, f32 [new classes, old classes]; see `classSimilarity`. */
  similarity?: Tensor;
  /** For the adaptive ones: how an old class's similarity to several new ones is summed up; `max` by default. */
  similarityOf?: 'max' | 'mean';
  /** For `adaptive`: what the similarities are multiplied by, by the groups' number of tasks; `uniform` by default. */
  sizes?: GroupSizes;
}

const where = 'weighting';
/** Similarity that every class has at least, so that classes unlike all new ones still weigh something. */
const LEAST_SIMILARITY = 1e-3;

/**
 * λ_t without similarities.
 * @throws {ArgumentError} when the strength or a count is out of range, or the strategy is unknown.
 */
export function countWeight(strategy: CountStrategy, oldClasses: number, newClasses: number, strength = 1): number {
  if (!(strength >= 0 && strength < Number.POSITIVE_INFINITY)) {
    throw new ArgumentError({ where, message: `the strength is ${strength}; a number of at least 0 was expected.` });
  }
  if (strategy === 'fixed') return strength;
  if (!(oldClasses >= 0 && newClasses > 0)) {
    throw new ArgumentError({
      where,
      message: `'${strategy}' weighs ${oldClasses} old against ${newClasses} new classes; at least one new class is needed.`,
      fix: "Pass newClasses, or use 'fixed'.",
    });
  }
  if (strategy === 'count') return strength * Math.sqrt(oldClasses / newClasses);
  if (strategy === 'ratio') return (strength * oldClasses) / (oldClasses + newClasses);
  throw new ArgumentError({
    where,
    message: `unknown weighting: '${strategy}'.`,
    fix: `Choose one of ${WEIGHTING_STRATEGIES.join(', ')}.`,
  });
}

/** @throws {ShapeError} unless they are of the pool's classes. */
function checkedSimilarity(strategy: SimilarityStrategy, { classes }: TaskPool, similarity?: Tensor): Tensor {
  if (similarity?.rank === 2 && similarity.shape[1] === classes) return similarity;
  throw new ShapeError({
    where,
    message: `'${strategy}' needs similarities [new classes, ${classes} old classes], not ${similarity ? show(similarity.shape) : 'none'}.`,
    fix: 'Make them with classSimilarity() from prototypes of all classes.',
  });
}

/** w_S·λ in proportion to the mean of σ over a group's classes. */
function groupWeights(pool: TaskPool, ofClass: Tensor, lambda: Tensor, sizes?: GroupSizes): TaskWeights {
  const { engine } = ofClass;
  const member = pool.taskSizes.map((size, task) => {
    const start = pool.starts[task] as number;
    return Array.from({ length: pool.classes }, (_, c) => (c >= start && c < start + size ? 1 : 0));
  });
  const perSize = sizeWeights(where, pool, sizes);
  const column = (values: readonly number[]) =>
    tensorFrom(
      engine,
      values.map((x) => [x]),
    );
  const ofTask = matmul(tensorFrom(engine, member), ofClass.reshape([pool.classes, 1])); // Σ σ, [tasks, 1]
  const mean = ofTask.mul(column(meanInverseSize(pool, perSize))).sum(); // of the groups' mean σ
  const above = ofTask.mul(lambda).div(perSize ? mean : mean.mul(pool.size));
  const perTask = concat([above, column(pool.taskSizes)], 1);
  return perSize ? { perTask, perSize } : { perTask };
}

function bySimilarity(strategy: SimilarityStrategy, pool: TaskPool, options: WeightingOptions): Weighting {
  const { newClasses, strength = 1, similarityOf = 'max', sizes } = options;
  const similarity = checkedSimilarity(strategy, pool, options.similarity);
  const { engine } = similarity;
  const count = countWeight('count', pool.classes, newClasses, strength);
  return noGrad(engine, () =>
    engine.scope(() => {
      const positive = similarity.relu();
      const along = (axis: number) =>
        (similarityOf === 'max' ? positive.max(axis) : positive.mean(axis)).add(LEAST_SIMILARITY);
      const ofClass = along(0);
      const lambda = ofClass.mean().mul(count);
      if (strategy === 'adaptive-classes') return { lambda, classes: ofClass.div(ofClass.mean()) };
      if (strategy === 'adaptive') return { lambda, groups: groupWeights(pool, ofClass, lambda, sizes) };
      const ofAll = concat([ofClass, along(1)]);
      return { lambda, samples: ofAll.div(ofAll.mean()) };
    }),
  );
}

/**
 * The weighting of one task. `fixed`, `count` and `ratio` are numbers; the adaptive ones stay on the GPU, their tensors belong
 * to the caller's scope. An empty pool weighs nothing and takes any strategy.
 * @throws {ArgumentError} when the strategy is unknown, or the strength or a count is out of range.
 * @throws {ShapeError} when the similarities do not fit the pool.
 */
export function weighting(strategy: WeightingStrategy, pool: TaskPool, options: WeightingOptions): Weighting {
  if (!isBySimilarity(strategy)) {
    return { lambda: countWeight(strategy, pool.classes, options.newClasses, options.strength) };
  }
  return pool.isEmpty ? { lambda: 0 } : bySimilarity(strategy, pool, options);
}
