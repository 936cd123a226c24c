/** Pooled outputs distillation: what PODNet keeps of the old model's maps and features (Douillard et al. 2020). */
import { ArgumentError } from '../../errors.ts';
import { expectShapes } from '../../ops/expect-shapes.ts';
import '../../ops/methods.ts';
import { concat } from '../../ops/strided.ts';
import { normalize, vectorNorm } from '../../ops/vector-norm.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** Squares pooled over the width and over the height, joined and normalised: [n, (h + w)·c]. */
function profile(map: Tensor): Tensor {
  const squares = map.square();
  return normalize(concat([squares.sum(2).flatten(), squares.sum(1).flatten()], 1));
}

/**
 * POD-spatial: of each stage's map the squares, summed over the width and over the height, joined and L2-normalised; the mean over
 * the batch of the Euclidean distance to the old model's, and the mean over the stages (Douillard et al. 2020, eq. 5; squares
 * and normalisation as in the authors' code).
 * @param stages f32 [n, h, w, c], one map a stage: `ResNetBackbone.outputs`.
 * @param oldStages the old model's, of the same shapes; take no gradient.
 * @throws {ArgumentError} when there is no stage, or not as many of both.
 * @throws {ShapeError} when a pair differs in shape.
 * @throws {DTypeError} unless all are f32.
 */
export function podSpatialLoss(stages: readonly Tensor[], oldStages: readonly Tensor[]): Tensor {
  const where = 'podSpatialLoss';
  if (stages.length === 0 || stages.length !== oldStages.length) {
    throw new ArgumentError({
      where,
      message: `takes as many stages of both models, at least one; was given ${stages.length} and ${oldStages.length}.`,
    });
  }
  const distances = stages.map((stage, i) => {
    const old = oldStages[i] as Tensor;
    const axes = ['n', 'h', 'w', 'c'];
    expectShapes(where, { stage: [stage, 'f32', axes], old: [old, 'f32', axes] });
    return vectorNorm(profile(stage).sub(profile(old.detach()))).mean();
  });
  return distances.reduce((sum, distance) => sum.add(distance)).div(stages.length);
}

/** POD-flat: mean_b (1 − cos(f, f′)) of the pooled features (Douillard et al. 2020, eq. 6): LUCIR's less-forget constraint. */
export { lessForgetLoss as podFlatLoss } from './less-forget.ts';
