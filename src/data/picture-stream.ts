/**
 * Pictures that stay in their files, for sets larger than memory: a batch is read and decoded while those before it are learnt from, and
 * waits in a queue that holds few. Decoders have threads of their own, in Node and in browsers; what is left to this one is to hand
 * over bytes. What a batch holds depends on the seed and its place alone, however many pictures are decoded at once.
 */
import pLimit from 'p-limit';
import { DataError } from '../errors.ts';
import { bytesPerImage, type ImageBytes } from './image-bytes.ts';
import { type Batch, DataLoader, type LoaderOptions } from './loader.ts';
import { pictureFiles } from './picture-files.ts';
import type { LabelledPicture } from './picture-layout.ts';
import { PictureDecoder } from './pictures.ts';
import { prefetched } from './prefetch.ts';
import { checkWhole } from './read-options.ts';
import type { ReadOptions } from './reader.ts';
import type { DataSource, DatasetFiles } from './source.ts';

/** How pictures are read, in which order they come, and how far ahead. */
export interface StreamOptions extends ReadOptions, LoaderOptions {
  /** Side of the square that pictures are brought to: nobody has seen the others when the first batch is made. */
  readonly imageSize: number;
  /** Batches that are made before they are asked for; 2 by default. */
  readonly ahead?: number;
  /** Pictures that are decoded at the same time; 4 by default, as many as Node has threads for it. */
  readonly workers?: number;
}

/** A batch with its pixels. */
export interface PictureBatch extends Batch {
  /** In the order of `indices`, without bad pictures that are left out. */
  readonly images: ImageBytes;
  /** One an image. */
  readonly labels: Uint16Array<ArrayBuffer>;
  /** Milliseconds that whoever asked waited for it: about none where learning takes longer than reading. */
  readonly waited: number;
}

const [AHEAD, WORKERS] = [2, 4];
const CHANNELS = 3;

/** One part of a set, whose pictures are read as they are asked for. */
export class PictureStream {
  /** Class numbers of all pictures. */
  readonly labels: Uint16Array<ArrayBuffer>;
  private readonly loader: DataLoader;
  private readonly decoder: PictureDecoder;
  private readonly limit: ReturnType<typeof pLimit>;

  /**
   * Made by {@link streamPictures}.
   * @internal
   */
  constructor(
    private readonly source: DataSource,
    private readonly pictures: readonly LabelledPicture[],
    /** In label order. */
    readonly classNames: readonly string[],
    private readonly options: StreamOptions,
  ) {
    const { ahead = AHEAD, workers = WORKERS, imageSize } = options;
    checkWhole('streamPictures', { imageSize, workers }, 1);
    checkWhole('streamPictures', { ahead }, 0);
    this.labels = Uint16Array.from(pictures, ({ label }) => label);
    this.loader = new DataLoader(
      pictures.map((_, index) => index),
      options,
    );
    this.decoder = new PictureDecoder(source.where, options);
    this.limit = pLimit(workers);
  }

  /** Batches an epoch. */
  get steps(): number {
    return this.loader.steps;
  }

  /** What people are to know of the pictures so far: those that were bad and left out. */
  get notes(): string[] {
    return this.decoder.notes;
  }

  /**
   * The batches of one epoch, from step `from` on. Who leaves early leaves nothing behind that still reads.
   * @throws {DataError} for a picture that cannot be read or decoded, unless those are left out, and for a batch of nothing else.
   */
  async *epoch(epoch: number, from = 0): AsyncGenerator<PictureBatch, void, undefined> {
    const { ahead = AHEAD } = this.options;
    const batches = this.loader.epoch(epoch, from);
    const read = (batch: Batch, left: AbortSignal) => this.read(batch, left);
    for await (const { fetched, waited } of prefetched(batches, ahead, read)) yield { ...fetched, waited };
  }

  /** @param left which pictures are not begun with after. */
  private async read(batch: Batch, left: AbortSignal): Promise<Omit<PictureBatch, 'waited'>> {
    const pictures = Array.from(batch.indices, (index) => {
      const picture = this.pictures[index]!;
      return { ...picture, read: () => this.source.read(picture.name) };
    });
    const decoded = await Promise.all(
      pictures.map((picture) => this.limit(async () => (left.aborted ? undefined : this.decoder.tryPicture(picture)))),
    );
    left.throwIfAborted();
    const taken = pictures.flatMap((picture, i) => {
      const image = this.decoder.taken(picture, decoded[i]!);
      return image ? [{ image, label: picture.label }] : [];
    });
    if (taken.length === 0) {
      throw new DataError({
        where: this.source.where,
        message: `none of the ${pictures.length} pictures of batch ${batch.step} can be decoded.`,
        fix: 'Mend the pictures, or take larger batches.',
      });
    }
    const format = { height: this.options.imageSize, width: this.options.imageSize, channels: CHANNELS };
    const bytes = bytesPerImage(format);
    const data = new Uint8Array(taken.length * bytes);
    for (const [place, { image }] of taken.entries()) data.set(image.data, place * bytes);
    return {
      ...batch,
      images: { data, count: taken.length, ...format },
      labels: Uint16Array.from(taken, ({ label }) => label),
    };
  }
}

/** Both parts of a set in folders of pictures, none of which is read yet. */
export interface PictureStreams {
  readonly train: PictureStream;
  readonly test: PictureStream;
  /** What people are to know: what was passed over, and which pictures are tested on. */
  readonly notes: readonly string[];
}

/**
 * The pictures of a folder in batches, read while they are learnt from. Batches of `test` come in the order of the files.
 * @throws {DataError} when it holds no folders of pictures, or they do not fit together.
 * @throws {ArgumentError} for sizes and counts that are not whole numbers, and for other options out of their ranges.
 * @example
 * import { streamPictures } from 'engram/data';
 * const { train } = await streamPictures('photos', { imageSize: 64, batch: 32, seed: 1 });
 * for await (const { images, labels } of train.epoch(0)) {
 *   const pixels = new DeviceImages(engine, images, { normalization });
 *   await step(pixels.sample({ indices: [...labels.keys()] }), engine.tensor(Int32Array.from(labels)));
 *   pixels.dispose();
 * }
 */
export async function streamPictures(dataset: string | DatasetFiles, options: StreamOptions): Promise<PictureStreams> {
  const { source, layout } = await pictureFiles(dataset, options, 'streamPictures');
  const { classNames, train, test, notes } = layout;
  return {
    train: new PictureStream(source, train, classNames, options),
    test: new PictureStream(source, test, classNames, { ...options, shuffle: false, dropLast: false }),
    notes,
  };
}
