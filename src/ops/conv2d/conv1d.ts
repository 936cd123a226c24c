/** Convolution of sequences, which are images of one row. */
import { ArgumentError, ShapeError } from '../../errors.ts';
import { show } from '../../tensor/shape.ts';
import { commonEngine, type Tensor } from '../../tensor/tensor.ts';
import { reshape } from '../reshape.ts';
import { conv2d } from './conv2d.ts';

/** What {@link conv1d} may differ in. */
export interface Conv1dOptions {
  /** [out]; none by default. */
  bias?: Tensor;
  /** 1 by default. */
  stride?: number;
  /** Zeros at both ends, 0 by default; `same`, for a stride of 1, keeps the length, `valid` is 0. */
  padding?: number | 'same' | 'valid';
  /** Distance between neighbouring places of the kernel; 1 by default. */
  dilation?: number;
  /** Groups of channels that see each other; 1 by default. */
  groups?: number;
}

const WHERE = 'conv1d';

/** @throws {ArgumentError} unless the value is a whole number of at least so much. */
function checkWhole(name: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least) {
    throw new ArgumentError({
      where: WHERE,
      message: `${name} is ${JSON.stringify(value)}; a whole number of at least ${least} was expected.`,
    });
  }
}

/**
 * y[n, i, o] = Σ x[n, i·stride + a·dilation − padding, c]·weight[a, c, o] + bias[o]: {@link conv2d} along one axis. x is
 * [n, length, in], weight [kernel, in / groups, out], y [n, ⌊(length + 2·padding − dilation·(kernel − 1) − 1)/stride⌋ + 1, out].
 * PyTorch's sequences are [n, in, length], its weights [out, in / groups, kernel].
 * @throws {ShapeError} when the shapes do not fit each other, or the kernel is longer than the padded sequence.
 * @throws {DTypeError} when x is not f32 with all others f32, or f16 with others of f32 or f16.
 * @throws {ArgumentError} when a stride, padding, dilation or number of groups is out of range.
 */
export function conv1d(
  x: Tensor,
  weight: Tensor,
  { bias, stride = 1, padding = 0, dilation = 1, groups = 1 }: Conv1dOptions = {},
): Tensor {
  commonEngine(WHERE, bias ? [x, weight, bias] : [x, weight]);
  checkWhole('stride', stride, 1);
  if (typeof padding === 'number') checkWhole('padding', padding, 0);
  checkWhole('dilation', dilation, 1);
  const [n = 0, length = 0, inChannels = 0] = x.shape;
  const [kernel = 0, groupChannels = 0, outChannels = 0] = weight.shape;
  if (x.rank !== 3 || weight.rank !== 3 || inChannels !== groupChannels * groups) {
    throw new ShapeError({
      where: WHERE,
      message: `x ${show(x.shape)} with weight ${show(weight.shape)} and ${groups} groups: takes sequences [n, length, in] and weights [kernel, in / groups, out].`,
    });
  }
  const y = conv2d(reshape(x, [n, 1, length, inChannels]), reshape(weight, [1, kernel, groupChannels, outChannels]), {
    ...(bias ? { bias } : {}),
    stride: [1, stride],
    padding: typeof padding === 'number' ? [0, padding] : padding,
    dilation: [1, dilation],
    groups,
  });
  return reshape(y, [n, y.shape[2] as number, outChannels]);
}
