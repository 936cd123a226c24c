/**
 * Similarity of two representations from batches of images, whatever the batches' size: linear CKA of unbiased estimates of HSIC
 * (Nguyen, Raghu and Kornblith 2020, Do Wide and Deep Networks Learn the Same Things?, equations 2 and 3; the estimator is that
 * of Song et al. 2012). The usual estimate is too large where features are many and images few.
 */
import { noGrad } from '../autograd/tape.ts';
import { ArgumentError, ShapeError } from '../errors.ts';
import { matmul } from '../ops/matmul/matmul.ts';
import '../ops/methods.ts';
import { concat } from '../ops/strided.ts';
import { tensorFrom } from '../tensor/create.ts';
import { show } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Fewer images have no unbiased estimate. */
const LEAST = 4;

/**
 * The inner products of a batch's features, as {@link minibatchCKA} takes them: XXᵀ of centred columns, zeros on the diagonal.
 * @param features f32 [n, …]: features or maps of n images, n at least 4.
 * @returns f32 [1, n, n], without a gradient.
 * @throws {ShapeError} for fewer images.
 */
export function innerProducts(features: Tensor): Tensor {
  const { engine, shape, size } = features;
  const n = shape[0] ?? 0;
  if (n < LEAST) {
    throw new ShapeError({
      where: 'innerProducts',
      message: `features of ${n} images ${show(shape)}; at least ${LEAST} were expected in a batch.`,
    });
  }
  return noGrad(engine, () =>
    engine.scope(() => {
      const flat = features.reshape([n, size / n]);
      // The estimate does not see a shift of the features, but float32 does: their means may be much longer than what varies.
      const centred = flat.sub(flat.mean(0, { keepDims: true }));
      const off = Float32Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 0 : 1));
      return matmul(centred, centred, { transposeB: true })
        .mul(tensorFrom(engine, off, [n, n]))
        .reshape([1, n, n]);
    }),
  );
}

/** Unbiased HSIC of each batch, [batches], of inner products [batches, n, n] without a diagonal (Song et al. 2012, equation 5). */
function unbiasedHSIC(k: Tensor, l: Tensor): Tensor {
  const n = k.shape[1] as number;
  const rows = (x: Tensor) => x.sum(2);
  const [inK, inL] = [rows(k), rows(l)];
  const traces = k.mul(l).sum([1, 2]);
  const totals = inK
    .sum(1)
    .mul(inL.sum(1))
    .div((n - 1) * (n - 2));
  const shared = inK
    .mul(inL)
    .sum(1)
    .mul(2 / (n - 2));
  return traces
    .add(totals)
    .sub(shared)
    .div(n * (n - 3));
}

/**
 * Σ HSIC₁(Xᵢ, Yᵢ) / √(Σ HSIC₁(Xᵢ, Xᵢ) · Σ HSIC₁(Yᵢ, Yᵢ)) over the batches i: 1 for what differs by a rotation and a factor, about 0
 * for what has nothing in common, where it may be a little below.
 * @param x inner products of each batch, [1, n, n] as {@link innerProducts} gives them; n is the same for all batches.
 * @param y those of other features of the same images.
 * @returns the similarity; 0 where one of the two is the same for all images.
 * @throws {ArgumentError} unless there are as many batches of both.
 * @throws {ShapeError} when a batch has another size.
 */
export async function minibatchCKA(x: readonly Tensor[], y: readonly Tensor[]): Promise<number> {
  const where = 'minibatchCKA';
  const [first] = x;
  if (!first || x.length !== y.length) {
    throw new ArgumentError({ where, message: `${x.length} and ${y.length} batches; as many of both were expected.` });
  }
  const odd = [...x, ...y].find(({ shape }) => show(shape) !== show(first.shape));
  if (odd) {
    throw new ShapeError({ where, message: `a batch is ${show(odd.shape)}, the first one ${show(first.shape)}.` });
  }
  const { engine } = first;
  const sums = noGrad(engine, () =>
    engine.scope(() => {
      const [k, l] = [concat(x, 0), concat(y, 0)];
      const pairs = [
        [k, l],
        [k, k],
        [l, l],
      ] as const;
      return concat(
        pairs.map(([a, b]) => unbiasedHSIC(a, b).mean(0, { keepDims: true })),
        0,
      );
    }),
  );
  const [shared, own, other] = (await sums.data()) as unknown as [number, number, number];
  sums.dispose();
  return own > 0 && other > 0 ? shared / Math.sqrt(own * other) : 0;
}
