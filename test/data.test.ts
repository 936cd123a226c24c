import { execFileSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { files, readBundled } from '#files';
import { Scenario } from '../src/continual/benchmark/scenario.ts';
import {
  channelMoments,
  checkDataset,
  classIndices,
  domainCount,
  firstPerClass,
  type ImageDataset,
  subset,
} from '../src/data/dataset.ts';
import { readIdx } from '../src/data/idx.ts';
import { loadDataset } from '../src/data/load-dataset.ts';
import { DataError } from '../src/errors.ts';
import { inFolder } from './support/in-folder.ts';
import { dataError } from './support/refusal.ts';

const idx = (shape: number[], values: number[]): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(4 + 4 * shape.length + values.length);
  bytes.set([0, 0, 8, shape.length]);
  shape.forEach((length, axis) => {
    new DataView(bytes.buffer).setUint32(4 + 4 * axis, length);
  });
  bytes.set(values, 4 + 4 * shape.length);
  return bytes;
};
const range = (count: number) => Array.from({ length: count }, (_, index) => index % 256);

/** A set of 2×3 images under MNIST's names; `change` replaces or (null) removes files. */
async function writeSet(folder: string, change: Record<string, Uint8Array | string | null> = {}): Promise<void> {
  const set: Record<string, Uint8Array | string | null> = {
    'train-images-idx3-ubyte': idx([4, 2, 3], range(24)),
    'train-labels-idx1-ubyte': idx([4], [0, 2, 1, 2]),
    't10k-images-idx3-ubyte': idx([2, 2, 3], range(12)),
    't10k-labels-idx1-ubyte': idx([2], [1, 0]),
    ...change,
  };
  for (const [name, content] of Object.entries(set))
    if (content !== null) await files.write(join(folder, name), content);
}

test('the bundled sets load whole', async () => {
  const fashion = await loadDataset('fashion-mini');
  assert.equal(
    classIndices(fashion.train).map((images) => images.length),
    new Array(10).fill(300),
  );
  assert.equal(
    classIndices(fashion.test).map((images) => images.length),
    new Array(10).fill(100),
  );
  assert.is(fashion.train.images.length, 3000 * 28 * 28);
  assert.is(fashion.train.classNames?.[9], 'Ankle boot');
  const glyphs = await loadDataset('glyphs');
  assert.equal(
    classIndices(glyphs.train).map((images) => images.length),
    new Array(100).fill(150),
  );
  assert.equal(
    classIndices(glyphs.test).map((images) => images.length),
    new Array(100).fill(50),
  );
  assert.is(glyphs.test.classNames?.[51], 'Γ');
  const orders = new TextDecoder()
    .decode(await readBundled('glyph-orders.txt'))
    .trim()
    .split('\n');
  for (const order of orders) {
    assert.equal(
      order
        .split(' ')
        .map(Number)
        .sort((a, b) => a - b),
      range(100),
    );
  }
});

test('Fashion-MNIST has its published mean and std', async () => {
  const { train } = await loadDataset('fashion-mini');
  const { mean, std } = channelMoments(train);
  // 0.2860 and 0.3530 are those of the full set: a twentieth of it is near, wrong bytes or labels as pixels are not.
  assert.ok(Math.abs(mean[0]! - 0.286) < 0.01, `mean ${mean}`);
  assert.ok(Math.abs(std[0]! - 0.353) < 0.01, `std ${std}`);
});

test('moments are taken channel by channel', () => {
  const images = Uint8Array.from([0, 255, 51, 255, 255, 51]);
  const labels = new Uint8Array(1);
  const set: ImageDataset = { name: 'two', images, labels, height: 1, width: 2, channels: 3, classes: 1 };
  const { mean, std } = channelMoments(set);
  assert.equal(mean, [0.5, 1, 0.2]);
  assert.equal(std, [0.5, 1, 1]);
});

test('a channel of one value has deviation 1, whatever the value', () => {
  for (let value = 0; value < 256; value++) {
    for (const count of [1, 3, 100]) {
      const images = Uint8Array.from({ length: 2 * count }, (_, at) => (at % 2 === 0 ? value : at % 256));
      assert.is(channelMoments({ images, channels: 2 }).std[0], 1, `${count} of ${value}`);
    }
  }
});

