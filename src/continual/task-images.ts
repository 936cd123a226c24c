/** The images of a task, with their logits beside them on the CPU: on the device as bytes, or read batch by batch. */
import { type Augmentation, keepsToPixels, randomBrightness, randomTransforms } from '../data/augment.ts';
import type { Normalization } from '../data/dataset.ts';
import { DeviceImages } from '../data/device-images.ts';
import { prefetched } from '../data/prefetch.ts';
import { type Images, isStored } from '../data/stored-images.ts';
import { StreamedImages } from '../data/streamed-images.ts';
import type { Engine } from '../tensor/engine.ts';
import type { Random } from '../tensor/random.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Pixels of a batch that are not on the device yet. */
export type BatchPixels = Uint32Array<ArrayBuffer>;

/** Something that is done with batches, and their pixels where these had to be read. */
export interface WithPixels<T> {
  readonly item: T;
  /** One for each of its batches; none where all images are on the device. */
  readonly pixels: readonly BatchPixels[];
  /** Milliseconds of waiting for them. */
  readonly waited: number;
}

/** Batches that are read before they are asked for. */
const AHEAD = 2;

export class TaskImages {
  private readonly source: DeviceImages | StreamedImages;

  /**
   * Uploads the images, unless they are stored.
   * @param labels the right logit of each; −1 where there is none.
   * @throws {OutOfMemoryError} beyond the device's limits.
   */
  constructor(
    readonly engine: Engine,
    private readonly images: Images,
    readonly labels: Int32Array,
    normalization: Normalization,
  ) {
    this.source = isStored(images)
      ? new StreamedImages(engine, images, normalization)
      : new DeviceImages(engine, images, { normalization });
  }

  /** Of one image: [h, w, c]. */
  get shape(): readonly [number, number, number] {
    const { height, width, channels } = this.images;
    return [height, width, channels];
  }

  /** Whether the pixels of a batch are read and uploaded for it. */
  get areStreamed(): boolean {
    return this.source instanceof StreamedImages;
  }

  /**
   * Items in order, each with the pixels of its batches; those of the next ones are read meanwhile.
   * @param batchesOf the batches of an item, as indices.
   * @throws {DataError} for an image that cannot be read.
   */
  async *ahead<T>(
    items: Iterable<T>,
    batchesOf: (item: T) => readonly ArrayLike<number>[],
  ): AsyncGenerator<WithPixels<T>, void, undefined> {
    const { source } = this;
    if (source instanceof DeviceImages) {
      for (const item of items) yield { item, pixels: [], waited: 0 };
      return;
    }
    const read = (item: T) => Promise.all(batchesOf(item).map((indices) => source.read(indices)));
    for await (const { item, fetched, waited } of prefetched(items, AHEAD, read))
      yield { item, pixels: fetched, waited };
  }

  /** A batch's pixels on the device: belongs to the open scope. */
  upload(pixels: BatchPixels, count: number): Tensor {
    return (this.source as StreamedImages).upload(pixels, count);
  }

  /** Images f32 [n, h, w, c] as they are, normalised. @param pixels as {@link ahead} gives them, where it does. */
  raw(indices: ArrayLike<number>, pixels?: BatchPixels): Tensor {
    const { source } = this;
    if (source instanceof DeviceImages) return source.sample({ indices });
    return source.sample(this.upload(pixels as BatchPixels, indices.length), indices.length);
  }

  /** A random matrix for each of `count` images, f32 [count, 2, 3]. */
  transforms(count: number, augmentation: Augmentation, random: Random): Tensor {
    return this.engine.tensor(randomTransforms(count, this.images, augmentation, random), [count, 2, 3]);
  }

  /** A random factor of brightness for each of `count` images, f32 [count]. */
  brightness(count: number, augmentation: Augmentation, random: Random): Tensor {
    return this.engine.tensor(randomBrightness(count, augmentation, random));
  }

  /**
   * Images [n, h, w, c], each transformed by its own matrix.
   * @param batch `indices` u32 [n], and what {@link transforms}, {@link brightness} and {@link upload} gave for them.
   */
  augmented({ indices, transforms, brightness, pixels }: AugmentedBatch, augmentation: Augmentation): Tensor {
    const { source } = this;
    const moved = { transforms, interpolate: !keepsToPixels(augmentation), ...(brightness ? { brightness } : {}) };
    return source instanceof DeviceImages
      ? source.sample({ indices, ...moved })
      : source.sample(pixels as Tensor, indices.size, moved);
  }

  /** The logit of each image, i32 [n]. */
  targets(indices: ArrayLike<number>): Tensor {
    return this.engine.tensor(Int32Array.from(indices, (index) => this.labels[index] as number));
  }

  dispose(): void {
    this.source.dispose();
  }
}

/** A batch as tensors; brightness where its augmentation changes that, pixels where they are streamed. */
export interface AugmentedBatch {
  readonly indices: Tensor;
  readonly transforms: Tensor;
  readonly brightness: Tensor | undefined;
  readonly pixels: Tensor | undefined;
}
