/** Images whose pixels are read when they are needed, for sets larger than memory; and the views of them that tasks are made of. */
import { ArgumentError, ShapeError } from '../errors.ts';
import {
  bytesPerImage,
  checkOneFormat,
  formatName,
  formatOf,
  type ImageBytes,
  type ImageFormat,
  joinImages,
  pixelsAt,
} from './image-bytes.ts';

/** Images of one format that lie in files, on another machine, wherever: what implements this can be learnt from. */
export interface StoredImages extends ImageFormat {
  /** How many images there are. */
  readonly count: number;
  /** Tells these images from others without reading them, as fingerprints do: the same for the same pixels in every run. */
  readonly identity: string;
  /**
   * Pixels 0 … 255 of images, row-major [indices.length, height, width, channels]. Several calls may be under way at the same time.
   * @param indices from 0 to count − 1, in any order.
   * @throws {DataError} for one that cannot be read.
   */
  read(indices: readonly number[]): Promise<Uint8Array<ArrayBuffer>>;
}

/** Images in memory, or those that are read when they are needed. */
export type Images = ImageBytes | StoredImages;

export const isStored = (images: Images): images is StoredImages => 'read' in images;

/** Pixels of some images, in the order of the indices. */
export async function pixelsOf(images: Images, indices: readonly number[]): Promise<Uint8Array<ArrayBuffer>> {
  return isStored(images) ? readChecked(images, indices) : pixelsAt(images, indices);
}

/** @throws {ShapeError} when the store gives other pixels than were asked for. */
async function readChecked(images: StoredImages, indices: readonly number[]): Promise<Uint8Array<ArrayBuffer>> {
  const pixels = await images.read(indices);
  const expected = indices.length * bytesPerImage(images);
  if (pixels.length === expected) return pixels;
  throw new ShapeError({
    where: 'read',
    message: `${pixels.length} pixel values were read for ${indices.length} images of ${formatName(images)}: ${expected} were expected.`,
    fix: 'Return the pixels of all images asked for, one after the other, from `read`.',
  });
}

/** The identity of some images of a lot. */
export const chosenIdentity = (identity: string, indices: ArrayLike<number>): string =>
  `${identity}[${Array.prototype.join.call(indices)}]`;

/** Some images of a store, as a store. */
export function chosenImages(images: StoredImages, indices: ArrayLike<number>): StoredImages {
  const chosen = Array.from(indices);
  return {
    ...formatOf(images),
    count: chosen.length,
    get identity() {
      return chosenIdentity(images.identity, chosen);
    },
    read: (places) => images.read(places.map((place) => chosen[place] as number)),
  };
}

/** Images of a store as something shows them. @param name tells what does, in the identity. @param show keeps their number. */
export function shownImages(
  images: StoredImages,
  name: string,
  show: (images: ImageBytes) => ImageBytes,
): StoredImages {
  const format = formatOf(images);
  return {
    ...format,
    count: images.count,
    get identity() {
      return `${images.identity} ${name}`;
    },
    read: async (places) => {
      const data = await readChecked(images, places);
      return show({ data, count: places.length, ...format }).data;
    },
  };
}

/** Lots of images in one, in order: in memory where all are, a store otherwise. @throws as {@link joinImages}. */
export function joinLots(lots: readonly Images[], where: string): Images {
  const inMemory = lots.filter((lot): lot is ImageBytes => !isStored(lot));
  if (inMemory.length === lots.length) return joinImages(inMemory, where);
  const [first] = lots as [Images, ...Images[]];
  if (lots.length === 1) return first;
  checkOneFormat(lots, where);
  return joinedStore(lots, first);
}

function joinedStore(lots: readonly Images[], format: ImageFormat): StoredImages {
  const starts: number[] = [];
  let count = 0;
  for (const lot of lots) {
    starts.push(count);
    count += lot.count;
  }
  const lotOf = (index: number): number => starts.findLastIndex((start) => start <= index);
  const bytes = bytesPerImage(format);
  return {
    ...formatOf(format),
    count,
    // Those in memory have none; whoever asks takes their pixels.
    get identity() {
      return lots.map((lot) => (isStored(lot) ? lot.identity : `${lot.count} in memory`)).join('; ');
    },
    async read(indices) {
      const pixels = new Uint8Array(indices.length * bytes);
      const wanted = lots.map((): number[] => []);
      for (const [place, index] of indices.entries()) wanted[lotOf(index)]?.push(place);
      await Promise.all(
        lots.map(async (lot, at) => {
          const own = wanted[at] as number[];
          if (own.length === 0) return;
          const read = await pixelsOf(
            lot,
            own.map((place) => (indices[place] as number) - (starts[at] as number)),
          );
          for (const [i, place] of own.entries()) pixels.set(read.subarray(i * bytes, (i + 1) * bytes), place * bytes);
        }),
      );
      return pixels;
    },
  };
}

/** @throws {ArgumentError} for stored images, where pixels are needed at once. */
export function allInMemory(lots: readonly Images[], where: string): readonly ImageBytes[] {
  return lots.map((lot) => {
    if (!isStored(lot)) return lot;
    throw new ArgumentError({
      where,
      message: 'these images are stored, and have to be in memory for this.',
      fix: 'Read them first: loadStored() of engram/data, for both parts of the set.',
    });
  });
}

/** All images in memory. */
export async function inMemory(images: Images): Promise<ImageBytes> {
  if (!isStored(images)) return images;
  const { count } = images;
  return { data: await pixelsOf(images, [...Array(count).keys()]), count, ...formatOf(images) };
}
