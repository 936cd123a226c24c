/** The kernel that a batch of images is made by: gathered from bytes on the device, moved and normalised. */
import source from '../../shaders/images/affine-sample.wgsl';
import { ArgumentError, ShapeError } from '../errors.ts';
import { plane } from '../gpu/plane.ts';
import type { Kernel } from '../gpu/wgsl/kernel.ts';
import type { Engine } from '../tensor/engine.ts';
import { commonEngine, Tensor } from '../tensor/tensor.ts';
import type { Normalization } from './dataset.ts';
import type { ImageFormat } from './image-bytes.ts';

const kernel: Kernel = { name: 'affine_sample', source };
const NO_LIMIT = 0xffffffff;

/** Which images a batch is of, and how they are moved. */
export interface SampleOptions {
  /**
   * u32 [n] or an array of image numbers, checked; in a tensor they are not, and images that do not exist become NaN.
   */
  indices: ArrayLike<number> | Tensor;
  /**
   * f32 [n, 2, 3]: for each image, from an output pixel (x, y, 1) to the place in the input it is read at. By default
   * images stay as they are; see `randomTransforms`.
   */
  transforms?: Float32Array<ArrayBuffer> | Tensor;
  /**
   * f32 [n]: what the pixels of each image are multiplied by, and kept within 0 and 1. By default they stay as they are; see
   * `randomBrightness`.
   */
  brightness?: Float32Array<ArrayBuffer> | Tensor;
  /** Bilinear (default), or the nearest pixel: exact and faster where matrices keep to whole pixels. */
  interpolate?: boolean;
}

/** Images that lie side by side in one buffer. */
export interface DevicePart {
  /** The number of its first image. */
  readonly first: number;
  /** How many it has. */
  readonly held: number;
  /** u32, four bytes a word, filled up to a whole one; see {@link wordsOf}. */
  readonly pixels: Tensor;
}

/** Bytes of pixels as words. */
export function wordsOf(pixels: Uint8Array): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(pixels.length / 4));
  new Uint8Array(words.buffer).set(pixels);
  return words;
}

const sizeOf = (numbers: ArrayLike<number> | Tensor): number =>
  numbers instanceof Tensor ? numbers.size : numbers.length;

/** Makes batches of images of one format, all normalised alike. */
export class ImageSampler {
  private readonly moments: Tensor;

  /**
   * @param normalization none by default: pixels from 0 to 1.
   * @param name of the images, in errors.
   * @throws {ArgumentError} unless the normalisation has one mean and one std above 0 a channel.
   */
  constructor(
    readonly engine: Engine,
    private readonly format: ImageFormat,
    normalization: Normalization | undefined,
    name: string,
  ) {
    const { channels } = format;
    const { mean, std } = normalization ?? { mean: new Array(channels).fill(0), std: new Array(channels).fill(1) };
    if (mean.length !== channels || std.length !== channels || !std.every((value) => value > 0)) {
      throw new ArgumentError({
        where: `normalisation of ${name}`,
        message: `means [${mean.join(', ')}] and deviations [${std.join(', ')}] do not fit ${channels} channel(s).`,
        fix: 'Give one mean and one std above 0 for each channel.',
      });
    }
    this.moments = engine.keep(
      engine.tensor(Float32Array.from(mean.flatMap((value, channel) => [value, std[channel]!]))),
    );
  }

  /**
   * A batch, f32 [n, height, width, channels], normalised. Outside an image lie pixels of value 0, set before the
   * normalisation as torchvision's crops and rotations do: padding becomes (0 - mean) / std.
   * @param parts all images, in order.
   * @throws {ArgumentError} when an index of an array is outside the set.
   * @throws {ShapeError} when indices, transforms and brightness do not fit each other.
   */
  sample(parts: readonly DevicePart[], { indices, transforms, brightness, interpolate = true }: SampleOptions): Tensor {
    const { engine } = this;
    const { height, width, channels } = this.format;
    const all = parts.reduce((total, { held }) => total + held, 0);
    const count = sizeOf(indices);
    const size = transforms ? sizeOf(transforms) : 6 * count;
    const dtypes = [
      indices instanceof Tensor ? indices.dtype : 'u32',
      transforms instanceof Tensor ? transforms.dtype : 'f32',
    ];
    if (size !== 6 * count || dtypes[0] !== 'u32' || dtypes[1] !== 'f32') {
      throw new ShapeError({
        where: 'sample',
        message: `${count} indices (${dtypes[0]}) and ${size} numbers of transforms (${dtypes[1]}) were given; u32[n] and f32[n, 2, 3] were expected.`,
        fix: 'Give one matrix of 2×3 for each index.',
      });
    }
    if (brightness && (sizeOf(brightness) !== count || (brightness instanceof Tensor && brightness.dtype !== 'f32'))) {
      throw new ShapeError({
        where: 'sample',
        message: `${count} indices and ${sizeOf(brightness)} factors of brightness were given.`,
        fix: 'Give one number f32 for each index.',
      });
    }
    const tensors = [indices, transforms, brightness].filter((one) => one instanceof Tensor);
    commonEngine('sample', [this.moments, ...tensors]);
    const chosen = indices instanceof Tensor ? indices : engine.tensor(checked(indices, all));
    const matrices = transforms instanceof Tensor ? transforms : engine.tensor(transforms ?? identityTransforms(count));
    const given = brightness === undefined || brightness instanceof Tensor ? brightness : engine.tensor(brightness);
    const factors = given ?? this.moments;
    const output = Tensor.empty(engine, [count, height, width, channels], 'f32', 'sample');
    for (const { first, held, pixels } of parts) {
      engine.dispatch({
        kernel,
        constants: {
          HEIGHT: height,
          WIDTH: width,
          CHANNELS: channels,
          INTERPOLATE: interpolate && transforms !== undefined,
          BRIGHTEN: brightness !== undefined,
        },
        buffers: [pixels, chosen, matrices, this.moments, factors, output].map(({ storage }) => storage),
        params: { count, first, held, limit: first === 0 ? all : NO_LIMIT, missing: Number.NaN },
        workgroups: plane(engine, Math.ceil((count * height * width) / 64)),
      });
    }
    if (chosen !== indices) chosen.dispose();
    if (matrices !== transforms) matrices.dispose();
    if (given !== brightness) given?.dispose();
    return output;
  }

  /** Frees what it normalises by. */
  dispose(): void {
    this.moments.dispose();
  }
}

/** @throws {ArgumentError} */
function checked(indices: ArrayLike<number>, count: number): Uint32Array<ArrayBuffer> {
  const outside = Array.prototype.find.call(
    indices,
    (index: number) => !(index >= 0 && index < count && index % 1 === 0),
  );
  if (outside !== undefined || indices.length === 0) {
    throw new ArgumentError({
      where: 'sample',
      message: indices.length === 0 ? 'no image was asked for.' : `there is no image ${outside}: the set has ${count}.`,
      fix: `Give indices from 0 to ${count - 1}.`,
    });
  }
  return Uint32Array.from(indices);
}

/** `count` matrices [n, 2, 3] that leave images as they are. */
export function identityTransforms(count: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: 6 * count }, (_, at) => (at % 6 === 0 || at % 6 === 4 ? 1 : 0));
}
