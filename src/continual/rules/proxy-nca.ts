/** The loss of PODNet's proxy classifier: neighbourhood component analysis with a margin and a hinge. */
import { where } from '../../ops/elementwise/elementwise.ts';
import { expectShapes } from '../../ops/expect-shapes.ts';
import { gather, oneHot } from '../../ops/gather.ts';
import { logSumExp } from '../../ops/log-sum-exp.ts';
import '../../ops/methods.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** Scale and margin of {@link proxyNCALoss}. */
export interface ProxyNCAOptions {
  /** η, a number or the classifier's learnt scale [1]; 1 by default. */
  scale?: Tensor | number;
  /** δ, taken from the score of the right class; 0.6 by default. */
  margin?: number;
  /**
   * Takes the margin's share, η·δ, out of the gradient of η; false by default, as published. With it the loss falls by a smaller
   * scale as long as nothing is told apart, down to negative scales at which it is zero, and a short training ends there.
   */
  detachMargin?: boolean;
}

/** Score of a class that does not count. */
const OUT = -1e30;

/**
 * mean_b max(0, log Σ_{c≠y} exp(η·s_c) − η·(s_y − δ)) (Douillard et al. 2020, eq. 4). With a single class there is nothing to
 * tell apart, and the loss is zero.
 * @param scores f32 [n, classes], before the scale: `ProxyClassifier.scores`.
 * @param targets i32 [n].
 * @throws {ShapeError} unless scores are [n, classes] and targets [n].
 * @throws {DTypeError} unless they are f32 and i32.
 */
export function proxyNCALoss(scores: Tensor, targets: Tensor, options: ProxyNCAOptions = {}): Tensor {
  const { scale = 1, margin = 0.6, detachMargin = false } = options;
  const { n = 0, classes = 0 } = expectShapes('proxyNCALoss', {
    scores: [scores, 'f32', ['n', 'classes']],
    targets: [targets, 'i32', ['n']],
  });
  const scaled = scores.mul(scale);
  const held = detachMargin && typeof scale !== 'number' ? scale.detach() : scale;
  const own = gather(scores, targets.reshape([n, 1]), 1);
  const right = held === scale ? own.sub(margin).mul(scale) : own.mul(scale).sub((held as Tensor).mul(margin));
  const others = logSumExp(where(oneHot(targets, classes).greater(0), OUT, scaled), 1, { keepDims: true });
  return others.sub(right).relu().mean();
}
