/** The sizes of a convolution. */
import { ArgumentError, ShapeError } from '../../errors.ts';
import type { FloatType } from '../../tensor/dtype.ts';
import { type Shape, show } from '../../tensor/shape.ts';
import { type Pair, pairOf } from '../pair.ts';

/** Zeros around images, or PyTorch's words: `same` for an output of the images' size, `valid` for none. */
export type Padding = Pair | 'same' | 'valid';

/** How the kernel of a convolution meets the images. */
export interface Window {
  /** 1 by default; two numbers are [vertical, horizontal]. */
  stride?: Pair;
  /**
   * Zeros on both sides; 0 by default, two numbers are [vertical, horizontal]. `same`, for strides of 1, keeps the size of the
   * images; where that takes an odd number of zeros, one more of them is below and to the right, as in PyTorch. `valid` is 0.
   */
  padding?: Padding;
  /** Distance between neighbouring places of the kernel; 1 by default, two numbers are [vertical, horizontal]. */
  dilation?: Pair;
  /**
   * The channels of images and outputs are cut into so many groups, and each group of outputs sees its own group of channels
   * alone; 1 by default. As many groups as channels make a depthwise convolution.
   */
  groups?: number;
}

/** Images [batch, height, width, inChannels] by weights [kernelY, kernelX, inChannels / groups, outChannels]. */
export interface Geometry {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly inChannels: number;
  readonly kernelY: number;
  readonly kernelX: number;
  readonly outChannels: number;
  readonly groups: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly dilationY: number;
  readonly dilationX: number;
  /** Zeros above and to the left. What is below and to the right is in the output's size. */
  readonly padY: number;
  readonly padX: number;
  readonly outHeight: number;
  readonly outWidth: number;
  /** How images and weights are stored. */
  readonly stored: FloatType;
}

/** What a description of kernels adds where they are spread or grouped, for people. */
export function spreadOf(dilationY: number, dilationX: number, groups: number): string {
  const spread = dilationY * dilationX > 1 ? `, ${dilationY}×${dilationX} apart` : '';
  return groups > 1 ? `${spread}, ${groups} groups` : spread;
}

/** One direction: its setting, and what it makes of the sizes. */
interface Side {
  readonly stride: number;
  readonly dilation: number;
  /** Zeros before and behind the images. */
  readonly before: number;
  readonly behind: number;
}

/** @throws {ArgumentError} when a number is out of range, or `same` goes with a stride. */
function sidesOf(
  where: string,
  { stride = 1, padding = 0, dilation = 1 }: Window,
  kernels: readonly number[],
): readonly Side[] {
  const strides = pairOf(where, 'stride', stride, 1);
  const dilations = pairOf(where, 'dilation', dilation, 1);
  if (typeof padding === 'string' && padding !== 'same' && padding !== 'valid') {
    throw new ArgumentError({
      where,
      message: `padding is ${JSON.stringify(padding)}; numbers, 'same' or 'valid' were expected.`,
    });
  }
  if (padding === 'same' && strides.some((one) => one !== 1)) {
    throw new ArgumentError({
      where,
      message: `padding 'same' goes with strides of 1 only, not ${show(strides)}.`,
      fix: 'Give the padding in numbers.',
    });
  }
  const given = padding === 'same' ? null : pairOf(where, 'padding', padding === 'valid' ? 0 : padding, 0);
  return kernels.map((kernel, i) => {
    const [stride, dilation] = [strides[i] as number, dilations[i] as number];
    const zeros = given ? 2 * (given[i] as number) : dilation * (kernel - 1);
    return { stride, dilation, before: Math.floor(zeros / 2), behind: Math.ceil(zeros / 2) };
  });
}

/** @throws {ArgumentError} unless `groups` is a whole number, and both numbers of channels come in so many. */
export function checkGroups(where: string, groups: number, inChannels: number, outChannels: number): void {
  if (!Number.isInteger(groups) || groups < 1 || inChannels % groups !== 0 || outChannels % groups !== 0) {
    throw new ArgumentError({
      where,
      message: `groups is ${groups}; a whole number that divides both ${inChannels} channels in and ${outChannels} out was expected.`,
    });
  }
}

/**
 * The sizes of the convolution of images `x` with weights `weight`.
 * @throws {ShapeError} when the shapes do not fit each other, or the kernel is larger than the padded image.
 * @throws {ArgumentError} when a stride, padding, dilation or number of groups is out of range.
 */
export function geometryOf(x: Shape, weight: Shape, window: Window, stored: FloatType, where = 'conv2d'): Geometry {
  const { groups = 1 } = window;
  const [batch = 0, height = 0, width = 0, inChannels = 0] = x;
  const [kernelY = 0, kernelX = 0, weightChannels = 0, outChannels = 0] = weight;
  const [vertical, horizontal] = sidesOf(where, window, [kernelY, kernelX]) as readonly [Side, Side];
  const shapes = `x ${show(x)} with weight ${show(weight)}`;
  if (x.length !== 4 || weight.length !== 4) {
    throw new ShapeError({
      where,
      message: `${shapes}: takes images [n, height, width, in] and weights [kernel height, kernel width, in / groups, out].`,
    });
  }
  checkGroups(where, groups, inChannels, outChannels);
  if (inChannels !== groups * weightChannels) {
    const inGroups = groups > 1 ? ` in each of ${groups} groups` : '';
    throw new ShapeError({
      where,
      message: `${shapes}: the images have ${inChannels} channels, the weights take ${weightChannels}${inGroups}.`,
      fix: "Images are [n, height, width, channels] and weights [height, width, in / groups, out]; PyTorch's orders must be transposed.",
    });
  }
  const places = (size: number, kernel: number, { stride, dilation, before, behind }: Side) =>
    Math.floor((size + before + behind - dilation * (kernel - 1) - 1) / stride) + 1;
  const outHeight = places(height, kernelY, vertical);
  const outWidth = places(width, kernelX, horizontal);
  if (outHeight < 1 || outWidth < 1) {
    const spread = vertical.dilation * horizontal.dilation > 1 ? ', spread by its dilation,' : '';
    throw new ShapeError({
      where,
      message: `${shapes}: the kernel${spread} is larger than the image padded by ${show([vertical.before, horizontal.before])}.`,
      fix: 'Pad more, or use a smaller kernel.',
    });
  }
  return {
    batch,
    height,
    width,
    inChannels,
    kernelY,
    kernelX,
    outChannels,
    groups,
    strideY: vertical.stride,
    strideX: horizontal.stride,
    dilationY: vertical.dilation,
    dilationX: horizontal.dilation,
    padY: vertical.before,
    padX: horizontal.before,
    outHeight,
    outWidth,
    stored,
  };
}
