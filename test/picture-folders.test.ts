/** Data sets as folders of pictures, a folder a class. */
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { classFolders } from '../src/data/class-folders.ts';
import { loadDataset } from '../src/data/load-dataset.ts';
import { openPictures } from '../src/data/picture-store.ts';
import { streamPictures } from '../src/data/picture-stream.ts';
import type { ReadOptions } from '../src/data/reader.ts';
import { ArgumentError, DataError } from '../src/errors.ts';
import { inFolder } from './support/in-folder.ts';
import { BLUE, GREEN, numbered, numbersIn, picture, pixelOf, RED, raw } from './support/pictures.ts';
import { put } from './support/put.ts';
import { refusal } from './support/refusal.ts';

test('a folder a class: names, labels and pixels, other files passed over', () =>
  inFolder(async (folder) => {
    await put(folder, {
      'train/cat/b.png': await picture(4, 4, RED),
      'train/cat/a.PNG': await picture(4, 4, GREEN),
      'train/dog/deep/er/c.png': await picture(4, 4, BLUE),
      'train/dog/notes.txt': 'none of these is a picture',
      'train/.hidden/x.png': 'nor is what is hidden',
      'train/README.md': 'nor a class',
      'val/dog/d.png': await picture(4, 4, RED),
      'val/cat/e.png': await picture(4, 4, BLUE),
    });
    const { train, test: held, notes } = await loadDataset(folder);
    assert.equal(train.classNames, ['cat', 'dog']);
    assert.equal([...train.labels, ...held.labels], [0, 0, 1, 0, 1]);
    assert.equal([train.height, train.width, train.channels, train.classes], [4, 4, 3, 2]);
    assert.equal(
      [0, 16, 32].map((at) => pixelOf(train, at)),
      [GREEN, RED, BLUE],
    );
    assert.equal(pixelOf(held, 0), BLUE);
    assert.equal(notes, ['other files in train were passed over: .txt (1)']);
  }));

test('with a size every picture is brought to it: the middle of it, as a square', () =>
  inFolder(async (folder) => {
    await put(folder, {
      'train/wide/a.png': await picture(96, 32, RED, BLUE),
      'train/high/b.png': await picture(40, 90, GREEN, BLUE),
      'test/high/c.png': await picture(32, 32, RED),
    });
    const { train, test: held, pictureSizes } = await loadDataset(folder, { imageSize: 16 });
    assert.equal([train.height, train.width, held.height], [16, 16, 16]);
    // The frame lies outside the middle square, of which the inner 7/8 are left.
    const blue = Array.from({ length: 2 * 16 * 16 }, (_, at) => pixelOf(train, at)[2]!);
    assert.ok(Math.max(...blue) < 8, `${Math.max(...blue)} of the frame`);
    assert.equal([pixelOf(train, 0), pixelOf(train, 16 * 16)], [GREEN, RED]);
    assert.equal(pictureSizes, { smallest: { width: 32, height: 32 }, largest: { width: 40, height: 90 } });
    const said = (await refusal(loadDataset(folder))).message;
    assert.match(said, /a\.png: this picture is 32×96×3, the first one 90×40×3.*--image-size/);
  }));

/** Columns of a picture that have the frame's colour, where its middle half has another. */
async function framed(folder: string, options: ReadOptions): Promise<number> {
  const { train } = await loadDataset(folder, options);
  const row = Array.from({ length: train.width }, (_, x) => pixelOf(train, (train.height / 2) * train.width + x));
  return row.filter(([red = 0, , blue = 0]) => blue > red).length;
}

test('how much of a picture is cut off is said by its shorter side', () =>
  inFolder(async (folder) => {
    const half = new Uint8Array(3 * 64 * 64);
    for (let at = 0; at < 64 * 64; at++) half.set(at % 64 >= 16 && at % 64 < 48 ? RED : BLUE, 3 * at);
    const striped = await raw(64, 64, half).png().toBuffer();
    await put(folder, { 'train/a/1.png': striped, 'train/b/1.png': striped, 'val/a/1.png': striped });
    // Nothing cut: half of 32 columns is frame. By 64 for 32 the middle half is left, which has none of it.
    assert.is(await framed(folder, { imageSize: 32, imageResize: 32 }), 16);
    assert.is(await framed(folder, { imageSize: 32, imageResize: 64 }), 0);
    // 37 for 32, as 256 for 224.
    assert.is(await framed(folder, { imageSize: 32 }), await framed(folder, { imageSize: 32, imageResize: 37 }));
    for (const options of [{ imageSize: 32, imageResize: 31 }, { imageResize: 40 }])
      assert.match((await refusal(loadDataset(folder, options))).message, /^--image-resize: no square of/);
  }));

