/** Data sets read in a page: from the browser's private file system, by its own decoders, and from addresses. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ImageDataset } from '../src/data/dataset.ts';
import { type LoadDatasetOptions, loadDataset } from '../src/data/load-dataset.ts';
import type { DatasetFiles } from '../src/data/source.ts';
import { openPage } from './support/browser.ts';
import { given } from './support/given.ts';
import { inFolder } from './support/in-folder.ts';
import { medmnist } from './support/numpy-files.ts';
import { parquetOf } from './support/parquet-files.ts';
import { BLUE, GREEN, picture, RED, raw, turnedJpeg } from './support/pictures.ts';
import { put } from './support/put.ts';

type Part = Pick<ImageDataset, 'labels' | 'height' | 'width' | 'classNames'> & { readonly pixels: number[] };
type Read =
  | { readonly train: Part; readonly test: Part; readonly notes: readonly string[] }
  | { readonly error: string };

const inBrowser = given(existsSync('node_modules/@sparticuz/chromium'), 'a browser');

/** What a page finds, or what it is told. */
const read = (page: Page, set: string | DatasetFiles, options: LoadDatasetOptions = {}): Promise<Read> =>
  page.evaluate<Read>(`import('/browser.js').then(async ({ loadDataset }) => {
    const plain = ({ images, labels, height, width, classNames }) => ({ pixels: [...images], labels: [...labels], height, width, classNames });
    try {
      const { train, test, notes } = await loadDataset(${JSON.stringify(set)}, ${JSON.stringify(options)});
      return { train: plain(train), test: plain(test), notes };
    } catch (error) {
      return { error: error.message };
    }
  })`);

/** Files below a folder of the page's private file system. */
async function store(page: Page, files: Readonly<Record<string, Uint8Array>>): Promise<void> {
  const texts = Object.entries(files).map(([path, bytes]) => [path, Buffer.from(bytes).toString('base64')] as const);
  await page.evaluate(async (entries) => {
    for (const [path, base64] of entries) {
      const parts = path.split('/');
      let folder = await navigator.storage.getDirectory();
      for (const part of parts.slice(0, -1)) folder = await folder.getDirectoryHandle(part, { create: true });
      const stream = await (await folder.getFileHandle(parts.at(-1) ?? '', { create: true })).createWritable();
      await stream.write(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
      await stream.close();
    }
  }, texts);
}

/** The largest difference of the pixels of two parts. */
const difference = ({ pixels }: Part, { images }: ImageDataset): number =>
  Math.max(...pixels.map((pixel, at) => Math.abs(pixel - images[at]!)), Math.abs(pixels.length - images.length));

inBrowser('folders of pictures, npz and Parquet are the same set in a page as in Node', () =>
  inFolder(async (folder) => {
    const photos = {
      'photos/cat/1.png': await picture(16, 32, GREEN),
      'photos/cat/2.jpg': await turnedJpeg(16),
      'photos/cat/.thumbs/3.png': Uint8Array.of(1),
      'photos/dog/deep/1.png': await picture(16, 32, BLUE),
      'photos/dog/2.webp': await raw(16, 32, new Uint8Array(3 * 16 * 32).fill(99))
        .webp({ lossless: true })
        .toBuffer(),
      'photos/dog/3.avif': await raw(16, 32, new Uint8Array(3 * 16 * 32).fill(99))
        .avif()
        .toBuffer(),
    };
    const rows = [1, 0, 2].map((label) => ({ image: { bytes: photos['photos/cat/1.png'], path: null }, label }));
    const files = {
      ...photos,
      'sets/one.npz': medmnist,
      'hub/data/train-00000-of-00001.parquet': parquetOf(rows),
      'hub/data/test-00000-of-00001.parquet': parquetOf(rows.slice(1)),
      'bad/cat/1.png': photos['photos/cat/1.png'],
      'bad/cat/2.png': new Uint8Array(0),
      'bad/dog/1.png': photos['photos/cat/1.png'],
      'bad/dog/2.png': photos['photos/cat/1.png'],
    };
    await put(folder, files);
    const { page, close } = await openPage('http://localhost', '.build/browser', { webgpu: false });
    try {
      await store(page, files);
      for (const [name, options, most] of [
        ['photos', {}, 3],
        // Each decoder has a filter of its own, which shows at edges.
        ['photos', { imageSize: 8, splitSeed: 3 }, 40],
        ['sets', {}, 0],
        ['sets/one.npz', { testPart: 'val' }, 0],
        ['hub', {}, 0],
        ['bad', { badPictures: 'skip' }, 0],
      ] as const) {
        const [here, there] = [await loadDataset(join(folder, name), options), await read(page, name, options)];
        assert.ok('train' in there, `${name}: ${'error' in there && there.error}`);
        for (const part of ['train', 'test'] as const) {
          const { labels, height, width, classNames } = here[part];
          const found = there[part];
          assert.equal(
            [found.labels, found.height, found.width, found.classNames],
            [[...labels], height, width, classNames],
          );
          assert.ok(difference(found, here[part]) <= most, `${name}, ${part}: off by ${difference(found, here[part])}`);
        }
        assert.equal(there.notes, here.notes);
      }
      const opened = await page.evaluate<
        number[]
      >(`import('/browser.js').then(async ({ loadDataset, openPictures }) => {
        const options = { imageSize: 8, splitSeed: 3 };
        const { train } = await openPictures('photos', options);
        const places = [...train.labels.keys()].reverse();
        const [pixels, whole] = [await train.stored.read(places), (await loadDataset('photos', options)).train.images];
        return places.map((place, i) => pixels.subarray(192 * i, 192 * (i + 1)).findIndex((value, at) => value !== whole[192 * place + at]));
      })`);
      assert.equal(opened, [-1, -1, -1], 'pictures that stay in files');
      const refused = async (name: string, options?: LoadDatasetOptions): Promise<string> => {
        const answer = await read(page, name, options);
        return 'error' in answer ? answer.error : 'nothing';
      };
      assert.match(await refused('bad'), /2\.png: this picture is empty/);
      assert.match(await refused('photos', { maxMegapixels: 0.0001 }), /pixels wide and \d+ high.*up to 0\.0001/);
    } finally {
      await close();
    }
  }),
);

inBrowser('a file by its address, and files of a set by their addresses', () =>
  inFolder(async (folder) => {
    await put(folder, { 'set.npz': medmnist, '1.png': await picture(4, 4, RED), '2.png': await picture(4, 4, BLUE) });
    const { page, close } = await openPage('http://localhost', '.build/browser', { webgpu: false });
    try {
      await page.route('http://localhost/files/**', (route) => {
        const path = join(folder, new URL(route.request().url()).pathname.replace('/files/', ''));
        return route.fulfill(existsSync(path) ? { path } : { status: 404 });
      });
      const address = (name: string): string => `http://localhost/files/${name}`;
      const npz = await read(page, address('set.npz'));
      assert.ok('train' in npz && npz.train.labels.length === 3, JSON.stringify(npz));
      const names = ['train/a/1', 'train/b/1', 'val/a/1', 'val/b/1'];
      const files = Object.fromEntries(
        names.map((name) => [`${name}.png`, address(name.includes('/a/') ? '1.png' : '2.png')]),
      );
      const set = await read(page, { name: 'remote', files });
      assert.ok('train' in set, JSON.stringify(set));
      assert.equal([set.train.classNames, set.train.pixels.slice(0, 3)], [['a', 'b'], [...RED]]);
    } finally {
      await close();
    }
  }),
);

test.run();
