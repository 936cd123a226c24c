/** Image files in Node: sharp, a package that only who reads image files needs. */
import { DataError } from '../errors.ts';
import { type DecodeImage, undecodable } from './decode.ts';

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

export const decodeImage: DecodeImage = async (file, where) => {
  const sharp = await loadSharp(where);
  try {
    const { data, info } = await sharp(new Uint8Array(await file.arrayBuffer()), { failOn: 'error' })
      .autoOrient()
      .toColourspace('srgb')
      .ensureAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { data, width: info.width, height: info.height };
  } catch (error) {
    throw undecodable(where, error);
  }
};
