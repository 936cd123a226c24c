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
 */

import { noGrad } from '../autograd/tape.ts';
import { ArgumentError, ShapeError } from '../errors.ts';
import type { Runtime } from '../gpu/runtime.ts';
import { oneHot } from '../ops/gather.ts';
import { matmul } from '../ops/matmul/matmul.ts';
import { concat, slice } from '../ops/strided.ts';
import { normalize } from '../ops/vector-norm.ts';
import { tensorFrom, zeros } from '../tensor/create.ts';
import '../ops/methods.ts';
import { show } from '../tensor/shape.ts';
import { commonEngine, type Tensor } from '../tensor/tensor.ts';
import { type GroupSizes, meanInverseSize, sizeWeights } from './group-sizes.ts';
import type { TaskWeights } from './group-weights.ts';
import type { TaskPool } from './task-pool.ts';

/**
 * How λ changes with K old and n new classes. `fixed`: not. `count`: by √(K/n) (Hou et al. 2019). `ratio`: by K/(K + n) (Zhao et
 * al. 2020). `adaptive`: as `count`, times the old classes' similarity to the new ones, which weighs the groups too. The paper of
 * dense distillation (arXiv 2405.09820) names such a weighting; the formula is our reading.
 */
export type WeightingStrategy = 'fixed' | 'count' | 'ratio' | 'adaptive';
export const WEIGHTING_STRATEGIES: readonly WeightingStrategy[] = ['fixed', 'count', 'ratio', 'adaptive'];

/** A chosen weighting. */
export interface Weighting {
  /** λ_t: a number, or a scalar tensor when it comes from similarities on the GPU. */
  readonly lambda: number | Tensor;
  /** w_S, when not uniform, already times λ_t. */
  readonly groups?: TaskWeights;
}

