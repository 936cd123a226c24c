/** The same images in another domain: rotated (Lopez-Paz and Ranzato 2017), or their pixels permuted (Goodfellow et al. 2014). */
import { bytesPerImage, type ImageBytes } from '../../data/image-bytes.ts';

/**
 * Rotated counter-clockwise about the centre, bilinear; what lies outside is 0.
 * @param degrees any number; at 0 the images are as they were.
 */
export function rotatedImages(images: ImageBytes, degrees: number): ImageBytes {
  const { data, count, height, width, channels } = images;
  if (degrees % 360 === 0) return images;
  const radians = (degrees * Math.PI) / 180;
  // In single precision: no pixel depends on the last digit of a machine's sine.
  const [cos, sin] = [Math.fround(Math.cos(radians)), Math.fround(Math.sin(radians))];
  const [centreX, centreY] = [(width - 1) / 2, (height - 1) / 2];
  const bytes = bytesPerImage(images);
  const sums = new Float64Array(count * channels);
  const out = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const fromX = centreX + cos * (x - centreX) - sin * (y - centreY);
      const fromY = centreY + sin * (x - centreX) + cos * (y - centreY);
      sums.fill(0);
      for (const [row, column, weight] of corners(fromX, fromY)) {
        if (row < 0 || row >= height || column < 0 || column >= width || weight === 0) continue;
        const from = (row * width + column) * channels;
        for (let i = 0; i < count; i++)
          for (let c = 0; c < channels; c++)
            sums[i * channels + c] =
              (sums[i * channels + c] as number) + weight * (data[i * bytes + from + c] as number);
      }
      const to = (y * width + x) * channels;
      for (let i = 0; i < count; i++)
        for (let c = 0; c < channels; c++) out[i * bytes + to + c] = Math.round(sums[i * channels + c] as number);
    }
  }
  return { data: out, count, height, width, channels };
}

/** The four pixels around a place, with how much each counts there. */
function corners(x: number, y: number): [row: number, column: number, weight: number][] {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [right, below] = [x - left, y - top];
  return [
    [top, left, (1 - right) * (1 - below)],
    [top, left + 1, right * (1 - below)],
    [top + 1, left, (1 - right) * below],
    [top + 1, left + 1, right * below],
  ];
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
