/**
 * The one door to decoders of image files: PNG, JPEG, WebP and what else the browser or sharp knows. `package.json` maps
 * `#decode` to `decode-node.ts` or `decode-browser.ts`, each of which exports `decodeImage: DecodeImage`.
 */
import { DataError } from '../errors.ts';
import type { RgbaImage } from './rgba.ts';

export interface DecodeOptions {
  /**
   * Side of the square to bring the picture to: its shorter side to 256/224 of it, as ImageNet's pictures are tested, and the middle
   * cut out. How it is made smaller is the decoder's own.
   */
  readonly size?: number;
}

/** What is left of the shorter side by the cut. */
export const MIDDLE = 224 / 256;

/**
 * The picture in a file: colours brought to sRGB, 8 bits a channel, of an animation the first frame; turned as its EXIF
 * orientation says, which browsers may heed in a JPEG only. Decoders of JPEG and WebP differ by a few values. `where` names
 * the file in errors. Throws DataError when it cannot be decoded.
 */
export type DecodeImage = (file: Blob, where: string, options?: DecodeOptions) => Promise<RgbaImage>;

export const undecodable = (where: string, cause: unknown): DataError =>
  new DataError({
    where,
    message: `cannot decode this image: ${(cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, '')}.`,
    fix: 'Give a whole PNG, JPEG or WebP file.',
    cause,
  });