test('what is no data set is refused by name, and what is there instead is told', () =>
  inFolder(async (folder) => {
    const one = await picture(4, 4, RED);
    await put(folder, { 'train/cat/a.png': one, 'val/cow/b.png': one });
    const strange = await refusal(loadDataset(folder));
    assert.instance(strange, DataError);
    assert.match(strange.message, /cow: there is no such class in train: "cow"/);
    await put(folder, { 'train/cow/c.png': 'no picture' });
    assert.match((await refusal(loadDataset(folder))).message, /c\.png: cannot decode this image/);
    await put(folder, { 'other/train/cat/a.png': one, 'other/val/cat/notes.txt': '' });
    assert.match((await refusal(loadDataset(join(folder, 'other')))).message, /val: there are no pictures/);
    await put(folder, { 'none/table.csv': '', 'none/sub/notes.txt': '' });
    assert.match(
      (await refusal(loadDataset(join(folder, 'none')))).message,
      /none: there is no data set in a known format here; found were sub, table\.csv\. Known are .*IDX.*\.npz.*Parquet.*folders of pictures/,
    );
    await mkdir(join(folder, 'empty'));
    assert.match((await refusal(loadDataset(join(folder, 'empty')))).message, /here: the folder is empty\./);
  }));

test('one class is none to tell apart', () =>
  inFolder(async (folder) => {
    const one = await picture(4, 4, RED);
    await put(folder, { 'train/cat/a.png': one, 'val/cat/b.png': one, 'photos/cat/a.png': one });
    assert.match((await refusal(loadDataset(folder))).message, /train: there is one class here, "cat"/);
    assert.match(
      (await refusal(loadDataset(join(folder, 'photos')))).message,
      /one class here.*a folder for each class/,
    );
  }));

test('classes without images are left out, and told', () =>
  inFolder(async (folder) => {
    const one = await picture(4, 4, RED);
    await put(folder, { 'cat/a.png': one, 'cat/b.png': one, 'dog/a.png': one, 'dog/b.png': one, 'owl/readme.txt': '' });
    await mkdir(join(folder, 'newt'));
    const { train, notes = [] } = await loadDataset(folder);
    assert.equal(train.classNames, ['cat', 'dog']);
    assert.is(notes[0], 'folders without a picture are no classes: "newt", "owl"');
  }));

test('a class may be called train, where its pictures lie right inside', () =>
  inFolder(async (folder) => {
    const one = await picture(4, 4, RED);
    const vehicles = ['bus', 'car', 'train'].flatMap((name) => [`${name}/1.png`, `${name}/2.png`]);
    await put(folder, Object.fromEntries(vehicles.map((name) => [`veh/${name}`, one])));
    const { train, test: held } = await loadDataset(join(folder, 'veh'));
    assert.equal(train.classNames, ['bus', 'car', 'train']);
    assert.equal([...train.labels, ...held.labels], [0, 1, 2, 0, 1, 2]);
    // Beside a part to test on it is one to learn from, whose classes are missing.
    await put(folder, { 'loose/train/1.png': one, 'loose/val/bus/1.png': one });
    assert.match((await refusal(loadDataset(join(folder, 'loose')))).message, /no such class in train: "bus"/);
    await put(folder, { 'alone/train/1.png': one });
    assert.match((await refusal(loadDataset(join(folder, 'alone')))).message, /there is one class here, "train"/);
  }));

