/** Pictures as visitors have them, made square. */
import { DataError } from 'engram';
import type { Given } from './protocol.ts';

/** Sides that are enough for what becomes a few dozen pixels wide. */
const SIDE = 224;

function context(side: number): OffscreenCanvasRenderingContext2D {
  const made = new OffscreenCanvas(side, side).getContext('2d', { willReadFrequently: true });
  if (!made) throw new DataError({ where: 'pictures', message: 'this browser gives no canvas to read them from.' });
  made.imageSmoothingQuality = 'high';
  return made;
}

/**
 * The middle of a picture, as large as it needs to be; upright, as its camera says.
 * @throws {DataError} for a file that this browser cannot read as a picture.
 */
export async function square(given: Given): Promise<ImageData> {
  if (given instanceof ImageData && given.width === given.height) return given;
  const where = given instanceof File ? given.name : 'the picture';
  const bitmap = await createImageBitmap(given, { imageOrientation: 'from-image' }).catch((cause) => {
    throw new DataError({
      where,
      message: 'this browser cannot read it as a picture.',
      fix: 'Give JPEG, PNG, WebP or what else it shows; of very large photos, smaller copies.',
      cause,
    });
  });
  try {
    const { width, height } = bitmap;
    const [side, shown] = [Math.min(width, height), Math.min(SIDE, width, height)];
    const canvas = context(shown);
    canvas.drawImage(bitmap, (width - side) / 2, (height - side) / 2, side, side, 0, 0, shown, shown);
    return canvas.getImageData(0, 0, shown, shown);
  } finally {
    bitmap.close();
  }
}
