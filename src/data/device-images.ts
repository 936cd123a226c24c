/**
 * A data set's images on the GPU: uploaded once as bytes, four a word. A batch is gathered, moved and normalised by one
 * kernel from a list of indices and matrices, so that a step uploads a few bytes an image and decodes nothing.
 */
import type { Engine } from '../tensor/engine.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { datasetImages, type ImageDataset, type Normalization } from './dataset.ts';
import { bytesPerImage, checkImageBytes, type ImageBytes } from './image-bytes.ts';
import { type DevicePart, ImageSampler, type SampleOptions, wordsOf } from './image-sampler.ts';

/** How images lie on the device. */
export interface DeviceImagesOptions {
  /** None by default: pixels from 0 to 1. */
  normalization?: Normalization;
  /** The largest buffer to use, in bytes; the device's own limit by default. */
  partBytes?: number;
}

/** A data set's images on the GPU, uploaded once as bytes; {@link sample} makes batches of them. */
export class DeviceImages {
  private readonly parts: DevicePart[] = [];
  private readonly sampler: ImageSampler;
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
    this.sampler = new ImageSampler(engine, pixels, normalization, name);
    const bytes = bytesPerImage(pixels);
    const { maxStorageBufferBindingSize, maxBufferSize } = engine.device.limits;
    const held = Math.max(
      1,
      Math.floor((partBytes ?? Math.min(maxStorageBufferBindingSize, maxBufferSize) - 4) / bytes),
    );
    for (let first = 0; first < this.count; first += held) {
      const slice = data.subarray(first * bytes, (first + held) * bytes);
      this.parts.push({ first, held: slice.length / bytes, pixels: engine.keep(engine.tensor(wordsOf(slice))) });
    }
  }

  /**
   * A batch, f32 [n, height, width, channels], normalised. Outside an image lie pixels of value 0, set before the
   * normalisation as torchvision's crops and rotations do: padding becomes (0 - mean) / std.
   * @throws {ArgumentError} when an index of an array is outside the set.
   * @throws {ShapeError} when indices, transforms and brightness do not fit each other.
   */
  sample(options: SampleOptions): Tensor {
    return this.sampler.sample(this.parts, options);
  }

  /** Frees the images. */
  dispose(): void {
    for (const { pixels } of this.parts) pixels.dispose();
    this.sampler.dispose();
  }
}