test('a folder loads plain and gzipped alike', () =>
  inFolder(async (folder) => {
    await writeSet(folder, {
      'train-images-idx3-ubyte': null,
      'train-images-idx3-ubyte.gz': gzipSync(idx([4, 2, 3], range(24))),
    });
    const { train, test: held } = await loadDataset(folder);
    assert.equal([...train.images], range(24));
    assert.equal([...train.labels], [0, 2, 1, 2]);
    assert.equal([train.height, train.width, train.channels, train.classes, held.classes], [2, 3, 1, 3, 3]);
    assert.is(train.classNames, undefined);
  }));

test('views keep images and labels together', () =>
  inFolder(async (folder) => {
    await writeSet(folder);
    const { train } = await loadDataset(folder);
    const picked = subset(train, [3, 0]);
    assert.equal([...picked.images], [...range(24).slice(18), ...range(6)]);
    assert.equal([...picked.labels], [2, 0]);
    assert.equal([...firstPerClass(train, 1).labels], [0, 2, 1]);
    assert.throws(() => firstPerClass(train, 2), /2 images a class were asked for, but class 0 has 1/);
    assert.throws(() => subset(train, [4]), /unknown image 4: the set has 4/);
  }));

test('wrong IDX bytes are refused by name', async () => {
  const images = idx([2, 2, 2], range(8));
  const labels = idx([2], [0, 1]);
  const read = (bytes: Uint8Array<ArrayBuffer>, kind: 'images' | 'labels') =>
    dataError(readIdx(bytes, 'some-file', kind));
  assert.match(
    await read(labels, 'images'),
    /some-file: an IDX file of images starts with 00 00 08 03 .*, this one with 00 00 08 01/,
  );
  assert.match(await read(images, 'labels'), /this one with 00 00 08 03/);
  assert.match(await read(new TextEncoder().encode('<html>'), 'images'), /this one with 3c 68 74 6d/);
  assert.match(await read(new Uint8Array(0), 'images'), /nothing: it is empty/);
  assert.match(await read(images.slice(0, 9), 'images'), /the header takes 16 bytes, the file has 9/);
  assert.match(await read(images.slice(0, -1), 'images'), /2×2×2 = 8 bytes of images, 7 follow: the file is cut off/);
  assert.match(await read(new Uint8Array([...labels, 0]), 'labels'), /the file goes on too long/);
  assert.match(await read(new Uint8Array(gzipSync(images).subarray(0, 20)), 'images'), /cut off or damaged/);
  const damaged = new Uint8Array(gzipSync(images));
  damaged[14]! ^= 0xff;
  assert.match(await read(damaged, 'images'), /some-file: /);
});

test('no more is unpacked than an IDX header promises, and no promise is believed that cannot be kept', async () => {
  const bomb = new Uint8Array(gzipSync(Buffer.concat([idx([64], []), Buffer.alloc(2 ** 28)])));
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }, 1);
  const message = await dataError(readIdx(bomb, 'bomb', 'labels'));
  clearInterval(watch);
  assert.match(message, /^bomb: the header promises 64 bytes of labels, more follow: the file goes on too long/);
  assert.ok(most < 2 ** 26, `${most} bytes were held`);
  const promising = idx([60000, 255, 255, 1], []);
  const kept = (bytes: Uint8Array<ArrayBuffer>) => dataError(readIdx(bytes, 'lie', 'images'));
  assert.match(await kept(promising), /at most 2147483648 \(2 GiB\) can be held/);
  promising[7] = 0;
  promising[6] = 1;
  assert.match(await kept(promising), /256×255×255×1 = 16646400 bytes of images, 0 follow: the file is cut off/);
  assert.match(await kept(new Uint8Array(gzipSync(promising))), /\d\d bytes of gzip follow: the file is cut off/);
});

