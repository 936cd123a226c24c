/** Image files in the browser: its own decoders, on a page or in a worker. */
import { type DecodeImage, undecodable, usualShorterSide } from './decode.ts';

export const decodeImage: DecodeImage = async (
  file,
  where,
  { size = 0, shorterSide = usualShorterSide(size) } = {},
) => {
  try {
    const bitmap = await createImageBitmap(file, { imageOrientation: 'from-image', premultiplyAlpha: 'none' });
    try {
      const [width, height] = size > 0 ? [size, size] : [bitmap.width, bitmap.height];
      const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
      if (!context) throw new Error('this browser gives no canvas to read it from');
      context.imageSmoothingQuality = 'high';
      if (size > 0) {
        const side = (size / shorterSide) * Math.min(bitmap.width, bitmap.height);
        const [left, top] = [(bitmap.width - side) / 2, (bitmap.height - side) / 2];
        context.drawImage(bitmap, left, top, side, side, 0, 0, size, size);
      } else {
        context.drawImage(bitmap, 0, 0);
      }
      return context.getImageData(0, 0, width, height);
    } finally {
      bitmap.close();
    }
  } catch (error) {
    throw undecodable(where, error);
  }
};
