/**
 * Gradient checkpointing (Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost"): what a part of the network
 * makes on its way forward is thrown away, and made again when the backward pass comes to it.
 */
import { Tensor } from '../tensor/tensor.ts';
import { backward, enableGrad, noGrad, record } from './tape.ts';

/**
 * `fn(x)`, of which only the output is kept. The gradients are those of `fn(x)`, for one more forward pass.
 * @param fn runs twice: what it changes beside its output changes twice, and it must draw no unnamed random numbers.
 * @param parameters what else in `fn` wants a gradient; their gradients are deposited as usual.
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
      // It outlives the scope: deposited gradients belong to nobody's.
      gradient = leaf.grad;
    };
    enableGrad(engine, () => engine.scope(again));
    return [gradient, ...parameters.map(() => null)];
  });
}