test('parts are known in upper and lower case and by their other usual names', () =>
  inFolder(async (folder) => {
    for (const [i, [trained, tested]] of [
      ['Train', 'Test'],
      ['TRAIN', 'Valid'],
      ['training', 'testing'],
      ['Training', 'validation'],
      ['train', 'Dev'],
    ].entries()) {
      const root = join(folder, `set${i}`);
      for (const name of ['cat', 'dog'])
        await put(root, {
          [`${trained}/${name}/1.png`]: await numbered(1),
          [`${tested}/${name}/1.png`]: await numbered(2),
        });
      const { train, test: held, notes } = await loadDataset(root);
      assert.equal(
        [train.classNames, numbersIn(train), numbersIn(held)],
        [
          ['cat', 'dog'],
          [1, 1],
          [2, 2],
        ],
        `${trained}`,
      );
      assert.equal(notes, []);
      assert.match(
        (await refusal(loadDataset(root, { testPart: 'none' }))).message,
        new RegExp(`there is no part "none" to test on\\. There is ${tested}\\.`),
      );
      await put(root, { [`${tested}/owl/1.png`]: await numbered(2) });
      assert.match(
        (await refusal(loadDataset(root))).message,
        new RegExp(`${tested}/owl: there is no such class in ${trained}: "owl"`),
      );
    }
    // What is learnt from alone is a part too.
    for (const name of ['a/1', 'a/2', 'b/1', 'b/2'])
      await put(folder, { [`alone/Train/${name}.png`]: await numbered(1) });
    assert.equal((await loadDataset(join(folder, 'alone'))).train.classNames, ['a', 'b']);
  }));

test('a part under two names is refused, and folders beside the parts are told', () =>
  inFolder(async (folder) => {
    const one = await picture(4, 4, RED);
    const named = (root: string, ...parts: string[]) =>
      put(
        join(folder, root),
        Object.fromEntries(
          parts.flatMap((part) => ['a/1', 'a/2', 'b/1', 'b/2'].map((name) => [`${part}/${name}.png`, one])),
        ),
      );
    const refused = async (root: string) => (await refusal(loadDataset(join(folder, root)))).message;
    await named('trains', 'train', 'training', 'val');
    assert.match(await refused('trains'), /trains: "train" and "training" are two names of one part of a set\. Put/);
    await named('tests', 'train', 'test', 'Test');
    assert.match(await refused('tests'), /"Test" and "test" are two names of one part/);
    await named('beside', 'train', 'val', 'more');
    await put(folder, { 'beside/docs/readme.txt': '' });
    const { train, notes = [] } = await loadDataset(join(folder, 'beside'));
    assert.is(train.labels.length, 4);
    assert.equal(notes, ['folders beside train that are no part to test on were passed over: "more"']);
    // Classes, one of which is called as parts are.
    await named('sports', 'Training', 'Match');
    assert.equal((await loadDataset(join(folder, 'sports'))).train.classNames, ['Match', 'Training']);
    await put(folder, { 'verbs/train/1.png': one, 'verbs/train/2.png': one });
    await put(folder, { 'verbs/training/1.png': one, 'verbs/training/2.png': one });
    assert.equal((await loadDataset(join(folder, 'verbs'))).train.classNames, ['train', 'training']);
  }));

test('two spellings of one class are refused, letters of two cases are two classes', () =>
  inFolder(async (folder) => {
    const one = await picture(4, 4, RED);
    await put(folder, { 'photos/Cat/a.png': one, 'photos/cat /b.png': one, 'photos/dog/c.png': one });
    assert.match(
      (await refusal(loadDataset(join(folder, 'photos')))).message,
      /photos: "Cat" and "cat " are two spellings of one class\. Put their pictures into one folder/,
    );
    const written = ['caf\u00e9', 'cafe\u0301'].map((name) => `composed/${name}/a.png`);
    await put(folder, Object.fromEntries(written.map((name) => [name, one])));
    assert.match((await refusal(loadDataset(join(folder, 'composed')))).message, /two spellings of one class/);
    await put(folder, {
      'letters/A/1.png': one,
      'letters/A/2.png': one,
      'letters/a/1.png': one,
      'letters/a/2.png': one,
    });
    const { train, notes = [] } = await loadDataset(join(folder, 'letters'));
    assert.equal(train.classNames, ['A', 'a']);
    assert.ok(notes.includes('"A" and "a" differ in case only, and count as two classes'), notes.join('\n'));
    // Characters of their own, however alike.
    await put(folder, { 'powers/2/1.png': one, 'powers/2/2.png': one, 'powers/²/1.png': one, 'powers/²/2.png': one });
    assert.equal((await loadDataset(join(folder, 'powers'))).train.classNames, ['2', '²']);
  }));

