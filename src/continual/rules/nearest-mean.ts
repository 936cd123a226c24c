/** Prediction by the nearest mean of exemplars (Rebuffi et al. 2017, algorithm 1). */
import { noGrad } from '../../autograd/tape.ts';
import { where } from '../../ops/elementwise/elementwise.ts';
import { expectShapes } from '../../ops/expect-shapes.ts';
import { matmul } from '../../ops/matmul/matmul.ts';
import '../../ops/methods.ts';
import { normalize } from '../../ops/vector-norm.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/**
 * For each image the class whose mean is nearest, in Euclidean distance between vectors of length 1; the first one among equals.
 * @param features f32 [n, size].
 * @param means f32 [classes, size]: of each class's normalised exemplar features, as `Prototypes` adds them up; they are
 * normalised again here.
 * @returns i32 [n].
 * @throws {ShapeError} when the two do not fit each other.
 * @throws {DTypeError} unless both are f32.
 */
export function nearestMean(features: Tensor, means: Tensor): Tensor {
  expectShapes('nearestMean', {
    features: [features, 'f32', ['n', 'size']],
    means: [means, 'f32', ['classes', 'size']],
  });
  return noGrad(features.engine, () =>
    features.engine.scope(() => {
      const unit = normalize(means);
      // ‖f − m‖² = ‖f‖² − 2(f·m − ‖m‖²/2); the last counts where a class has no mean, and is zeros.
      const closeness = matmul(normalize(features), unit, { transposeB: true });
      return closeness.sub(unit.square().sum(1).mul(0.5)).argmax(1);
    }),
  );
}

/**
 * −‖f − m‖² between vectors of length 1, f32 [n, classes]: what a predictor by the nearest mean scores with. A class without
 * exemplars, whose mean is zeros, is farther than any other.
 * @param features f32 [n, size].
 * @param means f32 [classes, size], as of {@link nearestMean}.
 * @throws {ShapeError} when the two do not fit each other.
 * @throws {DTypeError} unless both are f32.
 */
export function meanScores(features: Tensor, means: Tensor): Tensor {
  expectShapes('meanScores', {
    features: [features, 'f32', ['n', 'size']],
    means: [means, 'f32', ['classes', 'size']],
  });
  const unit = normalize(means);
  const scores = matmul(normalize(features), unit, { transposeB: true }).sub(1).mul(2);
  return where(unit.square().sum(1).less(0.5), NOWHERE, scores);
}

/** Below −4, which is as far as two vectors of length 1 can be apart, and far enough for a probability of 0. */
const NOWHERE = -1000;
