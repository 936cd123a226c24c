/** Pictures in files, decoded into the one array that a set is; a few at a time, in their own order whichever is done first. */
import { imageDimensionsFromData } from 'image-dimensions';
import { decodeImage } from '#decode';
import { DataError } from '../errors.ts';
import type { ImageDataset, PictureSizes } from './dataset.ts';
import { joinPath } from './files.ts';
import { bytesPerImage, formatName, type ImageBytes, type ImageFormat, sameFormat } from './image-bytes.ts';
import type { ReadOptions } from './reader.ts';
import { fromRgba } from './rgba.ts';

/** A picture that is not read yet. */
export interface Picture {
  /** Within the source. */
  readonly name: string;
  readonly label: number;
  /** @throws {DataError} when it cannot be read. */
  read(): Promise<Uint8Array<ArrayBuffer>>;
}

/** Readers of pictures in files heed all these. */
export const PICTURE_OPTIONS = ['imageSize', 'imageResize', 'badPictures', 'maxMegapixels'] as const;
export type PictureOptions = Pick<ReadOptions, (typeof PICTURE_OPTIONS)[number]>;

/** Pictures are not of one size, and none was asked for. */
export class MixedSizesError extends DataError {}

/** What photographs have; scans and maps that a few of would fill the memory have more. */
const MOST_MEGAPIXELS = 64;
const CHANNELS = 3;
/** Pictures that are decoded at the same time: as many as Node has threads for it. */
const AT_ONCE = 4;
/** As many bad ones are named. */
const NAMED = 3;

/** Decodes the parts of one set, all to one size. */
export class PictureDecoder {
  /** What all are. */
  private format: ImageFormat | undefined;
  /** Why, by name. */
  private readonly bad = new Map<string, string>();
  private smallest: PictureSizes['smallest'] | undefined;
  private largest: PictureSizes['largest'] | undefined;

  /**
   * @param where the set lies.
   * @throws {DataError} for a size to cut out that is larger than what it is cut out of.
   */
  constructor(
    private readonly where: string,
    private readonly options: PictureOptions,
  ) {
    const { imageSize = 0, imageResize } = options;
    if (imageResize === undefined || (imageSize > 0 && imageResize >= imageSize)) return;
    throw new DataError({
      where: '--image-resize',
      message: `no square of ${imageSize} pixels can be cut out of pictures with a shorter side of ${imageResize}.`,
      fix: 'Give --image-size too, and a shorter side of at least that (`imageSize` and `imageResize` of loadDataset()).',
    });
  }

  /** Of the pictures so far, as their files have them; undefined where no file said. */
  get sizes(): PictureSizes | undefined {
    return this.smallest && this.largest && { smallest: this.smallest, largest: this.largest };
  }

  /** What people are to know of them. */
  get notes(): string[] {
    const count = this.bad.size;
    if (count === 0) return [];
    const named = [...this.bad].slice(0, NAMED).map(([name, reason]) => `${name}: ${reason}`);
    const more = count > NAMED ? `; and ${count - NAMED} more` : '';
    return [`${count} bad ${count === 1 ? 'picture was' : 'pictures were'} left out: ${named.join('; ')}${more}`];
  }

  /**
   * The pixels and labels of a part.
   * @param count at most so many pictures come.
   * @throws {DataError} for a picture that cannot be read or decoded, or has too many pixels, unless those are to be left out.
   * @throws {MixedSizesError} when pictures are of different sizes and none was asked for.
   */
  async decode(
    pictures: Iterable<Picture> | AsyncIterable<Picture>,
    count: number,
  ): Promise<Pick<ImageDataset, 'images' | 'labels' | 'height' | 'width' | 'channels'>> {
    const labels = new Uint16Array(count);
    let images: Uint8Array<ArrayBuffer> | undefined;
    let done = 0;
    for await (const lot of inLots(pictures)) {
      const decoded = await Promise.all(lot.map((picture) => this.tryPicture(picture)));
      for (const [i, picture] of lot.entries()) {
        const image = this.taken(picture, decoded[i]!);
        if (!image) continue;
        const bytes = bytesPerImage(image);
        images ??= room(count, bytes, this.where);
        images.set(image.data, done * bytes);
        labels[done++] = picture.label;
      }
    }
    if (!images || !this.format) {
      throw new DataError({
        where: this.where,
        message:
          count === 0
            ? 'there are no pictures.'
            : `of ${count} pictures none can be decoded; ${[...this.bad][0]?.join(': ')}.`,
        fix: 'Put JPEG, PNG, WebP or AVIF files there.',
      });
    }
    const { height, width, channels } = this.format;
    const bytes = bytesPerImage(this.format);
    const isWhole = done === count;
    return {
      images: isWhole ? images : images.slice(0, done * bytes),
      labels: isWhole ? labels : labels.slice(0, done),
      height,
      width,
      channels,
    };
  }

