/** Image files in Node: sharp, a package that only who reads image files needs. */
import { DataError } from '../errors.ts';
import { type DecodeImage, undecodable, usualShorterSide } from './decode.ts';

/** @throws {DataError} when it is not installed. */
async function loadSharp(where: string): Promise<typeof import('sharp').default> {
  try {
    return (await import('sharp')).default;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new DataError({
      where,
      message: 'in Node, image files are decoded by the package sharp, which is not installed.',
      fix: 'Run `npm install sharp`, or give the pixels: { data, shape }.',
      cause,
    });
  }
}

/** The middle of a picture, as a square. */
function middle(picture: import('sharp').Sharp, size: number, shorterSide: number): import('sharp').Sharp {
  const edge = Math.floor((shorterSide - size) / 2);
  // Covering a square of that side cuts the longer one already.
  return picture
    .resize(shorterSide, shorterSide, { fit: 'cover', kernel: 'linear' })
    .extract({ left: edge, top: edge, width: size, height: size });
}

export const decodeImage: DecodeImage = async (file, where, { size = 0, shorterSide, mostPixels } = {}) => {
  const sharp = await loadSharp(where);
  try {
    const limit =
      mostPixels === undefined ? {} : { limitInputPixels: Math.floor(Math.min(mostPixels, Number.MAX_SAFE_INTEGER)) };
    const picture = sharp(new Uint8Array(await file.arrayBuffer()), { failOn: 'error', ...limit })
      .autoOrient()
      .toColourspace('srgb')
      .ensureAlpha();
    const sized = size > 0 ? middle(picture, size, shorterSide ?? usualShorterSide(size)) : picture;
    const { data, info } = await sized.raw().toBuffer({ resolveWithObject: true });
    return { data, width: info.width, height: info.height };
  } catch (error) {
    throw undecodable(where, error);
  }
};
