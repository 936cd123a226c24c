/** Convolution of images [n, h, w, c] with weights [kernel height, kernel width, in, out], and its three gradients. */
import { record } from '../../autograd/tape.ts';
import { ShapeError } from '../../errors.ts';
import { commonFloat } from '../../tensor/dtype.ts';
import { show } from '../../tensor/shape.ts';
import { commonEngine, Tensor } from '../../tensor/tensor.ts';
import { convert } from '../elementwise/elementwise-kernel.ts';
import { linear } from '../matmul/linear.ts';
import { weightsFor } from '../mixed-precision.ts';
import { sum } from '../reduce.ts';
import { reshape } from '../reshape.ts';
import { chooseVariant } from '../variants/kernel-variants.ts';
import { type Geometry, geometryOf, type Window } from './geometry.ts';
import { sumTaps } from './taps/family.ts';
import { forwardPass, inputGradientPasses } from './taps/pass.ts';
import { launchWeights, weightFamily } from './weights/family.ts';

/** What {@link conv2d} may differ in. */
export interface Conv2dOptions extends Window {
  /** [out]; none by default. */
  bias?: Tensor;
}

function forward(g: Geometry, x: Tensor, weight: Tensor, bias: Tensor | undefined): Tensor {
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

/** Added to `present` if there is any: in a residual network what came through the shortcut. */
function inputGradient(g: Geometry, dy: Tensor, weight: Tensor, present: Tensor | null): Tensor {
  const { engine } = dy;
  const dx = present ?? Tensor.empty(engine, [g.batch, g.height, g.width, g.inChannels], g.stored, 'conv2d');
  sumTaps(engine, inputGradientPasses(g), {
    source: dy.storage,
    weight: weight.storage,
    result: dx.storage,
    accumulate: present !== null,
  });
  return dx;
}

/** f32. */
function weightGradient(g: Geometry, x: Tensor, dy: Tensor): Tensor {
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

/** The input's gradient as an operation, which is linear in both: what gradients of gradients need. */
const recordedInputGradient = (g: Geometry, dy: Tensor, weight: Tensor): Tensor =>
  record(inputGradient(g, dy, weight, null), 'conv2d’s input gradient', [dy, weight], (d) => [
    dy.requiresGrad ? forward(g, d, weight, undefined) : null,
    weight.requiresGrad ? weightGradient(g, d, dy) : null,
  ]);

/** The same of the weight's gradient. */
const recordedWeightGradient = (g: Geometry, x: Tensor, dy: Tensor): Tensor =>
  record(weightGradient(g, x, dy), 'conv2d’s weight gradient', [x, dy], (d) => [
    x.requiresGrad ? inputGradient(g, dy, d, null) : null,
    dy.requiresGrad ? forward(g, x, d, undefined) : null,
  ]);

/**
 * y[n, i, j, o] = Σ x[n, i·stride + a·dilation − padding, j·stride + b·dilation − padding, c]·weight[a, b, c, o] + bias[o]: a
 * cross-correlation with zero padding, as in PyTorch. x is [n, height, width, in], weight [kernel height, kernel width,
 * in / groups, out], y [n, ⌊(height + 2·padding − dilation·(kernel height − 1) − 1)/stride⌋ + 1, …, out]. With groups, c runs
 * over the channels of o's group alone.
 * With x in f16, weight and bias may be f32, and y is f16.
 * @throws {ShapeError} when the shapes do not fit each other, or the kernel is larger than the padded image.
 * @throws {DTypeError} when x is not f32 with all others f32, or f16 with others of f32 or f16.
 * @throws {ArgumentError} when a stride, padding, dilation or number of groups is out of range.
 */
export function conv2d(x: Tensor, weight: Tensor, { bias, ...window }: Conv2dOptions = {}): Tensor {
  const inputs = bias ? [x, weight, bias] : [x, weight];
  commonEngine('conv2d', inputs);
  const g = geometryOf(x.shape, weight.shape, window, commonFloat('conv2d', [x]));
  if (bias && (bias.rank !== 1 || bias.size !== g.outChannels)) {
    throw new ShapeError({
      where: 'conv2d',
      message: `the bias has shape ${show(bias.shape)}; weight ${show(weight.shape)} needs [${g.outChannels}].`,
    });
  }
  if (g.kernelY * g.kernelX * g.strideY * g.strideX * g.groups === 1 && g.padY + g.padX === 0) {
    return linear(x, reshape(weight, [g.inChannels, g.outChannels]), bias); // over the pixels
  }
  const read = weightsFor('conv2d', x, weight, bias);
  const y = forward(g, x, read.weight, read.bias);
  const backward = (dy: Tensor, present?: readonly (Tensor | null)[]) => [
    x.requiresGrad ? inputGradient(g, dy, read.weight, present?.[0] ?? null) : null,
    weight.requiresGrad ? convert(weightGradient(g, x, dy), weight.dtype) : null,
    bias?.requiresGrad ? convert(sum(dy, [0, 1, 2]), bias.dtype) : null,
  ];
  const recorded = (dy: Tensor) => [
    x.requiresGrad ? recordedInputGradient(g, dy, weight) : null,
    weight.requiresGrad ? recordedWeightGradient(g, x, dy) : null,
    bias?.requiresGrad ? sum(dy, [0, 1, 2]) : null,
  ];
  const isPlain = inputs.every(({ dtype }) => dtype === 'f32');
  record(y, 'conv2d', inputs, backward, isPlain ? recorded : undefined);
  if (!y.node) read.release();
  return y;
}