  /** The picture, or the error for a bad one: what becomes of that is decided in the order of the pictures, by {@link taken}. */
  async tryPicture(picture: Picture): Promise<ImageBytes | DataError> {
    try {
      return await this.decodeOne(await picture.read(), joinPath(this.where, picture.name));
    } catch (error) {
      if (error instanceof DataError) return error;
      throw error;
    }
  }

  /**
   * The picture, where it is one of the set; undefined for a bad one that is left out.
   * @throws {DataError} for a bad one that is not.
   * @throws {MixedSizesError} for another size than the first one's.
   */
  taken({ name }: Picture, image: ImageBytes | DataError): ImageBytes | undefined {
    if (!(image instanceof DataError)) {
      this.checkFormat(image, name);
      return image;
    }
    if (this.options.badPictures === 'skip') {
      this.bad.set(name, image.reason.replace(/\.$/, ''));
      return undefined;
    }
    throw new DataError({
      where: image.where,
      message: image.reason,
      fix: `${image.fix} Or go without bad pictures: --bad-pictures skip (\`badPictures\` of loadDataset()).`,
      cause: image,
    });
  }

  private async decodeOne(bytes: Uint8Array<ArrayBuffer>, where: string): Promise<ImageBytes> {
    const { imageSize = 0, imageResize, maxMegapixels = MOST_MEGAPIXELS } = this.options;
    if (bytes.length === 0) {
      throw new DataError({ where, message: 'this picture is empty, 0 bytes.', fix: 'Fetch it again.' });
    }
    const size = imageDimensionsFromData(bytes);
    const mostPixels = maxMegapixels * 1e6;
    if (size && size.width * size.height > mostPixels) {
      throw new DataError({
        where,
        message: `this picture is ${size.width} pixels wide and ${size.height} high, ${((size.width * size.height) / 1e6).toFixed(0)} megapixels; up to ${maxMegapixels} are decoded.`,
        fix: 'Make it smaller, or allow more: --max-megapixels N (`maxMegapixels` of loadDataset()).',
      });
    }
    const options = { mostPixels, ...(imageSize > 0 ? { size: imageSize, shorterSide: imageResize } : {}) };
    const image = fromRgba(await decodeImage(new Blob([bytes]), where, options), CHANNELS, where);
    if (size) this.noteSize(size);
    return image;
  }

  private noteSize({ width, height }: { readonly width: number; readonly height: number }): void {
    const pixels = width * height;
    if (!this.smallest || pixels < this.smallest.width * this.smallest.height) this.smallest = { width, height };
    if (!this.largest || pixels > this.largest.width * this.largest.height) this.largest = { width, height };
  }

  /** The first picture decides what all the others are. */
  private checkFormat({ height, width, channels }: ImageFormat, name: string): void {
    const format = { height, width, channels };
    this.format ??= format;
    if (sameFormat(format, this.format)) return;
    throw new MixedSizesError({
      where: joinPath(this.where, name),
      message: `this picture is ${formatName(format)}, the first one ${formatName(this.format)}.`,
      fix: 'Bring all to one size: --image-size N, or `imageSize` of loadDataset().',
    });
  }
}

async function* inLots<T>(items: Iterable<T> | AsyncIterable<T>): AsyncIterable<T[]> {
  let lot: T[] = [];
  for await (const item of items) {
    lot.push(item);
    if (lot.length < AT_ONCE) continue;
    yield lot;
    lot = [];
  }
  if (lot.length > 0) yield lot;
}

/** @throws {DataError} when there are more pixels than an array holds. */
function room(count: number, bytes: number, where: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(count * bytes);
  } catch (cause) {
    throw new DataError({
      where,
      message: `${count} pictures of ${bytes} bytes are ${((count * bytes) / 1e9).toFixed(1)} GB, more than is to be had in one piece here.`,
      fix: 'Ask for a smaller size of the pictures (--image-size), or use a later Node on a machine with more memory.',
      cause,
    });
  }
}
