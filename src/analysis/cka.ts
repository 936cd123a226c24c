/** Similarity of two representations of the same images, whatever their axes: linear centred kernel alignment. */
import { where } from '../ops/elementwise/elementwise.ts';
import { expectShapes } from '../ops/expect-shapes.ts';
import { matmul } from '../ops/matmul/matmul.ts';
import '../ops/methods.ts';
import { vectorNorm } from '../ops/vector-norm.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Share of the squares that rounding may leave of features that are the same for all images. */
const CONSTANT = 1e-12;

/**
 * ‖YᵀX‖²_F / (‖XᵀX‖_F · ‖YᵀY‖_F) of features with centred columns (Kornblith et al. 2019, section 3): 1 for what differs by a
 * rotation and a factor, 0 for what has nothing in common, or where one of the two is the same for all images.
 * @param x f32 [n, p]: features of n images.
 * @param y f32 [n, q]: other features of the same images, in the same order.
 * @returns a scalar.
 * @throws {ShapeError} unless both are matrices with as many rows.
 * @throws {DTypeError} unless both are f32.
 */
export function linearCKA(x: Tensor, y: Tensor): Tensor {
  const { n = 0, p = 0, q = 0 } = expectShapes('linearCKA', { x: [x, 'f32', ['n', 'p']], y: [y, 'f32', ['n', 'q']] });
  const [a, b] = [x, y].map((features) => features.sub(features.mean(0))) as [Tensor, Tensor];
  const product = (left: Tensor, right: Tensor) => matmul(left, right, { transposeA: true });
  const gram = (features: Tensor) => matmul(features, features, { transposeB: true });
  // ‖YᵀX‖² is also the inner product of the Gram matrices XXᵀ and YYᵀ: the smaller of the two ways.
  const byImages = n < Math.max(p, q);
  const [xx, yy] = byImages ? [gram(a), gram(b)] : [product(a, a), product(b, b)];
  const shared = byImages ? xx.mul(yy).sum() : product(b, a).square().sum();
  const lengths = vectorNorm(xx.flatten(0)).mul(vectorNorm(yy.flatten(0)));
  const varies = isVarying(x, a).mul(isVarying(y, b));
  return where(varies, shared.div(where(varies, lengths, 1)), 0);
}

/** Whether centred features are more than what rounding leaves of a constant. */
const isVarying = (features: Tensor, centred: Tensor): Tensor =>
  centred.square().sum().greater(features.square().sum().mul(CONSTANT));
