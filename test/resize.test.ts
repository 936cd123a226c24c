/** Resizing on the GPU: against float64, against Pillow, and in parts. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ImageBytes } from '../src/data/image-bytes.ts';
import { type ImageSize, resizeImages } from '../src/data/resize.ts';
import { Random } from '../src/tensor/random.ts';
import { engine } from './support/engine.ts';
import { refusal } from './support/refusal.ts';

function noise(count: number, height: number, width: number, channels: number, seed = 3): ImageBytes {
  const random = new Random(seed);
  const data = Uint8Array.from({ length: count * height * width * channels }, () => random.int(256));
  return { data, count, height, width, channels };
}

/** What each output place of an axis takes of each input place: rows that add up to 1, in float64. */
function weights(size: number, wanted: number): number[][] {
  const scale = size / wanted;
  const support = Math.max(scale, 1);
  return Array.from({ length: wanted }, (_, o) => {
    const centre = (o + 0.5) * scale;
    const row = Array.from({ length: size }, (_, x) => Math.max(0, 1 - Math.abs(x + 0.5 - centre) / support));
    const total = row.reduce((sum, weight) => sum + weight, 0);
    return row.map((weight) => weight / total);
  });
}

/** Both axes at once, float64, not rounded. */
function reference({ data, count, height, width, channels }: ImageBytes, size: ImageSize): Float64Array {
  const [down, across] = [weights(height, size.height), weights(width, size.width)];
  const out = new Float64Array(count * size.height * size.width * channels);
  let at = 0;
  for (let n = 0; n < count; n++) {
    for (const rows of down) {
      for (const columns of across) {
        for (let channel = 0; channel < channels; channel++) {
          rows.forEach((rowWeight, y) => {
            if (rowWeight === 0) return;
            columns.forEach((weight, x) => {
              out[at]! += rowWeight * weight * data[((n * height + y) * width + x) * channels + channel]!;
            });
          });
          at++;
        }
      }
    }
  }
  return out;
}

const CASES: readonly [from: readonly [number, number, number, number], to: readonly [number, number]][] = [
  [
    [3, 17, 23, 3],
    [9, 8],
  ],
  [
    [2, 9, 8, 1],
    [17, 23],
  ],
  [
    [4, 31, 5, 3],
    [7, 13],
  ],
  [
    [1, 1, 1, 3],
    [5, 3],
  ],
  [
    [5, 13, 11, 3],
    [1, 1],
  ],
  [
    [3, 1, 6, 1],
    [4, 1],
  ],
  [
    [2, 6, 7, 2],
    [6, 3],
  ],
  [
    [1, 301, 499, 3],
    [32, 32],
  ],
  [
    [7, 3, 3, 4],
    [2, 5],
  ],
];

for (const [[count, height, width, channels], [toHeight, toWidth]] of CASES) {
  test(`${count} × ${height}×${width}×${channels} to ${toHeight}×${toWidth} is float64's answer, rounded`, async () => {
    const images = noise(count, height, width, channels);
    const size = { height: toHeight, width: toWidth };
    const resized = await resizeImages(engine, images, size);
    assert.equal({ ...resized, data: null }, { ...size, count, channels, data: null });
    const expected = reference(images, size);
    assert.is(resized.data.length, expected.length);
    // A value half-way may go to either side.
    expected.forEach((value, at) => {
      assert.ok(Math.abs(resized.data[at]! - value) <= 0.5 + 1e-3, `value ${at}: ${resized.data[at]}, not ${value}`);
    });
    assert.equal((await resizeImages(engine, images, size)).data, resized.data);
  });
}

/** Images from a linear congruential generator, and `Image.resize((w, h), Image.BILINEAR)` of Pillow 12.3.0. */
const PILLOW: readonly [from: readonly [number, number, number], to: readonly [number, number], answer: number[]][] = [
  [
    [7, 5, 1],
    [3, 4],
    [83, 123, 112, 149, 90, 119, 113, 125, 146, 159, 132, 123],
  ],
  [
    [5, 6, 3],
    [3, 2],
    [101, 149, 163, 142, 129, 163, 132, 140, 128, 152, 128, 166, 91, 122, 100, 76, 107, 97],
  ],
  [
    [3, 2, 3],
    [4, 5],
    [
      166, 171, 246, 163, 165, 229, 153, 143, 160, 143, 120, 90, 140, 114, 73, 210, 115, 127, 203, 123, 131, 173, 156,
      147, 142, 188, 163, 135, 196, 167, 183, 58, 75, 181, 76, 83, 172, 146, 113, 162, 217, 143, 160, 234, 151, 94, 20,
      107, 105, 40, 100, 150, 118, 70, 195, 196, 39, 206, 216, 32,
    ],
  ],
];

test('images come out as from Pillow, which rounds twice', async () => {
  for (const [[height, width, channels], [toHeight, toWidth], answer] of PILLOW) {
    let state = height * width;
    const data = Uint8Array.from({ length: height * width * channels }, () => {
      state = Number((BigInt(state) * 1103515245n + 12345n) % 2n ** 31n);
      return (state >> 16) & 255;
    });
    const { data: resized } = await resizeImages(
      engine,
      { data, count: 1, height, width, channels },
      { height: toHeight, width: toWidth },
    );
    assert.is(resized.length, answer.length);
    answer.forEach((value, at) => {
      assert.ok(Math.abs(resized[at]! - value) <= 1, `${height}×${width}, value ${at}: ${resized[at]}, not ${value}`);
    });
  }
});

test('a set in parts gives the same images, and leaves nothing on the device', async () => {
  const images = noise(11, 9, 7, 3);
  const size = { height: 5, width: 6 };
  const whole = await resizeImages(engine, images, size);
  const before = engine.memory().liveBytes;
  for (const partBytes of [1, 3 * 4 * 9 * 6 * 3 + 4]) {
    assert.equal((await resizeImages(engine, images, size, { partBytes })).data, whole.data);
  }
  await engine.sync();
  assert.is(engine.memory().liveBytes, before);
});

test('a side that stays is copied, and images of the size are returned as they are', async () => {
  const images = noise(2, 6, 5, 3);
  assert.is(await resizeImages(engine, images, images), images);
  // Each row alone, made three times as high: all three are that row.
  const row = noise(1, 1, 5, 3);
  const { data } = await resizeImages(engine, row, { height: 3, width: 5 });
  assert.equal([...data], [...row.data, ...row.data, ...row.data]);
});

test('what cannot be resized is refused', async () => {
  const images = noise(1, 2, 2, 1);
  const message = async (promise: Promise<unknown>): Promise<string> => (await refusal(promise)).message;
  assert.match(await message(resizeImages(engine, images, { height: 0, width: 2 })), /^resizeImages: 0×2 is no size/);
  assert.match(await message(resizeImages(engine, images, { height: 1.5, width: 2 })), /1\.5×2 is no size/);
  assert.match(
    await message(resizeImages(engine, images, { height: 2, width: 2 ** 29 })),
    /2×2×1 are too large to become 2×536870912/,
  );
  const torn = { ...images, count: 2 };
  assert.match(
    await message(resizeImages(engine, torn, { height: 1, width: 1 })),
    /4 pixel values do not fill .*\[2, 2, 2, 1\]/,
  );
});

test.run();
