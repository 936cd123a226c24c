/** Transposed convolution: what a convolution does to gradients, done to images. */
import { record } from '../../autograd/tape.ts';
import { ArgumentError, ShapeError } from '../../errors.ts';
import { commonFloat } from '../../tensor/dtype.ts';
import { show } from '../../tensor/shape.ts';
import { commonEngine, type Tensor } from '../../tensor/tensor.ts';
import { convert } from '../elementwise/elementwise-kernel.ts';
import { weightsFor } from '../mixed-precision.ts';
import { type Pair, pairOf } from '../pair.ts';
import { sum } from '../reduce.ts';
import { checkGroups, type Geometry, type Window } from './geometry.ts';
import { inputGradient, output, recordedOutput, recordedWeightGradient, weightGradient } from './products.ts';

/** What {@link convTranspose2d} may differ in; stride, padding, dilation and groups are those of the convolution that it transposes. */
export interface ConvTranspose2dOptions extends Omit<Window, 'padding'> {
  /** [out]; none by default. */
  bias?: Tensor;
  /** So many fewer rows and columns on both sides of the output; 0 by default, two numbers are [vertical, horizontal]. */
  padding?: Pair;
  /**
   * So many more rows and columns below and to the right: a convolution with a stride has outputs of one size for images of
   * several. 0 by default; less than the stride or the dilation.
   */
  outputPadding?: Pair;
}

const WHERE = 'convTranspose2d';

/** The convolution that is transposed: its images are what comes out here. */
function transposedOf(x: Tensor, weight: Tensor, options: ConvTranspose2dOptions): Geometry {
  const { stride = 1, padding = 0, outputPadding = 0, dilation = 1, groups = 1 } = options;
  const strides = pairOf(WHERE, 'stride', stride, 1);
  const paddings = pairOf(WHERE, 'padding', padding, 0);
  const further = pairOf(WHERE, 'outputPadding', outputPadding, 0);
  const dilations = pairOf(WHERE, 'dilation', dilation, 1);
  const shapes = `x ${show(x.shape)} with weight ${show(weight.shape)}`;
  if (x.rank !== 4 || weight.rank !== 4) {
    throw new ShapeError({
      where: WHERE,
      message: `${shapes}: takes images [n, height, width, in] and weights [kernel height, kernel width, out / groups, in].`,
    });
  }
  const [batch, outHeight, outWidth, channels] = x.shape as [number, number, number, number];
  const [kernelY, kernelX, groupChannels, outChannels] = weight.shape as [number, number, number, number];
  checkGroups(WHERE, groups, channels, groupChannels * groups);
  if (channels !== outChannels) {
    throw new ShapeError({
      where: WHERE,
      message: `${shapes}: the images have ${channels} channels, the weights take ${outChannels}.`,
      fix: "Weights are [height, width, out / groups, in]; PyTorch's [in, out / groups, height, width] must be transposed.",
    });
  }
  if (further.some((one, i) => one >= Math.max(strides[i] as number, dilations[i] as number))) {
    throw new ArgumentError({
      where: WHERE,
      message: `outputPadding is ${show(further)}; less than the stride ${show(strides)} or the dilation ${show(dilations)} was expected.`,
    });
  }
  const [height, width] = [outHeight, outWidth].map((size, i) => {
    const kernel = [kernelY, kernelX][i] as number;
    const spread = (dilations[i] as number) * (kernel - 1);
    return (size - 1) * (strides[i] as number) - 2 * (paddings[i] as number) + spread + (further[i] as number) + 1;
  }) as [number, number];
  if (height < 1 || width < 1) {
    throw new ShapeError({
      where: WHERE,
      message: `${shapes}: the padding ${show(paddings)} leaves nothing of the output.`,
      fix: 'Pad less, or use a larger kernel.',
    });
  }
  return {
    batch,
    height,
    width,
    inChannels: groupChannels * groups,
    kernelY,
    kernelX,
    outChannels,
    groups,
    strideY: strides[0],
    strideX: strides[1],
    dilationY: dilations[0],
    dilationX: dilations[1],
    padY: paddings[0],
    padX: paddings[1],
    outHeight,
    outWidth,
    stored: commonFloat(WHERE, [x]),
  };
}

/**
 * The transpose of {@link conv2d}, as PyTorch's: every pixel of x [n, height, width, in] adds the kernel times its value to y
 * [n, (height − 1)·stride − 2·padding + dilation·(kernel height − 1) + outputPadding + 1, …, out]. The weight is that of the
 * convolution from y to x, [kernel height, kernel width, out / groups, in].
 * With x in f16, weight and bias may be f32, and y is f16.
 * @throws {ShapeError} when the shapes do not fit each other, or nothing is left of the output.
 * @throws {DTypeError} when x is not f32 with all others f32, or f16 with others of f32 or f16.
 * @throws {ArgumentError} when a stride, padding, dilation or number of groups is out of range.
 */
export function convTranspose2d(x: Tensor, weight: Tensor, { bias, ...options }: ConvTranspose2dOptions = {}): Tensor {
  const inputs = bias ? [x, weight, bias] : [x, weight];
  commonEngine(WHERE, inputs);
  const g = transposedOf(x, weight, options);
  if (bias && (bias.rank !== 1 || bias.size !== g.inChannels)) {
    throw new ShapeError({
      where: WHERE,
      message: `the bias has shape ${show(bias.shape)}; weight ${show(weight.shape)} needs [${g.inChannels}].`,
    });
  }
  const read = weightsFor(WHERE, x, weight, bias);
  const y = inputGradient(g, x, read.weight, { bias: read.bias });
  const backward = (dy: Tensor) => [
    x.requiresGrad ? output(g, dy, read.weight) : null,
    weight.requiresGrad ? convert(weightGradient(g, dy, x), weight.dtype) : null,
    bias?.requiresGrad ? convert(sum(dy, [0, 1, 2]), bias.dtype) : null,
  ];
  const recorded = (dy: Tensor) => [
    x.requiresGrad ? recordedOutput(g, dy, weight) : null,
    weight.requiresGrad ? recordedWeightGradient(g, dy, x) : null,
    bias?.requiresGrad ? sum(dy, [0, 1, 2]) : null,
  ];
  const isPlain = inputs.every(({ dtype }) => dtype === 'f32');
  record(y, WHERE, inputs, backward, isPlain ? recorded : undefined, g);
  if (!y.node) read.release();
  return y;
}
