/** Some pictures of each class, as PNG within a page. */
import { encode } from 'fast-png';
import { classIndices, type ImageDataset } from '../data/dataset.ts';
import { bytesPerImage } from '../data/image-bytes.ts';
import { spreadPlaces } from '../data/moments.ts';

/** Pixels that a side has at most: larger pictures become smaller by a whole number. */
const MOST_SIDE = 96;

export interface SheetPicture {
  /** A `data:` address. */
  readonly address: string;
  readonly width: number;
  readonly height: number;
}

/** Means over squares of `factor` pixels; of other channels than grey and colour the first ones are shown. */
function smaller({ height, width, channels }: ImageDataset, pixels: Uint8Array, factor: number) {
  const shown = channels < 3 ? 1 : 3;
  const [high, wide] = [Math.floor(height / factor), Math.floor(width / factor)];
  const data = new Uint8Array(high * wide * shown);
  for (let at = 0; at < data.length; at++) {
    const [channel, pixel] = [at % shown, Math.floor(at / shown)];
    const [top, left] = [factor * Math.floor(pixel / wide), factor * (pixel % wide)];
    let sum = 0;
    for (let y = top; y < top + factor; y++)
      for (let x = left; x < left + factor; x++) sum += pixels[(y * width + x) * channels + channel]!;
    data[at] = Math.round(sum / factor ** 2);
  }
  return { width: wide, height: high, data, channels: shown };
}

/** A picture within a page. */
export function pngAddress(png: Uint8Array): string {
  let text = '';
  for (const byte of png) text += String.fromCharCode(byte);
  return `data:image/png;base64,${btoa(text)}`;
}

/**
 * Up to `each` pictures of every class in label order, spread over those that it has.
 * @param each how many of a class.
 */
export function pictureSheet(set: ImageDataset, each: number): SheetPicture[][] {
  const bytes = bytesPerImage(set);
  const factor = Math.max(1, Math.floor(Math.min(set.height, set.width) / MOST_SIDE));
  return classIndices(set).map((indices) =>
    spreadPlaces(indices.length, each).map((place) => {
      const index = indices[place]!;
      const picture = smaller(set, set.images.subarray(index * bytes, (index + 1) * bytes), factor);
      return { address: pngAddress(encode(picture)), width: picture.width, height: picture.height };
    }),
  );
}