test('whatever bits turn over and wherever it is cut, an IDX file is read or refused', () => {
  const plain = idx([2, 3, 2], range(12));
  const damage = fc.array(fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 255 })), { maxLength: 3 });
  return fc.assert(
    fc.asyncProperty(fc.boolean(), damage, fc.nat(60), async (packed, flips, length) => {
      const whole = packed ? new Uint8Array(gzipSync(plain)) : plain;
      const bytes = whole.slice(0, flips.length === 0 ? length : whole.length);
      for (const [at, bits] of flips) if (at < bytes.length) bytes[at]! ^= bits;
      try {
        const { shape, values } = await readIdx(bytes, 'some-file', 'images');
        assert.is(
          values.length,
          shape.reduce((product, n) => product * n, 1),
        );
      } catch (error) {
        assert.instance(error, DataError);
        assert.match((error as Error).message, /^some-file: /);
      }
    }),
    { numRuns: 600, seed: 7 },
  );
});

test('names of classes are at most as many as labels can be, and a million are told at once', async () => {
  await inFolder(async (folder) => {
    await writeSet(folder, { 'classes.json': JSON.stringify(Array.from({ length: 1e6 }, (_, i) => `class ${i}`)) });
    assert.match(
      await dataError(loadDataset(folder)),
      /classes\.json: there are 1000000 class names, but labels here distinguish at most 256 classes/,
    );
  });
  const started = performance.now();
  const many = new Scenario({ classes: 1e5, tasks: 1e4 });
  assert.is(many.tasks.at(-1)?.length, 10);
  assert.ok(performance.now() - started < 5000, 'the time grows with the classes, not with their square');
});

test('images of several domains come with two more files, of both parts or of none', () =>
  inFolder(async (folder) => {
    const [trained, tested] = [idx([4], [1, 0, 0, 1]), idx([2], [0, 1])];
    await writeSet(folder, { 'train-domains-idx1-ubyte': trained, 't10k-domains-idx1-ubyte.gz': gzipSync(tested) });
    const { train, test: held } = await loadDataset(folder);
    assert.equal(
      [[...train.domains!], [...held.domains!]],
      [
        [1, 0, 0, 1],
        [0, 1],
      ],
    );
    const part = subset(train, [3, 1]);
    assert.equal([[...part.domains!], domainCount(part), domainCount(train)], [[1, 0], 2, 2]);
    assert.equal([...firstPerClass({ ...train, classes: 3 }, 1).domains!], [1, 0, 0]);
    await rm(join(folder, 't10k-domains-idx1-ubyte.gz'));
    assert.match(await dataError(loadDataset(folder)), /there is no t10k-domains-idx1-ubyte .*, or in neither/);
    await rm(join(folder, 'train-domains-idx1-ubyte'));
    await files.write(join(folder, 't10k-domains-idx1-ubyte'), tested);
    assert.match(await dataError(loadDataset(folder)), /there is no train-domains-idx1-ubyte .*, or in neither/);
    await files.write(join(folder, 'train-domains-idx1-ubyte'), trained);
    await files.write(join(folder, 't10k-domains-idx1-ubyte'), idx([3], [0, 1, 1]));
    assert.match(await dataError(loadDataset(folder)), /t10k-domains-idx1-ubyte: there are 3 domains for 2 images/);
  }));

test('classes of one name are told apart by their numbers', () =>
  inFolder(async (folder) => {
    await writeSet(folder, { 'classes.json': '["crane", "heron", "crane", "dog"]' });
    const { train, test: held, notes } = await loadDataset(folder);
    assert.equal(train.classNames, ['crane (0)', 'heron', 'crane (2)', 'dog']);
    assert.equal(held.classNames, train.classNames);
    assert.is(notes?.[0], 'classes of one name are told apart by their numbers: "crane (0)", "crane (2)"');
    // A set of the user's own, and names that collide all the same.
    const twins = { ...train, classNames: ['crane', 'heron', 'crane', 'dog'] };
    assert.throws(
      () => checkDataset(twins, 'mine'),
      /mine: classes 0 and 2 are both called "crane": .* Give each class a name of its own/,
    );
    await writeSet(folder, { 'classes.json': '["crane", "crane (0)", "crane"]' });
    assert.match(await dataError(loadDataset(folder)), /classes 0 and 1 are both called "crane \(0\)"/);
  }));

