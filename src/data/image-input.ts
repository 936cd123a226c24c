/** Images from whatever a user has: arrays, tensors, `ImageData`, files, addresses, data sets. */
import { decodeImage } from '#decode';
import { files } from '#files';
import { ArgumentError, ShapeError } from '../errors.ts';
import type { Engine } from '../tensor/engine.ts';
import { Tensor } from '../tensor/tensor.ts';
import { datasetImages, type ImageDataset } from './dataset.ts';
import { fetchBytes, isUrl, shownUrl } from './fetch-bytes.ts';
import {
  checkImageBytes,
  checkImageShape,
  formatName,
  type ImageBytes,
  type ImageFormat,
  joinImages,
  sameFormat,
} from './image-bytes.ts';
import { fromArray, fromTensor, type ImageArray, kindOf } from './image-pixels.ts';
import { resizeImages } from './resize.ts';
import { fromRgba } from './rgba.ts';
import { type Images, inMemory, type StoredImages } from './stored-images.ts';

/**
 * - bytes with their numbers, `{ data, count, height, width, channels }`, or an array with its shape, `{ data, shape }`;
 * - a tensor, f32 or f16, [count, height, width, channels] or [height, width, channels], pixels from 0 to 1;
 * - `ImageData` of a canvas, and files: a `Blob` or `File`, a path, an address (`file:`, `https:`, `blob:`, `data:`). In Node
 *   files are decoded by sharp, which is to be installed. In the browser a path lies in its private file system;
 * - the images of a data set, whatever their labels;
 * - stored images, which a learner reads as it needs them;
 * - an array of any of these.
 */
export type ImageInput =
  | ImageBytes
  | ImageArray
  | Tensor
  | ImageData
  | Blob
  | string
  | URL
  | ImageDataset
  | StoredImages
  | readonly ImageInput[];

/** What images are to become. */
export interface ImageInputOptions {
  /** Names the caller in errors. */
  where: string;
  /** What the images must be; the first one's by default. */
  format?: ImageFormat | undefined;
  /** Whether images of another size are stretched to the format's; see `resizeImages`. An error otherwise, and by default. */
  resize?: boolean | undefined;
}

/** Files that are read, decoded and resized at the same time: as many as Node has threads for it. */
const AT_ONCE = 4;

/**
 * Images of one format as bytes. `ImageData` and files have 3 channels where no format says otherwise, grey ones too; 1
 * channel makes them luma (Rec. 601). What is transparent lies over white. Arrays, tensors and data sets keep their
 * channels, and must have the format's. The bytes may be those that were given, not a copy.
 * @throws {ArgumentError} when there are no images, for what is none, and for pixels that are not numbers from 0 to 1.
 * @throws {ShapeError} when images have another size or other channels than the format, or an array does not fill its shape.
 * @throws {DTypeError} for a tensor of integers.
 * @throws {DataError} for a file that cannot be read or decoded.
 */
export async function toImageBytes(
  engine: Engine,
  input: ImageInput,
  { where, format, resize = false }: ImageInputOptions,
): Promise<ImageBytes> {
  const items = flatten(input);
  const read = async (item: Item, at: number, wanted: ImageFormat | undefined): Promise<ImageBytes> => {
    const place = items.length > 1 ? `${where}, image ${at + 1} of ${items.length}` : where;
    const images = await readItem(item, place, wanted?.channels ?? 3);
    return wanted ? fitted(engine, images, wanted, resize, place) : images;
  };
  const lots: ImageBytes[] = [];
  let wanted = format;
  while (lots.length < items.length) {
    // The first decides what all the others are.
    const window = items.slice(lots.length, lots.length + (wanted ? AT_ONCE : 1));
    lots.push(...(await Promise.all(window.map((item, i) => read(item, lots.length + i, wanted)))));
    wanted ??= lots[0];
  }
  return joinImages(lots, where);
}