/** What a weighting depends on. */
export interface WeightingOptions {
  /** Classes of the current task, n. */
  newClasses: number;
  /** Factor of λ_t; 1 by default. */
  strength?: number;
  /** For `adaptive`: cosines between the prototypes, f32 [new classes, old classes]; see {@link classSimilarity}. */
  similarity?: Tensor;
  /** For `adaptive`: how an old class's similarity to several new ones is summed up; `max` by default. */
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
export function countWeight(
  strategy: Exclude<WeightingStrategy, 'adaptive'>,
  oldClasses: number,
  newClasses: number,
  strength = 1,
): number {
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

function adaptive(pool: TaskPool, options: WeightingOptions): Weighting {
  const { newClasses, strength = 1, similarity, similarityOf = 'max' } = options;
  if (similarity?.rank !== 2 || similarity.shape[1] !== pool.classes) {
    throw new ShapeError({
      where,
      message: `'adaptive' needs similarities [new classes, ${pool.classes} old classes], not ${similarity ? show(similarity.shape) : 'none'}.`,
      fix: 'Make them with classSimilarity() from prototypes of all classes.',
    });
  }
  const { engine } = similarity;
  const count = countWeight('count', pool.classes, newClasses, strength);
  const member = pool.taskSizes.map((size, task) => {
    const start = pool.starts[task] as number;
    return Array.from({ length: pool.classes }, (_, c) => (c >= start && c < start + size ? 1 : 0));
  });
  const perSize = sizeWeights(where, pool, options.sizes);
  const inverse = meanInverseSize(pool, perSize);
  return noGrad(engine, () =>
    engine.scope(() => {
      const positive = similarity.relu();
      const ofClass = (similarityOf === 'max' ? positive.max(0) : positive.mean(0)).add(LEAST_SIMILARITY);
      const ofTask = matmul(tensorFrom(engine, member), ofClass.reshape([pool.classes, 1])); // Σ σ, [tasks, 1]
      const lambda = ofClass.mean().mul(count);
      const mean = ofTask
        .mul(
          tensorFrom(
            engine,
            inverse.map((x) => [x]),
          ),
        )
        .sum(); // of the groups' mean σ
      const above = ofTask.mul(lambda).div(perSize ? mean : mean.mul(pool.size));
      const perTask = concat(
        [
          above,
          tensorFrom(
            engine,
            pool.taskSizes.map((n) => [n]),
          ),
        ],
        1,
      );
      return { lambda, groups: perSize ? { perTask, perSize } : { perTask } };
    }),
  );
}

/**
 * The weighting of one task. `fixed`, `count` and `ratio` are numbers; `adaptive` stays on the GPU, its tensors belong
 * to the caller's scope. An empty pool weighs nothing and takes any strategy.
 * @throws {ArgumentError} when the strategy is unknown, or the strength or a count is out of range.
 * @throws {ShapeError} when the similarities do not fit the pool.
 */
export function weighting(strategy: WeightingStrategy, pool: TaskPool, options: WeightingOptions): Weighting {
  if (strategy !== 'adaptive') {
    return { lambda: countWeight(strategy, pool.classes, options.newClasses, options.strength) };
  }
  return pool.isEmpty ? { lambda: 0 } : adaptive(pool, options);
}

/**
 * Cosines between the prototypes of new and old classes: f32 [new classes, old classes].
 * @param prototypes f32 [classes, features], old classes first.
 * @throws {ShapeError} when there are no old or no new classes.
 */
export function classSimilarity(prototypes: Tensor, oldClasses: number): Tensor {
  const [classes, features] = prototypes.shape as readonly [number, number];
  if (prototypes.rank !== 2 || !(oldClasses > 0 && oldClasses < classes)) {
    throw new ShapeError({
      where: 'classSimilarity',
      message: `prototypes ${show(prototypes.shape)} with ${oldClasses} old classes; [classes, features] with old and new classes was expected.`,
    });
  }
  const { engine } = prototypes;
  return noGrad(engine, () =>
    engine.scope(() => {
      const unit = normalize(prototypes);
      const old = slice(unit, [
        [0, oldClasses],
        [0, features],
      ]);
      const fresh = slice(unit, [
        [oldClasses, classes],
        [0, features],
      ]);
      return matmul(fresh, old, { transposeB: true });
    }),
  );
}

/** Running class means of normalised features. Lives until {@link dispose}. */
export class Prototypes {
  private sums: Tensor;
  private counts: Tensor;

  constructor(
    readonly engine: Runtime,
    readonly classes: number,
    readonly features: number,
  ) {
    this.sums = engine.keep(zeros(engine, [classes, features]));
    this.counts = engine.keep(zeros(engine, [classes, 1]));
  }

  /**
   * Adds a batch.
   * @param features f32 [batch, features].
   * @param labels i32 [batch].
   * @throws {ShapeError} when the two do not fit each other or the prototypes.
   * @throws {EngineMismatchError} when they belong to several engines.
   */
  update(features: Tensor, labels: Tensor): void {
    commonEngine('Prototypes.update', [features, labels]);
    if (features.rank !== 2 || features.shape[1] !== this.features || labels.size !== features.shape[0]) {
      throw new ShapeError({
        where: 'Prototypes.update',
        message: `features ${show(features.shape)} and labels ${show(labels.shape)} do not fit; [batch, ${this.features}] and [batch] were expected.`,
      });
    }
    noGrad(this.engine, () =>
      this.engine.scope(() => {
        const hot = oneHot(labels, this.classes);
        const sums = this.sums.add(matmul(hot, normalize(features), { transposeA: true }));
        const counts = this.counts.add(hot.sum(0).reshape([this.classes, 1]));
        this.dispose();
        this.sums = this.engine.keep(sums);
        this.counts = this.engine.keep(counts);
      }),
    );
  }

  /** The means so far, f32 [classes, features]; zeros for a class not seen yet. */
  means(): Tensor {
    return noGrad(this.engine, () => this.engine.scope(() => this.sums.div(this.counts.maximum(1))));
  }

  /** Frees the sums. */
  dispose(): void {
    this.sums.dispose();
    this.counts.dispose();
  }
}