test('links are followed, but not in a circle', () =>
  inFolder(async (folder) => {
    const one = await picture(4, 4, RED);
    await put(folder, { 'set/cat/a.png': one, 'set/cat/b.png': one, 'else/dogs/1.png': one, 'else/dogs/2.png': one });
    await symlink(join(folder, 'else/dogs'), join(folder, 'set/dog'));
    await symlink(join(folder, 'else/dogs/1.png'), join(folder, 'set/cat/c.png'));
    await symlink(join(folder, 'set'), join(folder, 'else/dogs/back'));
    await symlink('..', join(folder, 'set/cat/up'));
    const { train, test: held, notes = [] } = await loadDataset(join(folder, 'set'));
    assert.is(train.labels.length + held.labels.length, 5);
    for (const path of ['cat/up', 'dog/back'])
      assert.ok(notes.includes(`the link ${path} leads back to a folder that it lies in, and was not followed`), path);
    // Links that only lead to each other are no folder at all.
    await symlink('two.png', join(folder, 'set/cat/one.png'));
    await symlink('one.png', join(folder, 'set/cat/two.png'));
    assert.match(
      (await refusal(loadDataset(join(folder, 'set')))).message,
      /one\.png: cannot read this file: links lead in a circle/,
    );
  }));

test('what an option means nothing to says so', () =>
  inFolder(async (folder) => {
    await put(folder, { 'train/a/1.png': await numbered(1), 'train/b/1.png': await numbered(1) });
    await put(folder, { 'val/a/1.png': await numbered(1), 'val/b/1.png': await numbered(1) });
    const { notes = [] } = await loadDataset(folder, { labels: 'coarse', imageSize: 2 });
    assert.match(notes.join('\n'), /^labels: not used, as this means nothing to folders of pictures/);
    assert.match((await loadDataset('glyphs', { imageSize: 8 })).notes?.join() ?? '', /^imageSize: not used/);
  }));

test('options out of their ranges are refused before anything is read', async () => {
  const numbers = { imageSize: 8, batch: 2, seed: 0 };
  for (const [options, told] of [
    [{ testFraction: 0 }, '`testFraction` is 0; a share above 0 and below 1 was expected'],
    [{ testFraction: 1 }, '`testFraction` is 1;'],
    [{ testFraction: Number.NaN }, '`testFraction` is NaN;'],
    [{ maxMegapixels: 0 }, '`maxMegapixels` is 0; a number above 0 was expected'],
    [{ imageSize: 7.5 }, '`imageSize` is 7.5; a whole number of at least'],
    [{ imageSize: -1 }, '`imageSize` is -1; a whole number of at least'],
    [{ imageResize: 0 }, '`imageResize` is 0; a whole number of at least 1'],
  ] as const) {
    for (const [name, read] of [
      ['loadDataset', () => loadDataset('nowhere', options)],
      ['openPictures', () => openPictures('nowhere', { ...numbers, ...options })],
      ['streamPictures', () => streamPictures('nowhere', { ...numbers, ...options })],
    ] as const) {
      const error = await refusal(read());
      assert.instance(error, ArgumentError);
      assert.ok(error.message.startsWith(`${name}: ${told}`), error.message);
    }
  }
});

test('a hundred thousand files in one folder are listed', async () => {
  const files = Array.from({ length: 200_000 }, (_, i) => `${i % 2 === 0 ? 'cat' : 'dog'}/${i}.jpg`).sort();
  const { pictures } = classFolders({ files, folders: ['cat', 'dog'], circles: [] }, '', 'photos');
  assert.equal(
    [...pictures].map(([name, { length }]) => [name, length]),
    [
      ['cat', 100_000],
      ['dog', 100_000],
    ],
  );
});

test.run();
