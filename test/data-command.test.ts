/** `engram data`: what a set holds, in the terminal, as JSON and as a page. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { classIndices, type ImageDataset } from '../src/data/dataset.ts';
import { describeDataset } from '../src/data/describe.ts';
import { sharedImages } from '../src/data/duplicates.ts';
import { loadDataset } from '../src/data/load-dataset.ts';
import { pictureSheet } from '../src/report/picture-sheet.ts';
import { openPage } from './support/browser.ts';
import { engram, refusedIn } from './support/command.ts';
import { given } from './support/given.ts';
import { inFolder } from './support/in-folder.ts';
import { BLUE, GREEN, picture, RED } from './support/pictures.ts';
import { put } from './support/put.ts';

/** A set of images of one grey value each. */
const greys = (values: readonly number[], labels: readonly number[], classes = 3): ImageDataset => ({
  name: 'greys',
  images: Uint8Array.from(values.flatMap((value) => [value, value, value, value])),
  labels: Uint8Array.from(labels),
  height: 2,
  width: 2,
  channels: 1,
  classes,
});

test('images in both parts are found, and those under another class told', () => {
  const train = greys([10, 20, 30, 30], [0, 1, 2, 1]);
  assert.equal(sharedImages(train, greys([40, 50], [0, 0])), { images: 0, otherClass: 0 });
  // 20 is of class 1 there; 30 of classes 2 and 1, of which one agrees.
  assert.equal(sharedImages(train, greys([10, 20, 20, 30, 7], [0, 1, 2, 1, 0])), { images: 4, otherClass: 1 });
  assert.equal(sharedImages(train, { ...greys([10], [0]), height: 4, width: 1 }), { images: 0, otherClass: 0 });
});

test('images that agree in a hash alone are not the same', () => {
  // Found by trying: FNV-1a of 32 bits gives both of these one value.
  const [one, other] = collision();
  const set = (pixels: readonly number[]): ImageDataset => ({ ...greys([0], [0]), images: Uint8Array.from(pixels) });
  assert.equal(sharedImages(set(one), set(other)), { images: 0, otherClass: 0 });
  assert.equal(sharedImages(set(one), set(one)), { images: 1, otherClass: 0 });
});

/** Two different images of four pixels with one hash: among 200 000 there are some. */
function collision(): [number[], number[]] {
  const known = new Map<number, number>();
  const pixels = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >> shift) & 0xff);
  for (let n = 1; ; n++) {
    const value = Math.imul(n, 0x9e3779b1);
    let hash = 0x811c9dc5;
    for (const pixel of pixels(value)) hash = Math.imul(hash ^ pixel, 0x01000193);
    const other = known.get(hash);
    if (other !== undefined && other !== value) return [pixels(other), pixels(value)];
    known.set(hash, value);
  }
}

test('a set is described by its counts, its moments and what its parts share', () => {
  const [train, test] = [greys([0, 255, 255], [0, 2, 2]), greys([255, 9], [1, 0])];
  const described = describeDataset({ split: { train, test, notes: ['a note'] }, format: 'own' });
  assert.equal(described.classes, [
    { name: '0', train: 1, test: 1 },
    { name: '1', train: 0, test: 1 },
    { name: '2', train: 2, test: 0 },
  ]);
  assert.equal([described.train, described.test, described.images], [3, 2, { height: 2, width: 2, channels: 1 }]);
  assert.ok(Math.abs(described.moments.mean[0]! - 2 / 3) < 1e-12);
  assert.ok(Math.abs(described.moments.std[0]! - Math.sqrt(2) / 3) < 1e-12);
  assert.equal([described.shared, described.notes], [{ images: 1, otherClass: 1 }, ['a note']]);
});

const pngOf = (address: string) => decode(Buffer.from(address.replace('data:image/png;base64,', ''), 'base64'));

test('the sheet shows pictures of each class as they are, large ones by means over squares', async () => {
  const { train } = await loadDataset('fashion-mini');
  const sheet = pictureSheet(train, 3);
  assert.equal([sheet.length, ...new Set(sheet.map(({ length }) => length))], [10, 3]);
  for (const [label, indices] of classIndices(train).entries()) {
    const first = pngOf(sheet[label]![0]!.address);
    assert.equal([first.width, first.height, first.channels], [28, 28, 1]);
    assert.equal(Uint8Array.from(first.data), train.images.slice(784 * indices[0]!, 784 * (indices[0]! + 1)));
  }
  const ramp: ImageDataset = {
    ...greys([0], [1], 2),
    height: 192,
    width: 200,
    channels: 4,
    images: new Uint8Array(4 * 192 * 200),
  };
  for (let at = 0; at < ramp.images.length; at++) ramp.images[at] = (at % 4) * 40 + (Math.floor(at / 4) % 2);
  const [none, [shown]] = pictureSheet(ramp, 5) as [unknown[], { address: string; width: number; height: number }[]];
  assert.equal([none.length, shown!.width, shown!.height], [0, 100, 96]);
  const { data, channels } = pngOf(shown!.address);
  // Means of 0 and 1, and of 40 and 41, round up; the fourth channel is not shown.
  assert.equal([channels, ...data.slice(0, 6)], [3, 1, 41, 81, 1, 41, 81]);
});

