/** Pictures in files as people have them: turned, animated, huge, empty, damaged. */
import { join } from 'node:path';
import sharp from 'sharp';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadDataset } from '../src/data/load-dataset.ts';
import { DataError } from '../src/errors.ts';
import { inFolder } from './support/in-folder.ts';
import { BLUE, GREEN, picture, pixelOf, RED, raw, turnedJpeg } from './support/pictures.ts';
import { put } from './support/put.ts';
import { refusal } from './support/refusal.ts';

/** Two classes of a picture each in both parts, and one more. */
async function putWith(folder: string, name: string, content: Uint8Array | string): Promise<void> {
  const good = await picture(8, 8, GREEN);
  const files = ['train/cat/b.png', 'train/dog/b.png', 'val/cat/b.png', 'val/dog/b.png'];
  await put(folder, { ...Object.fromEntries(files.map((file) => [file, good])), [`train/cat/${name}`]: content });
}

test('JPEG, PNG, WebP, AVIF and GIF are read', () =>
  inFolder(async (folder) => {
    const plain = raw(16, 16, new Uint8Array(3 * 256).fill(120));
    const files = {
      'a.jpg': await plain.clone().jpeg().toBuffer(),
      'b.jpeg': await plain.clone().jpeg().toBuffer(),
      'c.png': await plain.clone().png().toBuffer(),
      'd.webp': await plain.clone().webp().toBuffer(),
      'e.avif': await plain.clone().avif().toBuffer(),
      'f.gif': await plain.clone().gif().toBuffer(),
    };
    for (const part of ['train/x', 'train/y', 'val/x'])
      await put(folder, Object.fromEntries(Object.entries(files).map(([name, file]) => [`${part}/${name}`, file])));
    const { train, test: held } = await loadDataset(folder);
    assert.equal([train.labels.length, held.labels.length], [12, 6]);
    const off = train.images.map((pixel) => Math.abs(pixel - 120));
    assert.ok(Math.max(...off) <= 3, `off by ${Math.max(...off)}`);
  }));

test('a picture is turned as its EXIF orientation says', () =>
  inFolder(async (folder) => {
    // Red on the left and blue on the right come to the top and to the bottom.
    const turned = await turnedJpeg(8);
    await put(folder, { 'train/a/1.jpg': turned, 'train/b/1.jpg': turned, 'val/a/1.jpg': turned });
    const { train } = await loadDataset(folder);
    assert.equal([train.height, train.width], [16, 8]);
    const [top, bottom] = [pixelOf(train, 8 * 2 + 4), pixelOf(train, 8 * 13 + 4)];
    assert.ok(top[0]! > 240 && top[2]! < 15, `top ${top}`);
    assert.ok(bottom[2]! > 240 && bottom[0]! < 15, `bottom ${bottom}`);
  }));

test('of an animation the first picture is taken', () =>
  inFolder(async (folder) => {
    const frames = await Promise.all([RED, BLUE, GREEN].map((colour) => picture(8, 8, colour)));
    const animated = sharp(frames, { join: { animated: true } });
    await putWith(folder, 'a.webp', await animated.clone().webp({ lossless: true }).toBuffer());
    assert.is((await sharp(join(folder, 'train/cat/a.webp')).metadata()).pages, 3);
    await put(folder, { 'train/cat/a0.gif': await animated.clone().gif().toBuffer() });
    const { train } = await loadDataset(folder);
    assert.equal(
      [0, 1, 2].map((image) => pixelOf(train, image * 64)),
      [RED, RED, GREEN],
    );
  }));

test('bad pictures are refused by name, or left out and counted', () =>
  inFolder(async (folder) => {
    const jpeg = await sharp({
      create: { width: 8, height: 8, channels: 3, background: 'red', noise: { type: 'gaussian', sigma: 30 } },
    })
      .jpeg()
      .toBuffer();
    await putWith(folder, 'a.jpg', jpeg.subarray(0, jpeg.length - 60));
    const said = (await refusal(loadDataset(folder))).message;
    assert.match(said, /a\.jpg: cannot decode this image: .*--bad-pictures skip/);
    await put(folder, { 'train/dog/none.png': '' });
    const { train, test: held, notes } = await loadDataset(folder, { badPictures: 'skip' });
    assert.equal(
      [[...train.labels], [...held.labels]],
      [
        [0, 1],
        [0, 1],
      ],
    );
    assert.equal([pixelOf(train, 0), train.images.length], [GREEN, 2 * 3 * 64]);
    assert.is(notes?.length, 1);
    assert.match(
      notes?.[0] ?? '',
      /^2 bad pictures were left out: train\/cat\/a\.jpg: cannot decode .*; train\/dog\/none\.png: this picture is empty, 0 bytes$/,
    );
    const many = Object.fromEntries(Array.from({ length: 7 }, (_, i) => [`train/cat/x${i}.png`, '']));
    await put(folder, many);
    assert.match(
      (await loadDataset(folder, { badPictures: 'skip' })).notes?.[0] ?? '',
      /^9 bad pictures .*; and 6 more$/,
    );
  }));

test('an empty file is told as such', () =>
  inFolder(async (folder) => {
    await putWith(folder, 'a.png', '');
    const error = await refusal(loadDataset(folder));
    assert.instance(error, DataError);
    assert.match(error.message, /a\.png: this picture is empty, 0 bytes\./);
  }));

test('where every picture is bad there is no set', () =>
  inFolder(async (folder) => {
    await put(folder, { 'train/a/1.png': 'x', 'train/b/1.png': 'y', 'val/a/1.png': 'z' });
    assert.match(
      (await refusal(loadDataset(folder, { badPictures: 'skip' }))).message,
      /of 2 pictures none can be decoded; train\/a\/1\.png: cannot decode/,
    );
  }));

/** A PNG that says it is so large, and has no pixels: who decodes it before its size is looked at finds it damaged. */
function hugePng(width: number, height: number): Buffer {
  const header = Buffer.alloc(33);
  header.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]);
  header.write('IHDR', 12, 'latin1');
  header.writeUInt32BE(width, 16);
  header.writeUInt32BE(height, 20);
  header.set([8, 2, 0, 0, 0], 24);
  return header;
}

test('a picture of a hundred megapixels is refused before it is decoded, unless it is allowed', () =>
  inFolder(async (folder) => {
    await putWith(folder, 'a.png', hugePng(12_000, 9_000));
    const said = (await refusal(loadDataset(folder, { imageSize: 8 }))).message;
    assert.match(
      said,
      /a\.png: this picture is 12000 pixels wide and 9000 high, 108 megapixels; up to 64 are decoded\./,
    );
    assert.match(said, /--max-megapixels N/);
    const { notes } = await loadDataset(folder, { imageSize: 8, badPictures: 'skip' });
    assert.match(notes?.join() ?? '', /108 megapixels/);
    // Allowed, it is handed to the decoder.
    assert.match(
      (await refusal(loadDataset(folder, { imageSize: 8, maxMegapixels: 200 }))).message,
      /a\.png: cannot decode this image/,
    );
    const large = await sharp({ create: { width: 1500, height: 1000, channels: 3, background: '#0f0' } })
      .png()
      .toBuffer();
    await put(folder, { 'train/cat/a.png': large });
    assert.match(
      (await refusal(loadDataset(folder, { imageSize: 8, maxMegapixels: 1 }))).message,
      /2 megapixels; up to 1/,
    );
    assert.equal(pixelOf((await loadDataset(folder, { imageSize: 8, maxMegapixels: 1.5 })).train, 0), GREEN);
  }));

test.run();
