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

/**
 * Checks that the pixels are as many as the numbers beside them say.
 * @throws {ShapeError} when they are not, or count, height, width and channels are not whole numbers of at least 1.
 */
export function checkImageBytes<T extends ImageBytes>(images: T, where: string): T {
  const { data, count, height, width, channels } = images;
  const shape = [count, height, width, channels];
  if (!shape.every((n) => Number.isInteger(n) && n > 0)) {
    throw new ShapeError({
      where,
      message: `${show(shape)} is no shape of images: count, height, width and channels must be whole numbers of at least 1.`,
    });
  }
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

/**
 * Several lots of images of one format in one, in order; a single one is returned as it is.
 * @throws {ArgumentError} when there are none.
 * @throws {ShapeError} when their formats differ.
 */
export function joinImages(lots: readonly ImageBytes[], where: string): ImageBytes {
  const [first, ...others] = lots;
  if (!first) throw new ArgumentError({ where, message: 'there are no images.', fix: 'Give at least one.' });
  if (others.length === 0) return first;
  const { height, width, channels } = first;
  const data = new Uint8Array(lots.reduce((total, images) => total + images.data.length, 0));
  let at = 0;
  for (const images of lots) {
    if (!sameFormat(images, first)) {
      throw new ShapeError({
        where,
        message: `images of ${formatName(first)} and of ${formatName(images)} cannot be joined.`,
        fix: 'Bring them to one format first.',
      });
    }
    data.set(images.data, at);
    at += images.data.length;
  }
  return { data, count: lots.reduce((total, { count }) => total + count, 0), height, width, channels };
}