/** Two classes in pictures of different sizes; one of the test is learnt too. */
async function putPhotos(folder: string): Promise<void> {
  const same = await picture(30, 20, RED);
  await put(folder, {
    'train/<b>cat/1.png': same,
    'train/<b>cat/2.png': await picture(20, 40, GREEN),
    'train/dog/1.png': await picture(20, 20, BLUE),
    'test/<b>cat/1.png': same,
  });
}

test('the command describes a folder whose pictures are of different sizes', () =>
  inFolder(async (folder) => {
    const photos = join(folder, 'photos');
    await putPhotos(photos);
    const { code, out, errors } = await engram('data', photos);
    assert.equal([code, errors], [0, '']);
    assert.match(out, /format\s+folders of pictures/);
    assert.match(
      out.replace(/\s+/g, ' '),
      /64×64×3 \(height × width × channels\), of files of 20 × 20 to 20 × 40 pixels/,
    );
    assert.match(out, /to learn from\s+3 images, 1 to 2 a class/);
    assert.match(out, /in both parts\s+1 of 1 test image\n/);
    assert.match(out, /were brought to 64×64: to learn from them say --image-size/);
    assert.match(out, /class +│ number │ train │ test │/);
    assert.match(out, /<b>cat │ +0 │ +2 │ +1 │/);
    assert.match(out, /dog +│ +1 │ +1 │ +0 │/);
    const json = JSON.parse((await engram('data', photos, '--image-size', '8', '--json')).out);
    assert.equal(json.images, { height: 8, width: 8, channels: 3 });
    assert.equal(json.classes, [
      { name: '<b>cat', train: 2, test: 1 },
      { name: 'dog', train: 1, test: 0 },
    ]);
  }));

test('the page is one file that holds all it shows', () =>
  inFolder(async (folder) => {
    const photos = join(folder, 'photos');
    await putPhotos(photos);
    const page = join(folder, 'deep', 'page.html');
    const { code, out } = await engram('data', photos, '--html', page, '--image-size', '16');
    assert.is(code, 0);
    assert.match(out, /page\s+.*page\.html/);
    const text = readFileSync(page, 'utf8');
    assert.not.match(text, /<script|<link|https?:|url\(|<b>/);
    assert.match(text, /<h3>&lt;b&gt;cat<\/h3>/);
    assert.match(text, /<p>class 0: 2 to learn from, 1 to test on/);
    const pictures = [...text.matchAll(/src="(data:image\/png[^"]+)"/g)].map(([, address = '']) => pngOf(address));
    assert.equal(
      pictures.map(({ width, data }) => [width, ...data.slice(0, 3)]),
      [
        [16, ...RED],
        [16, ...GREEN],
        [16, ...BLUE],
      ],
    );
  }));

given(existsSync('node_modules/@sparticuz/chromium'), 'a browser')(
  'the page is not cut off at 360 pixels, and shows its pictures',
  () =>
    inFolder(async (folder) => {
      await putPhotos(join(folder, 'photos'));
      await put(folder, { [`photos/train/${'long-name-'.repeat(12)}/1.png`]: await picture(20, 20, RED) });
      await engram('data', join(folder, 'photos'), '--html', join(folder, 'page.html'));
      const { page, close } = await openPage('http://localhost', folder, { webgpu: false });
      try {
        for (const width of [360, 1000]) {
          await page.setViewportSize({ width, height: 800 });
          await page.goto('http://localhost/page.html');
          const seen = await page.evaluate(() => ({
            wide: document.documentElement.scrollWidth,
            inner: [...document.querySelectorAll('main, figure, .class')].every(
              (one) => one.scrollWidth <= one.clientWidth,
            ),
            pictures: [...document.images].map(({ naturalWidth, complete }) => (complete ? naturalWidth : 0)),
          }));
          assert.equal(seen, { wide: width, inner: true, pictures: [64, 64, 64, 64] });
        }
      } finally {
        await close();
      }
    }),
);

test('what cannot be described is refused, and leaves nothing', () =>
  inFolder(async (folder) => {
    await put(folder, { 'photos/cat/1.png': 'x', 'photos/cat/2.png': '', 'photos/dog/1.png': 'y', file: '' });
    const photos = join(folder, 'photos');
    await refusedIn(folder, ['data', join(folder, 'none')], /none: this is neither a bundled data set nor a folder/);
    await refusedIn(folder, ['data', photos], /cat\/2\.png: this picture is empty, 0 bytes/);
    await refusedIn(folder, ['data', photos, '--html', join(folder, 'file', 'page.html')], /file/);
    await refusedIn(
      folder,
      ['data', photos, '--html', photos],
      /photos: nothing can be written here: this is a folder/,
    );
    await refusedIn(folder, ['data', photos, '--test-fraction', '2'], /--test-fraction: "2" does not fit/);
    await refusedIn(folder, ['data', photos, '--bad-pictures', 'skp'], /--bad-pictures: .* Did you mean skip\?/);
  }));

test.run();
