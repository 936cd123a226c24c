/** What visitors of the page Teach show it in tests: pictures of glyphs on their sides, which the network has no name for. */
import { join } from 'node:path';
import sharp from 'sharp';
import type { ImageBytes } from '../../src/data/image-bytes.ts';
import { imagesByClass } from '../../src/data/images-by-class.ts';
import { loadDataset } from '../../src/data/load-dataset.ts';

const { test: glyphs } = await loadDataset('glyphs');
const faces = imagesByClass(glyphs);

/** In faces that the network never saw. */
export function turned(glyph: string, from: number, count: number): ImageBytes {
  const { data, height, width, channels } = faces.get(glyph) as ImageBytes;
  const size = height * width;
  const out = new Uint8Array(count * size);
  for (let at = 0; at < count; at++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        out[at * size + y * width + x] = data[(from + at) * size + (height - 1 - x) * width + y] as number;
  return { data: out, count, height, width, channels };
}

/** As files that a visitor would have: larger ones. */
export async function pngs(
  folder: string,
  name: string,
  { data, count, height, width }: ImageBytes,
): Promise<string[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, at) => {
      const path = join(folder, `${name}-${at}.png`);
      const raw = { width, height, channels: 1 } as const;
      const pixels = data.subarray(at * height * width, (at + 1) * height * width);
      await sharp(pixels, { raw }).resize(112, 112, { kernel: 'nearest' }).png().toFile(path);
      return path;
    }),
  );
}
