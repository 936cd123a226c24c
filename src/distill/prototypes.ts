/** Prototypes of classes, the means of their normalised features, and how alike they are. */
import { noGrad } from '../autograd/tape.ts';
import { ShapeError } from '../errors.ts';
import type { Runtime } from '../gpu/runtime.ts';
import { oneHot } from '../ops/gather.ts';
import { matmul } from '../ops/matmul/matmul.ts';
import '../ops/methods.ts';
import { slice } from '../ops/strided.ts';
import { normalize } from '../ops/vector-norm.ts';
import { zeros } from '../tensor/create.ts';
import { show } from '../tensor/shape.ts';
import { commonEngine, type Tensor } from '../tensor/tensor.ts';

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
