/** Folders of pictures as sets that are larger than memory: pictures stay in their files, and are decoded each time they are learnt from. */
import pLimit, { type LimitFunction } from 'p-limit';
import { DataError } from '../errors.ts';
import { channelMoments, checkDataset, type DatasetSplit, type ImageDataset, type StoredDataset } from './dataset.ts';
import { fingerprint, textBytes } from './fingerprint.ts';
import { bytesPerImage, type ImageFormat } from './image-bytes.ts';
import { spreadPlaces } from './moments.ts';
import { pictureFiles } from './picture-files.ts';
import type { LabelledPicture } from './picture-layout.ts';
import { PICTURE_OPTIONS, type Picture, PictureDecoder } from './pictures.ts';
import { checkWhole } from './read-options.ts';
import type { ReadOptions } from './reader.ts';
import type { DataSource, DatasetFiles } from './source.ts';
import { inMemory, type StoredImages } from './stored-images.ts';

/** How pictures are read. */
export interface OpenOptions extends ReadOptions {
  /** Side of the square that pictures are brought to: nobody has seen them all when the first are read. */
  readonly imageSize: number;
  /** Pictures that are decoded at the same time; 4 by default, as many as Node has threads for it. */
  readonly workers?: number | undefined;
}

const WORKERS = 4;
const CHANNELS = 3;

/** Pictures of one part. */
class PictureStore implements StoredImages {
  readonly height: number;
  readonly width: number;
  readonly channels = CHANNELS;

  constructor(
    private readonly pictures: readonly Picture[],
    private readonly decoder: PictureDecoder,
    private readonly limit: LimitFunction,
    size: number,
    readonly identity: string,
  ) {
    this.height = size;
    this.width = size;
  }

  get count(): number {
    return this.pictures.length;
  }

  async read(indices: readonly number[]): Promise<Uint8Array<ArrayBuffer>> {
    return decodeAll(
      indices.map((index) => this.pictures[index] as Picture),
      this,
      this.decoder,
      this.limit,
    );
  }
}

/** @throws {DataError} for the first that is bad. */
async function decodeAll(
  pictures: readonly Picture[],
  format: ImageFormat,
  decoder: PictureDecoder,
  limit: LimitFunction,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = bytesPerImage(format);
  const pixels = new Uint8Array(pictures.length * bytes);
  const decoded = await Promise.all(pictures.map((picture) => limit(() => decoder.tryPicture(picture))));
  for (const [place, picture] of pictures.entries()) {
    const image = decoder.taken(picture, decoded[place] as Awaited<(typeof decoded)[number]>);
    if (image) pixels.set(image.data, place * bytes);
  }
  return pixels;
}

/** Opens the parts of one set. */
class PictureOpener {
  private readonly limit: LimitFunction;

  constructor(
    private readonly source: DataSource,
    private readonly options: OpenOptions,
  ) {
    this.limit = pLimit(options.workers ?? WORKERS);
  }

  async open(name: string, listed: readonly LabelledPicture[], classNames: readonly string[]): Promise<StoredDataset> {
    const { source, limit } = this;
    const { imageSize } = this.options;
    // What is bad is known by now, or is refused when its turn comes.
    const decoder = new PictureDecoder(source.where, { ...this.options, badPictures: 'refuse' });
    const pictures = listed.map((one): Picture => ({ ...one, read: () => source.read(one.name) }));
    const format = { height: imageSize, width: imageSize, channels: CHANNELS };
    const looked = spreadPlaces(pictures.length).map((place) => pictures[place] as Picture);
    const pixels = await decodeAll(looked, format, decoder, limit);
    const dataset: StoredDataset = {
      name,
      ...format,
      classes: classNames.length,
      classNames: [...classNames],
      labels: Uint16Array.from(listed, ({ label }) => label),
      stored: new PictureStore(pictures, decoder, limit, imageSize, this.identity(listed, pixels)),
      moments: channelMoments({ images: pixels, channels: CHANNELS }),
    };
    return checkDataset(dataset, source.where);
  }

  /**
   * The pictures that can be decoded: each is, once.
   * @returns those, and what people are to know of the others.
   */
  async whole(
    listed: readonly LabelledPicture[],
  ): Promise<{ readonly pictures: LabelledPicture[]; readonly notes: readonly string[] }> {
    const { source, limit } = this;
    const decoder = new PictureDecoder(source.where, this.options);
    const tried = listed.map((one) => ({ ...one, read: () => source.read(one.name) }));
    // Of those that are whole nothing is kept.
    const errorOf = async (picture: Picture): Promise<DataError | undefined> => {
      const image = await decoder.tryPicture(picture);
      return image instanceof DataError ? image : undefined;
    };
    const errors = await Promise.all(tried.map((picture) => limit(errorOf, picture)));
    const pictures = listed.filter((_, place) => {
      const error = errors[place];
      return !error || decoder.taken(tried[place] as Picture, error) !== undefined;
    });
    return { pictures, notes: decoder.notes };
  }

  /** Of names and classes, of how pictures are read, and of the pixels of some of them. */
  private identity(listed: readonly LabelledPicture[], pixels: Uint8Array): string {
    const how = PICTURE_OPTIONS.map((key) => this.options[key] ?? null);
    const names = listed.map(({ name, label }) => `${label} ${name}`).join('\n');
    return fingerprint([textBytes(JSON.stringify(how)), textBytes(names), pixels]);
  }
}

/**
 * The pictures of a folder as sets that are read while they are learnt from: `Benchmark` and `ContinualLearner.learn` take them in
 * place of pixels. Only names are read at first, and 256 pictures of each part, for the means and deviations of their colours; with
 * `badPictures: 'skip'` every picture is decoded once, to know those that are left out.
 *
 * In a page a folder lies in its private file system.
 * @throws {DataError} when it holds no folders of pictures, or they do not fit together, and without a size.
 * @throws {ArgumentError} for a size or a number of workers that is no whole number of at least 1, and for other options out of their
 * ranges.
 * @example
 * import { openPictures } from 'engram/data';
 * const photos = await openPictures('photos', { imageSize: 224 });
 * for await (const event of learner.learn(imagesByClass(photos.train, [0, 1]))) console.log(event);
 */
export async function openPictures(
  dataset: string | DatasetFiles,
  options: OpenOptions,
): Promise<DatasetSplit<StoredDataset>> {
  const { imageSize = 0, workers = WORKERS } = options;
  if (imageSize === 0) {
    throw new DataError({
      where: typeof dataset === 'string' ? dataset : dataset.name,
      message: 'pictures that stay in their files have to be brought to one size, and none was given.',
      fix: 'Say which: --image-size N (`imageSize` of openPictures()).',
    });
  }
  checkWhole('openPictures', { imageSize, workers }, 1);
  const { source, name, layout } = await pictureFiles(dataset, options, 'openPictures');
  const opener = new PictureOpener(source, options);
  const parts = { train: layout.train, test: layout.test };
  const notes = [...layout.notes];
  if (options.badPictures === 'skip') {
    for (const part of ['train', 'test'] as const) {
      const { pictures, notes: own } = await opener.whole(parts[part]);
      parts[part] = pictures;
      notes.push(...own);
    }
  }
  return {
    train: await opener.open(name, parts.train, layout.classNames),
    test: await opener.open(name, parts.test, layout.classNames),
    notes,
  };
}

/** A set with all its pixels in memory, which is taken for the same set. @throws {DataError} for one that cannot be read. */
export async function loadStored({ stored, moments: _moments, ...set }: StoredDataset): Promise<ImageDataset> {
  const { data } = await inMemory(stored);
  return { ...set, images: data, identity: stored.identity };
}
