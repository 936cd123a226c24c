/** Pictures for tests that read some. */
import sharp, { type Sharp } from 'sharp';

export type Colour = readonly [number, number, number];
export const RED: Colour = [255, 0, 0];
export const GREEN: Colour = [0, 255, 0];
export const BLUE: Colour = [0, 0, 255];

/** A PNG of one colour, with a frame of another around its middle square. */
export async function picture(width: number, height: number, colour: Colour, frame: Colour = colour): Promise<Buffer> {
  const side = Math.min(width, height);
  const [left, top] = [(width - side) / 2, (height - side) / 2];
  const data = Buffer.alloc(3 * width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const isInside = x >= left && x < left + side && y >= top && y < top + side;
      data.set(isInside ? colour : frame, 3 * (y * width + x));
    }
  return raw(width, height, data).png().toBuffer();
}

/** Of pixels, three bytes each. */
export const raw = (width: number, height: number, data: Uint8Array): Sharp =>
  sharp(data, { raw: { width, height, channels: 3 } });

/** The three channels of a pixel of a set, counted through all its images. */
export const pixelOf = ({ images }: { images: Uint8Array }, at: number): number[] => [
  ...images.subarray(3 * at, 3 * at + 3),
];

/** A JPEG of twice the side by the side, red on the left and blue on the right, whose EXIF says to turn it to the right. */
export function turnedJpeg(side: number): Promise<Buffer> {
  const pixels = new Uint8Array(6 * side * side);
  for (let at = 0; at < 2 * side * side; at++) pixels.set(at % (2 * side) < side ? RED : BLUE, 3 * at);
  return raw(2 * side, side, pixels)
    .jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
    .withMetadata({ orientation: 6 })
    .toBuffer();
}

/** A picture whose colour tells which it is. */
export const numbered = (number: number): Promise<Buffer> => picture(2, 2, [number, 255 - number, 7]);

/** The numbers of the pictures of a set. */
export const numbersIn = (set: { labels: ArrayLike<number>; images: Uint8Array }): number[] =>
  Array.from({ length: set.labels.length }, (_, at) => pixelOf(set, 4 * at)[0]!);
