/** The same images in another domain: rotated (Lopez-Paz and Ranzato 2017), or their pixels permuted (Goodfellow et al. 2014). */
import { bytesPerImage, type ImageBytes } from '../../data/image-bytes.ts';

/**
 * Rotated counter-clockwise about the centre, bilinear; what lies outside is 0.
 * @param degrees any number; at 0 the images are as they were.
 */
export function rotatedImages(images: ImageBytes, degrees: number): ImageBytes {
  const { data, count, height, width, channels } = images;
  if (degrees % 360 === 0) return images;
  const { from, weights } = bilinear(height, width, degrees);
  const bytes = bytesPerImage(images);
  const out = new Uint8Array(data.length);
  for (let start = 0; start < count * bytes; start += bytes) {
    for (let pixel = 0; pixel < height * width; pixel++) {
      const at = 4 * pixel;
      for (let c = start; c < start + channels; c++) {
        let sum = 0;
        for (let corner = at; corner < at + 4; corner++)
          sum += (weights[corner] as number) * (data[c + (from[corner] as number) * channels] as number);
        out[c + pixel * channels] = Math.round(sum);
      }
    }
  }
  return { data: out, count, height, width, channels };
}

/** For each pixel of a rotated image the four of the original around the place it is read at, and how much each counts. */
function bilinear(height: number, width: number, degrees: number): { from: Uint32Array; weights: Float64Array } {
  const radians = (degrees * Math.PI) / 180;
  // In single precision: no pixel depends on the last digit of a machine's sine.
  const [cos, sin] = [Math.fround(Math.cos(radians)), Math.fround(Math.sin(radians))];
  const [centreX, centreY] = [(width - 1) / 2, (height - 1) / 2];
  const from = new Uint32Array(4 * height * width);
  const weights = new Float64Array(4 * height * width);
  for (let pixel = 0; pixel < height * width; pixel++) {
    const [dx, dy] = [(pixel % width) - centreX, Math.floor(pixel / width) - centreY];
    const [x, y] = [centreX + cos * dx - sin * dy, centreY + sin * dx + cos * dy];
    const [left, top] = [Math.floor(x), Math.floor(y)];
    for (let corner = 0; corner < 4; corner++) {
      const [column, row] = [left + (corner & 1), top + (corner >> 1)];
      // Outside counts nothing, whichever pixel stands for it.
      if (column < 0 || column >= width || row < 0 || row >= height) continue;
      from[4 * pixel + corner] = row * width + column;
      weights[4 * pixel + corner] = (1 - Math.abs(x - column)) * (1 - Math.abs(y - row));
    }
  }
  return { from, weights };
}

/** Pixels in another order, the same for all images; channels stay together. @param order pixel i comes from place order[i]. */
export function permutedImages(images: ImageBytes, order: ArrayLike<number>): ImageBytes {
  const { data, count, channels } = images;
  const bytes = bytesPerImage(images);
  const out = new Uint8Array(data.length);
  for (let start = 0; start < count * bytes; start += bytes)
    for (let i = 0; i < order.length; i++)
      for (let c = 0; c < channels; c++)
        out[start + i * channels + c] = data[start + (order[i] as number) * channels + c] as number;
  return { ...images, data: out };
}
