/** The sizes of a convolution. */
import { ShapeError } from '../../errors.ts';
import type { FloatType } from '../../tensor/dtype.ts';
import { type Shape, show } from '../../tensor/shape.ts';
import { type Pair, pairOf } from '../pair.ts';

/** Images [batch, height, width, inChannels] by weights [kernelY, kernelX, inChannels, outChannels]. */
export interface Geometry {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly inChannels: number;
  readonly kernelY: number;
  readonly kernelX: number;
  readonly outChannels: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly padY: number;
  readonly padX: number;
  readonly outHeight: number;
  readonly outWidth: number;
  /** How images and weights are stored. */
  readonly stored: FloatType;
}

/**
 * The sizes of the convolution of images `x` with weights `weight`.
 * @throws {ShapeError} when the shapes do not fit each other, or the kernel is larger than the padded image.
 * @throws {ArgumentError} when a stride or padding is out of range.
 */
export function geometryOf(x: Shape, weight: Shape, stride: Pair, padding: Pair, stored: FloatType): Geometry {
  const [strideY, strideX] = pairOf('conv2d', 'stride', stride, 1);
  const [padY, padX] = pairOf('conv2d', 'padding', padding, 0);
  const [batch = 0, height = 0, width = 0, inChannels = 0] = x;
  const [kernelY = 0, kernelX = 0, weightChannels = 0, outChannels = 0] = weight;
  const shapes = `x ${show(x)} with weight ${show(weight)}`;
  if (x.length !== 4 || weight.length !== 4) {
    throw new ShapeError({
      where: 'conv2d',
      message: `${shapes}: takes images [n, height, width, in] and weights [kernel height, kernel width, in, out].`,
    });
  }
  if (inChannels !== weightChannels) {
    throw new ShapeError({
      where: 'conv2d',
      message: `${shapes}: the images have ${inChannels} channels, the weights take ${weightChannels}.`,
      fix: "Images are [n, height, width, channels] and weights [height, width, in, out]; PyTorch's orders must be transposed.",
    });
  }
  const outHeight = Math.floor((height + 2 * padY - kernelY) / strideY) + 1;
  const outWidth = Math.floor((width + 2 * padX - kernelX) / strideX) + 1;
  if (outHeight < 1 || outWidth < 1) {
    throw new ShapeError({
      where: 'conv2d',
      message: `${shapes}: the kernel is larger than the image padded by ${show([padY, padX])}.`,
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
    strideY,
    strideX,
    padY,
    padX,
    outHeight,
    outWidth,
    stored,
  };
}
