/**
 * Gradient checkpointing (Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost"): what a part of the network
 * computes in the forward pass is freed, and computed again when the backward pass needs it.
 */
import { Tensor } from '../tensor/tensor.ts';
import { backward, enableGrad, noGrad, record } from './tape.ts';

/**
 * `fn(x)`, of which only the output is kept. The gradients are those of `fn(x)`, for one more forward pass.
 * @param fn runs twice: its side effects happen twice, and it must draw no random numbers without a named source.
 * @param parameters The leaves in `fn` that require a gradient; theirs are added to their `grad` as usual.
 */
export function recomputed(fn: (x: Tensor) => Tensor, x: Tensor, parameters: readonly Tensor[]): Tensor {
  const { engine } = x;
  if (!engine.gradEnabled) return fn(x);
  const output = noGrad(engine, () => engine.scope(() => fn(x)));
  return record(output, 'recomputed', [x, ...parameters], (dy) => {
    let gradient: Tensor | null = null;
    const again = () => {
      const leaf = Tensor.view(x, x.shape, 'recomputed');
      leaf.requiresGrad = x.requiresGrad;
      backward(fn(leaf), dy);
      // It outlives this scope: gradients of leaves belong to none.
      gradient = leaf.grad;
    };
    enableGrad(engine, () => engine.scope(again));
    return [gradient, ...parameters.map(() => null)];
  });
}
