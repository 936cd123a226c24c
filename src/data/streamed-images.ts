/** Stored images on the GPU: only those of a batch, uploaded for it. */
import type { Engine } from '../tensor/engine.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Normalization } from './dataset.ts';
import { ImageSampler, type SampleOptions, wordsOf } from './image-sampler.ts';
import { pixelsOf, type StoredImages } from './stored-images.ts';

/** How the images of a batch are moved; all of them are meant. */
export type BatchSampleOptions = Omit<SampleOptions, 'indices'>;

export class StreamedImages {
  private readonly sampler: ImageSampler;
  /** The numbers from 0, by how many they are. */
  private readonly places = new Map<number, Tensor>();

  /** @throws {ArgumentError} unless the normalisation has one mean and one std above 0 a channel. */
  constructor(
    readonly engine: Engine,
    private readonly images: StoredImages,
    normalization: Normalization,
  ) {
    this.sampler = new ImageSampler(engine, images, normalization, 'these images');
  }

  /** What is uploaded of a batch. @throws {DataError} for an image that cannot be read. */
  async read(indices: ArrayLike<number>): Promise<Uint32Array<ArrayBuffer>> {
    return wordsOf(await pixelsOf(this.images, Array.from(indices)));
  }

  /** A batch's pixels on the device. @param words as {@link read} gives them. @param count images of the batch. */
  upload(words: Uint32Array<ArrayBuffer>, count: number): Tensor {
    const { engine, places } = this;
    // Here, not where it is used: what a captured step makes by itself it makes anew in every step.
    if (!places.has(count))
      places.set(count, engine.keep(engine.tensor(Uint32Array.from({ length: count }, (_, i) => i))));
    return engine.tensor(words);
  }

  /** All images of a batch, f32 [count, height, width, channels]. @param pixels as {@link upload} gives them. */
  sample(pixels: Tensor, count: number, options: BatchSampleOptions = {}): Tensor {
    const indices = this.places.get(count) as Tensor;
    return this.sampler.sample([{ first: 0, held: count, pixels }], { ...options, indices });
  }

  dispose(): void {
    this.sampler.dispose();
    for (const places of this.places.values()) places.dispose();
  }
}
