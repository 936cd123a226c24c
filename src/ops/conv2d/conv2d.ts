/** Convolution of images [n, h, w, c] with weights [kernel height, kernel width, in, out], and its three gradients. */
import { record } from '../../autograd/tape.ts';
import { ShapeError } from '../../errors.ts';
import { commonFloat } from '../../tensor/dtype.ts';
import { show } from '../../tensor/shape.ts';
import { commonEngine, type Tensor } from '../../tensor/tensor.ts';
import { convert } from '../elementwise/elementwise-kernel.ts';
import { linear } from '../matmul/linear.ts';
import { weightsFor } from '../mixed-precision.ts';
import { sum } from '../reduce.ts';
import { reshape } from '../reshape.ts';
import { geometryOf, type Window } from './geometry.ts';
import { inputGradient, output, recordedInputGradient, recordedWeightGradient, weightGradient } from './products.ts';

/** What {@link conv2d} may differ in. */
export interface Conv2dOptions extends Window {
  /** [out]; none by default. */
  bias?: Tensor;
}

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
  const y = output(g, x, read.weight, read.bias);
  const backward = (dy: Tensor, present?: readonly (Tensor | null)[]) => [
    x.requiresGrad ? inputGradient(g, dy, read.weight, { present: present?.[0] }) : null,
    weight.requiresGrad ? convert(weightGradient(g, x, dy), weight.dtype) : null,
    bias?.requiresGrad ? convert(sum(dy, [0, 1, 2]), bias.dtype) : null,
  ];
  const recorded = (dy: Tensor) => [
    x.requiresGrad ? recordedInputGradient(g, dy, weight) : null,
    weight.requiresGrad ? recordedWeightGradient(g, x, dy) : null,
    bias?.requiresGrad ? sum(dy, [0, 1, 2]) : null,
  ];
  const isPlain = inputs.every(({ dtype }) => dtype === 'f32');
  record(y, 'conv2d', inputs, backward, isPlain ? recorded : undefined, g);
  if (!y.node) read.release();
  return y;
}
