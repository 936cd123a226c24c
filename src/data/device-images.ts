/**
 * A data set's images on the GPU: uploaded once as bytes, four a word. A batch is gathered, moved and normalised by one
 * kernel from a list of indices and matrices, so that a step uploads a few bytes an image and decodes nothing.
 */
import source from '../../shaders/images/affine-sample.wgsl';
import { ArgumentError, ShapeError } from '../errors.ts';
import { plane } from '../gpu/plane.ts';
import type { Kernel } from '../gpu/wgsl/kernel.ts';
import type { Engine } from '../tensor/engine.ts';
import { commonEngine, Tensor } from '../tensor/tensor.ts';
import { datasetImages, type ImageDataset, type Normalization } from './dataset.ts';
import { bytesPerImage, checkImageBytes, type ImageBytes } from './image-bytes.ts';

const kernel: Kernel = { name: 'affine_sample', source };
const NO_LIMIT = 0xffffffff;

/** How images lie on the device. */
export interface DeviceImagesOptions {
  /** None by default: pixels from 0 to 1. */
  normalization?: Normalization;
  /** The largest buffer to use, in bytes; the device's own limit by default. */
  partBytes?: number;
}

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

const sizeOf = (numbers: ArrayLike<number> | Tensor): number =>
  numbers instanceof Tensor ? numbers.size : numbers.length;

interface Part {
  first: number;
  held: number;
  pixels: Tensor;
}

/** A data set's images on the GPU, uploaded once as bytes; {@link sample} makes batches of them. */
export class DeviceImages {
  private readonly parts: Part[] = [];
  private readonly moments: Tensor;
  /** How many images there are. */
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;

  /**
   * Uploads the images; they stay until {@link dispose}, whatever scope is open.
   * @throws {ShapeError} when the pixels are not as many as the numbers beside them say.
   * @throws {ArgumentError} unless the normalisation has one mean and one std above 0 a channel.
   * @throws {OutOfMemoryError} beyond the device's limits.
   */
  constructor(
    readonly engine: Engine,
    images: ImageBytes | ImageDataset,
    { normalization, partBytes }: DeviceImagesOptions = {},
  ) {
    const name = 'name' in images ? images.name : 'these images';
    const pixels = checkImageBytes('labels' in images ? datasetImages(images) : images, name);
    const { data, count, height, width, channels } = pixels;
    this.count = count;
    this.height = height;
    this.width = width;
    this.channels = channels;
    const { mean, std } = normalization ?? {
      mean: new Array(channels).fill(0),
      std: new Array(channels).fill(1),
    };
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
    const bytes = bytesPerImage(pixels);
    const { maxStorageBufferBindingSize, maxBufferSize } = engine.device.limits;
    const held = Math.max(
      1,
      Math.floor((partBytes ?? Math.min(maxStorageBufferBindingSize, maxBufferSize) - 4) / bytes),
    );
    for (let first = 0; first < this.count; first += held) {
      const slice = data.subarray(first * bytes, (first + held) * bytes);
      const words = new Uint32Array(Math.ceil(slice.length / 4));
      new Uint8Array(words.buffer).set(slice);
      this.parts.push({ first, held: slice.length / bytes, pixels: engine.keep(engine.tensor(words)) });
    }
  }

  /**
   * A batch, f32 [n, height, width, channels], normalised. Outside an image lie pixels of value 0, set before the
   * normalisation as torchvision's crops and rotations do: padding becomes (0 - mean) / std.
   * @throws {ArgumentError} when an index of an array is outside the set.
   * @throws {ShapeError} when indices, transforms and brightness do not fit each other.
   */
  sample({ indices, transforms, brightness, interpolate = true }: SampleOptions): Tensor {
    const { engine, height, width, channels } = this;
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
    const chosen = indices instanceof Tensor ? indices : engine.tensor(this.checked(indices));
    const matrices = transforms instanceof Tensor ? transforms : engine.tensor(transforms ?? identityTransforms(count));
    const given = brightness === undefined || brightness instanceof Tensor ? brightness : engine.tensor(brightness);
    const factors = given ?? this.moments;
    commonEngine('sample', [this.moments, chosen, matrices, factors]);
    const output = Tensor.empty(engine, [count, height, width, channels], 'f32', 'sample');
    for (const { first, held, pixels } of this.parts) {
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
        params: { count, first, held, limit: first === 0 ? this.count : NO_LIMIT, missing: Number.NaN },
        workgroups: plane(engine, Math.ceil((count * height * width) / 64)),
      });
    }
    if (chosen !== indices) chosen.dispose();
    if (matrices !== transforms) matrices.dispose();
    if (given !== brightness) given?.dispose();
    return output;
  }

  /** Frees the images. */
  dispose(): void {
    for (const { pixels } of this.parts) pixels.dispose();
    this.moments.dispose();
  }

  private checked(indices: ArrayLike<number>): Uint32Array<ArrayBuffer> {
    const outside = Array.prototype.find.call(
      indices,
      (index: number) => !(index >= 0 && index < this.count && index % 1 === 0),
    );
    if (outside !== undefined || indices.length === 0) {
      throw new ArgumentError({
        where: 'sample',
        message:
          indices.length === 0 ? 'no image was asked for.' : `there is no image ${outside}: the set has ${this.count}.`,
        fix: `Give indices from 0 to ${this.count - 1}.`,
      });
    }
    return Uint32Array.from(indices);
  }
}

/** `count` matrices [n, 2, 3] that leave images as they are. */
export function identityTransforms(count: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: 6 * count }, (_, at) => (at % 6 === 0 || at % 6 === 4 ? 1 : 0));
}
