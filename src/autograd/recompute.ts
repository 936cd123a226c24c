/**
 * Gradient checkpointing (Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost"): what a part of the network
 * computes in the forward pass is freed, and computed again when the backward pass needs it.
 */
import { drawAgain, drawRemembered } from '../tensor/draws.ts';
import { newestId, Tensor } from '../tensor/tensor.ts';
import { backward, enableGrad, madeSince, noGrad, record } from './tape.ts';

/**
 * `fn(x)`, of which only the output is kept. The gradients are those of `fn(x)`, for one more forward pass.
 * @param fn runs twice: its side effects happen twice, but the second run draws the random numbers of the first.
 * @param parameters The leaves in `fn` that require a gradient; theirs are added to their `grad` as usual.
 * @throws {AutogradError} in the backward pass, when the second run draws more random numbers than the first.
 */
export function recomputed(fn: (x: Tensor) => Tensor, x: Tensor, parameters: readonly Tensor[]): Tensor {
  const { engine } = x;
  if (!engine.gradEnabled) return fn(x);
  const before = newestId();
  const { result, draws } = noGrad(engine, () => engine.scope(() => drawRemembered(engine, () => fn(x))));
  return record(madeSince(before, result, 'recomputed'), 'recomputed', [x, ...parameters], (dy) => {
    let gradient: Tensor | null = null;
    const again = () => {
      const leaf = Tensor.view(x, x.shape, 'recomputed');
      if (x.requiresGrad) leaf.requiresGrad = true;
      const output = drawAgain(engine, draws, () => fn(leaf));
      // What depends on nothing that is trained has no gradient to give.
      if (output.requiresGrad) backward(output, dy);
      // It outlives this scope.
      gradient = leaf.grad?.moveTo(null) ?? null;
    };
    enableGrad(engine, () => engine.scope(again));
    return [gradient, ...parameters.map(() => null)];
  });
}
