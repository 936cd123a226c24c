/**
 * The three products of a convolution: outputs of images and weights, images' gradients of outputs' and weights, weights'
 * gradients of images and outputs'. Each is linear in both and has the others as its gradients.
 */
import { record } from '../../autograd/tape.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { sum } from '../reduce.ts';
import { chooseVariant } from '../variants/kernel-variants.ts';
import type { Geometry } from './geometry.ts';
import { sumTaps } from './taps/family.ts';
import { forwardPass, inputGradientPasses } from './taps/pass.ts';
import { launchWeights, weightFamily } from './weights/family.ts';

/** The output of a convolution of images `x`. */
export function output(g: Geometry, x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const { engine } = x;
  const y = Tensor.empty(engine, [g.batch, g.outHeight, g.outWidth, g.outChannels], g.stored, 'conv2d');
  sumTaps(engine, [forwardPass(g)], {
    source: x.storage,
    weight: weight.storage,
    bias: bias?.storage,
    result: y.storage,
  });
  return y;
}

/** What a gradient is put on. */
interface On {
  /** Added to, and the result, if there is any: in a residual network what came through the shortcut. */
  readonly present?: Tensor | null | undefined;
  /** f32 [in channels]. */
  readonly bias?: Tensor | undefined;
}

/** The gradient of the images. */
export function inputGradient(g: Geometry, dy: Tensor, weight: Tensor, { present, bias }: On = {}): Tensor {
  const { engine } = dy;
  const dx = present ?? Tensor.empty(engine, [g.batch, g.height, g.width, g.inChannels], g.stored, 'conv2d');
  sumTaps(engine, inputGradientPasses(g), {
    source: dy.storage,
    weight: weight.storage,
    bias: bias?.storage,
    result: dx.storage,
    accumulate: Boolean(present),
  });
  return dx;
}

/** The gradient of the weights, f32. */
export function weightGradient(g: Geometry, x: Tensor, dy: Tensor): Tensor {
  const { engine } = x;
  const variant = chooseVariant(engine, weightFamily, g);
  const split = variant.split(engine, g);
  const shape = [g.kernelY, g.kernelX, g.inChannels / g.groups, g.outChannels];
  const parts = Tensor.empty(engine, [split.splits, ...shape], 'f32', 'conv2d');
  launchWeights(engine, variant, g, split, { x: x.storage, dy: dy.storage, parts: parts.storage });
  const dweight = split.splits === 1 ? Tensor.view(parts, shape, 'conv2d') : sum(parts, 0);
  parts.dispose();
  return dweight;
}

/** The output as an operation: what gradients of gradients need. */
export const recordedOutput = (g: Geometry, x: Tensor, weight: Tensor): Tensor =>
  record(output(g, x, weight), 'conv2d’s output', [x, weight], (d) => [
    x.requiresGrad ? inputGradient(g, d, weight) : null,
    weight.requiresGrad ? weightGradient(g, x, d) : null,
  ]);

/** The same of the images' gradient. */
export const recordedInputGradient = (g: Geometry, dy: Tensor, weight: Tensor): Tensor =>
  record(inputGradient(g, dy, weight), 'conv2d’s input gradient', [dy, weight], (d) => [
    dy.requiresGrad ? output(g, d, weight) : null,
    weight.requiresGrad ? weightGradient(g, d, dy) : null,
  ]);

/** The same of the weights' gradient. */
export const recordedWeightGradient = (g: Geometry, x: Tensor, dy: Tensor): Tensor =>
  record(weightGradient(g, x, dy), 'conv2d’s weight gradient', [x, dy], (d) => [
    x.requiresGrad ? inputGradient(g, dy, d) : null,
    dy.requiresGrad ? output(g, x, d) : null,
  ]);
