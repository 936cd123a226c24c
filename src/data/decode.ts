/**
 * The one door to decoders of image files: PNG, JPEG, WebP, AVIF and what else the browser or sharp knows. `package.json` maps
 * `#decode` to `decode-node.ts` or `decode-browser.ts`, each of which exports `decodeImage: DecodeImage`.
 */
import { DataError } from '../errors.ts';
import type { RgbaImage } from './rgba.ts';

export interface DecodeOptions {
  /** Side of the square to bring the picture to: its middle. How it is made smaller is the decoder's own. */
  readonly size?: number;
  /** The shorter side before that square is cut out, at least `size`; by default as ImageNet's pictures are tested. */
  readonly shorterSide?: number | undefined;
  /** Pixels above which nothing is decoded; what the decoder allows by default. */
  readonly mostPixels?: number;
}

/** For a square of 224 pixels the shorter side becomes 256. */
export const usualShorterSide = (size: number): number => Math.round((size * 256) / 224);

/**
 * The picture in a file: colours brought to sRGB, 8 bits a channel, of an animation the first frame; turned as its EXIF
 * orientation says, which browsers may heed in a JPEG only. Decoders of JPEG and WebP differ by a few values. `where` names
 * the file in errors. Throws DataError when it cannot be decoded.
 */
export type DecodeImage = (file: Blob, where: string, options?: DecodeOptions) => Promise<RgbaImage>;

export const undecodable = (where: string, cause: unknown): DataError => {
  // Decoders tell of several faults in several lines.
  const reason = (cause instanceof Error ? cause.message : String(cause)).trim().replace(/\s*\n\s*/g, '; ');
  return new DataError({
    where,
    message: `cannot decode this image: ${reason.replace(/\.$/, '')}.`,
    fix: 'Give a whole PNG, JPEG, WebP or AVIF file.',
    cause,
  });
};