/**
 * As {@link toImageBytes}, but for stored images that come alone: they stay where they are.
 * @throws as {@link toImageBytes}; {@link ShapeError} for stored images of another format, which nothing resizes.
 */
export async function toImages(engine: Engine, input: ImageInput, options: ImageInputOptions): Promise<Images> {
  if (!isStoredInput(input)) return toImageBytes(engine, input, options);
  const { where, format } = options;
  checkStored(input, where);
  if (!format || sameFormat(input, format)) return input;
  throw new ShapeError({
    where,
    message: `stored images of ${formatName(input)} were given where they are ${formatName(format)}.`,
    fix: 'Read them in this format.',
  });
}

const isStoredInput = (input: ImageInput): input is StoredImages =>
  has(input, 'read', 'count') && typeof input.read === 'function';

/** @throws {ArgumentError | ShapeError} */
function checkStored(images: StoredImages, where: string): void {
  checkImageShape(images, where);
  const { identity } = images;
  if (typeof identity === 'string' && identity !== '') return;
  throw new ArgumentError({
    where,
    message: 'stored images do not say what tells them from others.',
    fix: 'Give them an `identity`: a text that is the same for the same pixels.',
  });
}

type Item = Exclude<ImageInput, readonly ImageInput[]>;

const flatten = (input: ImageInput): Item[] => (Array.isArray(input) ? input.flatMap(flatten) : [input as Item]);

/** @param channels of what is decoded or drawn. */
async function readItem(item: Item, where: string, channels: number): Promise<ImageBytes> {
  if (item instanceof Tensor) return fromTensor(item, where);
  if (typeof item === 'string' || item instanceof URL) {
    const path = String(item);
    const bytes = await (isUrl(path) ? fetchBytes(path) : files.read(path));
    return decoded(new Blob([bytes]), `${where} (${shownUrl(path)})`, channels);
  }
  if (item instanceof Blob) return decoded(item, item instanceof File ? `${where} (${item.name})` : where, channels);
  if (has(item, 'data', 'shape')) return fromArray(item, where);
  if (has(item, 'images', 'labels')) return checkImageBytes(datasetImages(item), `${where} (${item.name})`);
  if (isStoredInput(item)) {
    checkStored(item, where);
    return inMemory(item);
  }
  if (has(item, 'data', 'count')) return checkImageBytes(item, where);
  if (has(item, 'data', 'width')) return fromRgba(item, channels, where);
  throw new ArgumentError({
    where,
    message: `${kindOf(item)} is no image.`,
    fix: ArrayBuffer.isView(item)
      ? 'Give pixels with their shape, { data, shape }, and the bytes of an image file as new Blob([bytes]).'
      : 'Give { data, shape }, a tensor, ImageData, a Blob, a path or an address, or a data set.',
  });
}

const has = <T, K extends string>(value: T, ...keys: K[]): value is Extract<T, { readonly [key in K]: unknown }> =>
  typeof value === 'object' && value !== null && keys.every((key) => key in value);

const decoded = async (file: Blob, where: string, channels: number): Promise<ImageBytes> =>
  fromRgba(await decodeImage(file, where), channels, where);

/** Images in the format, if need be and allowed resized. */
async function fitted(
  engine: Engine,
  images: ImageBytes,
  format: ImageFormat,
  resize: boolean,
  where: string,
): Promise<ImageBytes> {
  if (sameFormat(images, format)) return images;
  if (images.channels !== format.channels) {
    throw new ShapeError({
      where,
      message: `images of ${formatName(images)} were given where they are ${formatName(format)}: the channels differ.`,
      fix: 'Repeat a grey channel three times, or weigh three into one; ImageData and files are converted by themselves.',
    });
  }
  if (resize) return resizeImages(engine, images, format);
  throw new ShapeError({
    where,
    message: `images of ${formatName(images)} were given where they are ${formatName(format)}.`,
    fix: 'Set `resize: true` to stretch them to this size, or cut them beforehand.',
  });
}
