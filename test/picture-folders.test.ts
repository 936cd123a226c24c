/** Data sets as folders of pictures, a folder a class. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadDataset } from '../src/data/load-dataset.ts';
import { DataError } from '../src/errors.ts';
import { inFolder } from './support/in-folder.ts';
import { refusal } from './support/refusal.ts';

type Colour = readonly [number, number, number];
const RED: Colour = [255, 0, 0];
const GREEN: Colour = [0, 255, 0];
const BLUE: Colour = [0, 0, 255];

/** A picture of one colour, with a frame of another around its middle square. */
async function picture(width: number, height: number, colour: Colour, frame: Colour = colour): Promise<Buffer> {
  const side = Math.min(width, height);
  const [left, top] = [(width - side) / 2, (height - side) / 2];
  const data = Buffer.alloc(3 * width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const isInside = x >= left && x < left + side && y >= top && y < top + side;
      data.set(isInside ? colour : frame, 3 * (y * width + x));
    }
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

async function put(folder: string, files: Readonly<Record<string, Buffer | string>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), content);
  }
}

const pixelOf = ({ images }: { images: Uint8Array }, at: number): number[] => [...images.subarray(3 * at, 3 * at + 3)];

test('a folder a class: names, labels and pixels, other files passed over', () =>
  inFolder(async (folder) => {
    await put(folder, {
      'train/cat/b.png': await picture(4, 4, RED),
      'train/cat/a.PNG': await picture(4, 4, GREEN),
      'train/dog/c.png': await picture(4, 4, BLUE),
      'train/dog/notes.txt': 'none of these is a picture',
      'val/dog/d.png': await picture(4, 4, RED),
      'val/cat/e.png': await picture(4, 4, BLUE),
    });
    const { train, test: held } = await loadDataset(folder);
    assert.equal(train.classNames, ['cat', 'dog']);
    assert.equal([...train.labels, ...held.labels], [0, 0, 1, 0, 1]);
    assert.equal([train.height, train.width, train.channels, train.classes], [4, 4, 3, 2]);
    assert.equal(
      [0, 16, 32].map((at) => pixelOf(train, at)),
      [GREEN, RED, BLUE],
    );
    assert.equal(pixelOf(held, 0), BLUE);
  }));

test('with a size every picture is brought to it: the middle of it, as a square', () =>
  inFolder(async (folder) => {
    await put(folder, {
      'train/wide/a.png': await picture(96, 32, RED, BLUE),
      'train/high/b.png': await picture(40, 90, GREEN, BLUE),
      'test/high/c.png': await picture(32, 32, RED),
    });
    const { train, test: held } = await loadDataset(folder, { imageSize: 16 });
    assert.equal([train.height, train.width, held.height], [16, 16, 16]);
    // The frame lies outside the middle square, of which the inner 7/8 are left.
    const blue = Array.from({ length: 2 * 16 * 16 }, (_, at) => pixelOf(train, at)[2]!);
    assert.ok(Math.max(...blue) < 8, `${Math.max(...blue)} of the frame`);
    assert.equal([pixelOf(train, 0), pixelOf(train, 16 * 16)], [GREEN, RED]);
    const said = (await refusal(loadDataset(folder))).message;
    assert.match(said, /a\.png: this picture is 32×96×3, the first one 90×40×3.*--image-size/);
  }));

test('what is no data set is refused by name', () =>
  inFolder(async (folder) => {
    const one = await picture(4, 4, RED);
    await put(folder, { 'train/cat/a.png': one, 'val/cow/b.png': one });
    const strange = await refusal(loadDataset(folder));
    assert.instance(strange, DataError);
    assert.match(strange.message, /cow: there is no such class in train: "cow"/);
    await put(folder, { 'train/cow/c.png': 'no picture' });
    assert.match((await refusal(loadDataset(folder))).message, /c\.png: cannot decode this image/);
    await put(folder, { 'other/train/cat/a.png': one });
    assert.match((await refusal(loadDataset(join(folder, 'other')))).message, /no data set in a known format/);
    await put(folder, { 'other/val/cat/notes.txt': '' });
    assert.match((await refusal(loadDataset(join(folder, 'other')))).message, /val: there are no pictures/);
  }));

test.run();
