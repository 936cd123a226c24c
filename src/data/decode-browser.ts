/** Image files in the browser: its own decoders, on a page or in a worker. */
import { type DecodeImage, undecodable } from './decode.ts';

export const decodeImage: DecodeImage = async (file, where) => {
  try {
    const bitmap = await createImageBitmap(file, { imageOrientation: 'from-image', premultiplyAlpha: 'none' });
    try {
      const { width, height } = bitmap;
      const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
      if (!context) throw new Error('this browser gives no canvas to read it from');
      context.drawImage(bitmap, 0, 0);
      return context.getImageData(0, 0, width, height);
    } finally {
      bitmap.close();
    }
  } catch (error) {
    throw undecodable(where, error);
  }
};
