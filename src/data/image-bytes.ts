/** Images as bytes: what a memory keeps, a file holds and the GPU is given. */
import { ArgumentError, ShapeError } from '../errors.ts';
import { show } from '../tensor/shape.ts';

/** What all images of a learner have in common. */
export interface ImageFormat {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Images of one format: pixels 0 … 255, row-major [count, height, width, channels]. */
export interface ImageBytes extends ImageFormat {
  /** count · height · width · channels bytes. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** How many images there are. */
  readonly count: number;
}

/** For people: `28×28×1`, height first as everywhere. */
export const formatName = ({ height, width, channels }: ImageFormat): string => `${height}×${width}×${channels}`;

/** Bytes of one image. */
export const bytesPerImage = ({ height, width, channels }: ImageFormat): number => height * width * channels;

export const sameFormat = (a: ImageFormat, b: ImageFormat): boolean =>
  a.height === b.height && a.width === b.width && a.channels === b.channels;

/** The format alone. */
export const formatOf = ({ height, width, channels }: ImageFormat): ImageFormat => ({ height, width, channels });

/** @throws {ShapeError} unless count, height, width and channels are whole numbers of at least 1. @returns them, in this order. */
export function checkImageShape(images: ImageFormat & Pick<ImageBytes, 'count'>, where: string): number[] {
  const { count, height, width, channels } = images;
  const shape = [count, height, width, channels];
  if (!shape.every((n) => Number.isInteger(n) && n > 0)) {
    throw new ShapeError({
      where,
      message: `${show(shape)} is no shape of images: count, height, width and channels must be whole numbers of at least 1.`,
    });
  }
  return shape;
}

/**
 * Checks that the pixels are as many as the numbers beside them say.
 * @throws {ShapeError} when they are not, or count, height, width and channels are not whole numbers of at least 1.
 */
export function checkImageBytes<T extends ImageBytes>(images: T, where: string): T {
  const shape = checkImageShape(images, where);
  const { data, count } = images;
  const expected = count * bytesPerImage(images);
  if (data.length !== expected) {
    throw new ShapeError({
      where,
      message: `${data.length} pixel values do not fill images of shape ${show(shape)}: ${expected} were expected.`,
      fix: 'Check the shape [count, height, width, channels]; the channels of a pixel lie side by side.',
    });
  }
  return images;
}

/** Copies of the pixels of some images, in the order of the indices. */
export function pixelsAt(
  images: ImageFormat & Pick<ImageBytes, 'data'>,
  indices: ArrayLike<number>,
): Uint8Array<ArrayBuffer> {
  const bytes = bytesPerImage(images);
  const pixels = new Uint8Array(indices.length * bytes);
  for (let place = 0; place < indices.length; place++) {
    const index = indices[place] as number;
    pixels.set(images.data.subarray(index * bytes, (index + 1) * bytes), place * bytes);
  }
  return pixels;
}

/** @throws {ShapeError} unless all are of the first one's format. */
export function checkOneFormat([first, ...others]: readonly ImageFormat[], where: string): void {
  const other = others.find((images) => !sameFormat(images, first as ImageFormat));
  if (!first || !other) return;
  throw new ShapeError({
    where,
    message: `images of ${formatName(first)} and of ${formatName(other)} cannot be joined.`,
    fix: 'Bring them to one format first.',
  });
}

/**
 * Several lots of images of one format in one, in order; a single one is returned as it is.
 * @throws {ArgumentError} when there are none.
 * @throws {ShapeError} when their formats differ.
 */
export function joinImages(lots: readonly ImageBytes[], where: string): ImageBytes {
  const [first, ...others] = lots;
  if (!first) throw new ArgumentError({ where, message: 'there are no images.', fix: 'Give at least one.' });
  if (others.length === 0) return first;
  checkOneFormat(lots, where);
  const data = new Uint8Array(lots.reduce((total, images) => total + images.data.length, 0));
  let at = 0;
  for (const images of lots) {
    data.set(images.data, at);
    at += images.data.length;
  }
  return { data, count: lots.reduce((total, { count }) => total + count, 0), ...formatOf(first) };
}