test('what is not a file is not read', () =>
  inFolder(async (folder) => {
    await writeSet(folder, { 'train-images-idx3-ubyte': null });
    const path = join(folder, 'train-images-idx3-ubyte');
    await files.makeDir(path);
    assert.match(
      await dataError(loadDataset(folder)),
      /idx3-ubyte: cannot read this file: this is a folder, a file was/,
    );
    if (process.platform === 'win32') return;
    assert.match(await dataError(files.read('/dev/zero')), /this is a device, a file was expected/);
    await rm(path, { recursive: true });
    execFileSync('mkfifo', [path]);
    assert.match(await dataError(loadDataset(folder)), /idx3-ubyte: cannot read this file: this is a pipe, a file was/);
  }));

test('a folder may be named as objects name their own properties', () =>
  inFolder(async (folder) => {
    const before = process.cwd();
    for (const name of ['constructor', '__proto__']) await writeSet(join(folder, name));
    try {
      process.chdir(folder);
      for (const name of ['constructor', '__proto__']) assert.is((await loadDataset(name)).train.labels.length, 4);
      assert.match(await dataError(loadDataset('toString')), /neither a bundled data set nor a folder/);
    } finally {
      process.chdir(before);
    }
  }));

test('bundled data that is not where it was said to be is told by its place', () =>
  inFolder(async (folder) => {
    const message = await dataError(loadDataset('glyphs', { bundledBase: folder }));
    assert.match(
      message,
      /glyphs\/classes\.json: cannot read this file: no such file or folder\. `bundledBase` must be/,
    );
  }));

test('folders that do not hold together are refused', async () => {
  const refused = async (change: Record<string, Uint8Array | string | null>, expected: RegExp) =>
    inFolder(async (folder) => {
      await writeSet(folder, change);
      assert.match(await dataError(loadDataset(folder)), expected);
    });
  await refused({ 't10k-labels-idx1-ubyte': null }, /there is no t10k-labels-idx1-ubyte or t10k-labels-idx1-ubyte\.gz/);
  await refused(
    { 'train-labels-idx1-ubyte': idx([3], [0, 1, 2]) },
    /3 labels for the 4 images of .*train-images-idx3-ubyte/,
  );
  await refused({ 'classes.json': '["a", "b"]' }, /label 2 of image 1 is out of range: there are 2 classes, 0 to 1/);
  await refused({ 'classes.json': '["a", ' }, /classes\.json: a JSON array of at least one class name/);
  await refused({ 'classes.json': '{"a": 1}' }, /classes\.json: a JSON array/);
  await refused(
    { 't10k-images-idx3-ubyte': idx([2, 3, 2], range(12)) },
    /training images are 2×3×1, test images 3×2×1/,
  );
  await refused(
    { 'train-images-idx3-ubyte': idx([0, 2, 3], []), 'train-labels-idx1-ubyte': idx([0], []) },
    /there are no images/,
  );
  await refused({ 'train-images-idx3-ubyte': idx([4, 0, 3], []) }, /have no pixels/);
  assert.match(
    await dataError(loadDataset('no-such-set')),
    /neither a bundled data set nor a folder.*fashion-mini and glyphs/,
  );
});

test('files are written whole, beside and renamed', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'deep', 'er', 'note.txt');
    await files.write(path, 'one');
    await files.write(path, new Uint8Array([0x74, 0x77, 0x6f]));
    await files.append(path, ' three');
    assert.is(await files.readText(path), 'two three');
    assert.equal(await files.list(join(folder, 'deep', 'er')), ['note.txt']);
    assert.is(await files.exists(path), true);
    assert.is(await files.exists(join(folder, 'none')), false);
    assert.match(
      await dataError(files.read(join(folder, 'none'))),
      /none: cannot read this file: no such file or folder/,
    );
    assert.match(await dataError(files.read(folder)), /this is a folder, a file was expected/);
    assert.match(await dataError(files.list(join(folder, 'none'))), /cannot list this folder/);
    // A folder stands where the file should go: the write fails and leaves nothing beside it.
    await files.makeDir(join(folder, 'taken', 'inside'));
    assert.match(await dataError(files.write(join(folder, 'taken'), 'x')), /taken: cannot write this file/);
    assert.equal(await files.list(folder), ['deep', 'taken']);
  }));

test.run();
