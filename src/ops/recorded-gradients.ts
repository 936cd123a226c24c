/** Gradients that have gradients: the backward pass in recorded operations. */
import { enableGrad, type TapeNode, tapeOf } from '../autograd/tape.ts';
import { AutogradError } from '../errors.ts';
import { ones, zeros } from '../tensor/create.ts';
import { show } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import './methods.ts';

/** The first operation behind a tensor whose gradient has none itself; `null` where all have. */
export function withoutSecondDerivative(root: Tensor): string | null {
  const stop = tapeOf(root).find(({ node }) => node && !(node as TapeNode).recordedBackward);
  return stop?.node?.name ?? null;
}

/**
 * Gradients of a scalar by some leaves as results of operations, so that they can be differentiated again (PyTorch's
 * `autograd.grad` with `create_graph`). Nothing is added to `grad`. Works for sums, products, elementwise operations with
 * `recorded` gradients, choices by `where`, reshaping, slices, joins, softmax, cross entropy, convolutions, pooling and batch norm in
 * inference, in f32.
 * @returns one a leaf; zeros for one that the scalar does not depend on.
 * @throws {AutogradError} when `root` is not a scalar or depends on no leaf, or an operation behind it has no second derivative.
 * @example const [g] = recordedGradients(loss, [w]); g.mul(v).sum().backward(); // w.grad is the Hessian times v
 */
export function recordedGradients(root: Tensor, leaves: readonly Tensor[]): Tensor[] {
  const where = 'recordedGradients';
  const { engine } = root;
  if (root.size !== 1 || !root.requiresGrad) {
    throw new AutogradError({
      where,
      message: `takes a scalar that depends on a leaf that requires a gradient; was given ${show(root.shape)}.`,
    });
  }
  const missing = withoutSecondDerivative(root);
  if (missing) {
    throw new AutogradError({
      where,
      message: `the gradient of ${missing} has no gradient itself.`,
      fix: 'Take differences of gradients instead.',
    });
  }
  return enableGrad(engine, () => {
    const gradients = new Map<Tensor, Tensor>([[root, ones(engine, root.shape)]]);
    for (const tensor of tapeOf(root)) {
      const gradient = gradients.get(tensor);
      const node = tensor.node as TapeNode | null;
      if (!gradient || !node?.recordedBackward) continue;
      const results = node.recordedBackward(gradient);
      node.inputs.forEach((input, i) => {
        const result = results[i];
        if (!result || !input.requiresGrad) return;
        const present = gradients.get(input);
        gradients.set(input, present ? present.add(result) : result);
      });
    }
    return leaves.map((leaf) => gradients.get(leaf) ?? zeros(engine, leaf.shape));
  });
}
