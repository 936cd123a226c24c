/** Gradient clipping, without waiting for the GPU. */
import { noGrad } from '../autograd/tape.ts';
import { ArgumentError } from '../gpu/errors.ts';
import { evaluate } from '../ops/evaluate.ts';
import { sum } from '../ops/reduce.ts';
import { concat } from '../ops/strided.ts';
import type { Tensor } from '../tensor/tensor.ts';

/**
 * Scales all gradients together so that their joint L2 norm is at most `most` (Pascanu et al. 2013).
 * @returns the norm before, a scalar tensor on the device.
 * @throws ArgumentError when no parameter has a gradient, or `most` is not above 0.
 */
export function clipGradNorm(parameters: readonly Tensor[], most: number): Tensor {
  const leaves = parameters.filter((p) => p.grad);
  const engine = leaves[0]?.engine;
  if (!engine || !(most > 0)) {
    throw new ArgumentError({
      where: 'clipGradNorm',
      message: engine ? `the largest norm must be above 0, not ${most}.` : 'no parameter has a gradient.',
    });
  }
  return noGrad(engine, () =>
    engine.scope(() => {
      const squares = leaves.map((p) => sum((p.grad as Tensor).square()).reshape([1]));
      const norm = sum(concat(squares)).sqrt();
      replaceGradients(leaves, (g) =>
        evaluate('clip_norm', { a: g, b: norm, c: most }, 'a * min(1.0, c / (b + 1e-6))', g.shape),
      );
      return norm;
    }),
  );
}

/** Limits every element of every gradient to [−most, most]. @throws ArgumentError when `most` is not above 0. */
export function clipGradValue(parameters: readonly Tensor[], most: number): void {
  if (!(most > 0))
    throw new ArgumentError({ where: 'clipGradValue', message: `the limit must be above 0, not ${most}.` });
  replaceGradients(
    parameters.filter((p) => p.grad),
    (g) => evaluate('clip_value', { a: g, b: most }, 'clamp(a, -b, b)', g.shape),
  );
}

function replaceGradients(leaves: readonly Tensor[], change: (gradient: Tensor) => Tensor): void {
  for (const leaf of leaves) {
    const before = leaf.grad as Tensor;
    leaf.grad = change(before).moveTo(null);
    before.dispose();
  }
}
