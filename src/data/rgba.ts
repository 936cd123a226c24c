/** Pictures as canvases and decoders have them: RGBA, alpha not multiplied in. */
import { ShapeError } from '../errors.ts';
import type { ImageBytes } from './image-bytes.ts';

/** As `ImageData`: 4·width·height values, row-major; sRGB. */
export interface RgbaImage {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

/**
 * Over white, as a page shows what is transparent: black strokes on nothing stay visible. Three channels, or one: luma, as
 * Rec. 601 weighs red, green and blue.
 * @throws {ShapeError} for any other number of channels, and when the values are not bytes or not as many as the size says.
 */
export function fromRgba({ data, width, height }: RgbaImage, channels: number, where: string): ImageBytes {
  if (channels !== 1 && channels !== 3) {
    throw new ShapeError({
      where,
      message: `a picture becomes 1 channel or 3; ${channels} were asked for.`,
      fix: 'Give arrays { data, shape } where images have other channels.',
    });
  }
  const pixels = width * height;
  const isBytes = data instanceof Uint8ClampedArray || data instanceof Uint8Array;
  if (!isBytes || data.length !== 4 * pixels || pixels === 0) {
    throw new ShapeError({
      where,
      message: `a picture of ${height}×${width} (height × width) holds ${4 * pixels} bytes, RGBA; ${data.length}${isBytes ? '' : ' values of another kind'} were given.`,
      fix: 'Give pixels in any other layout as { data, shape }.',
    });
  }
  const out = new Uint8Array(pixels * channels);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const alpha = data[4 * pixel + 3]! / 255;
    const red = 255 + alpha * (data[4 * pixel]! - 255);
    const green = 255 + alpha * (data[4 * pixel + 1]! - 255);
    const blue = 255 + alpha * (data[4 * pixel + 2]! - 255);
    if (channels === 1) out[pixel] = Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
    else {
      out[3 * pixel] = Math.round(red);
      out[3 * pixel + 1] = Math.round(green);
      out[3 * pixel + 2] = Math.round(blue);
    }
  }
  return { data: out, count: 1, height, width, channels };
}
