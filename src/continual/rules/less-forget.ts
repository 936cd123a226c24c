/** LUCIR's constraints on features and on the cosines of a cosine classifier (Hou et al. 2019). */
import { zeroLoss } from '../../distill/group-kd.ts';
import { ArgumentError } from '../../errors.ts';
import { where } from '../../ops/elementwise/elementwise.ts';
import { expectShapes } from '../../ops/expect-shapes.ts';
import { gather, oneHot } from '../../ops/gather.ts';
import '../../ops/methods.ts';
import { concat } from '../../ops/strided.ts';
import { normalize } from '../../ops/vector-norm.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/**
 * The less-forget constraint: mean_b (1 − cos(f, f′)), which keeps the direction of the features (Hou et al. 2019, eq. 6). It is
 * weighed by 5·√(K/n) there: `countWeight('count', K, n, 5)`. PODNet's POD-flat is the same term.
 * @param features f32 [n, size].
 * @param oldFeatures the old model's, f32 [n, size]; takes no gradient.
 * @throws {ShapeError} when the two differ in shape.
 * @throws {DTypeError} unless both are f32.
 */
export function lessForgetLoss(features: Tensor, oldFeatures: Tensor): Tensor {
  const { n = 1 } = expectShapes('lessForgetLoss', {
    features: [features, 'f32', ['n', 'size']],
    oldFeatures: [oldFeatures, 'f32', ['n', 'size']],
  });
  const cosines = normalize(features).mul(normalize(oldFeatures.detach()));
  return cosines
    .sum()
    .mul(-1 / n)
    .add(1);
}

/** Which classes {@link marginRankingLoss} keeps apart, and how far. */
export interface MarginRankingOptions {
  /** Classes known before the task, K: the first columns. */
  oldClasses: number;
  /** m; 0.5 by default. */
  margin?: number;
  /** New classes that each old sample is kept away from: those with the largest cosines; 2 by default, or all if fewer are new. */
  top?: number;
}

/** Below every cosine. */
const OUT = -1e30;

/** The largest `count` of each row, [n, count]; equal ones once each. */
function largest(x: Tensor, count: number): Tensor {
  const found: Tensor[] = [];
  let left = x.detach();
  for (let i = 0; i < count; i++) {
    const at = left.argmax(1);
    found.push(gather(x, at.reshape([at.size, 1]), 1));
    if (i + 1 < count) left = where(oneHot(at, x.shape[1] as number).greater(0), OUT, left);
  }
  return concat(found, 1);
}

/**
 * Margin ranking: mean over the batch's samples of old classes, and over their `top` new classes k, of max(0, m − cos_y + cos_k)
 * (Hou et al. 2019, eq. 8, which adds up over k; the authors' code takes the mean, as this does). Zero without such samples,
 * without old classes or without new ones.
 * @param cosines f32 [n, classes], before the classifier's scale; old classes first.
 * @param targets i32 [n].
 * @throws {ShapeError} unless cosines are [n, classes] and targets [n].
 * @throws {DTypeError} unless they are f32 and i32.
 * @throws {ArgumentError} when `oldClasses` or `top` is out of range.
 */
export function marginRankingLoss(cosines: Tensor, targets: Tensor, options: MarginRankingOptions): Tensor {
  const name = 'marginRankingLoss';
  const { oldClasses, margin = 0.5, top = 2 } = options;
  const { n = 0, classes = 0 } = expectShapes(name, {
    cosines: [cosines, 'f32', ['n', 'classes']],
    targets: [targets, 'i32', ['n']],
  });
  if (!(Number.isInteger(oldClasses) && oldClasses >= 0 && oldClasses <= classes && Number.isInteger(top) && top > 0)) {
    throw new ArgumentError({
      where: name,
      message: `oldClasses is ${oldClasses} and top ${top}, with ${classes} classes; whole numbers from 0 to ${classes} and above 0 were expected.`,
    });
  }
  if (oldClasses === 0 || oldClasses === classes) return zeroLoss(name, cosines, []);
  const right = gather(cosines, targets.reshape([n, 1]), 1);
  const rivals = largest(cosines.slice([null, [oldClasses, classes]]), Math.min(top, classes - oldClasses));
  // A target below 0 is none, and a position from the end to gather().
  const isOld = targets.greaterEqual(0).mul(targets.less(oldClasses)).cast('f32').reshape([n, 1]);
  const count = isOld
    .sum()
    .clamp(1)
    .mul(rivals.shape[1] as number);
  return rivals.sub(right).add(margin).relu().mul(isOld).sum().div(count);
}
