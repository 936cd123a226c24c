/** Which of a folder's pictures are learnt from and which are tested on: shares, lists, parts. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DatasetSplit, ImageDataset } from '../src/data/dataset.ts';
import type { FileTree } from '../src/data/files.ts';
import { loadDataset } from '../src/data/load-dataset.ts';
import { pictureFolders } from '../src/data/picture-folders.ts';
import { openPictures } from '../src/data/picture-store.ts';
import type { ReadOptions } from '../src/data/reader.ts';
import { inFolder } from './support/in-folder.ts';
import { numbered, numbersIn } from './support/pictures.ts';
import { put } from './support/put.ts';
import { refusal } from './support/refusal.ts';

/** 10 cats, numbered from 0; 20 dogs, from 100; one owl, 200. */
async function putAnimals(folder: string): Promise<void> {
  for (const [name, first, count] of [
    ['cat', 0, 10],
    ['dog', 100, 20],
    ['owl', 200, 1],
  ] as const)
    for (let i = 0; i < count; i++) await put(folder, { [`${name}/${i}.png`]: await numbered(first + i) });
}

test('a share of each class is drawn to test on, the same by one seed', () =>
  inFolder(async (folder) => {
    await putAnimals(folder);
    const { train, test: held, notes } = await loadDataset(folder);
    assert.equal(notes, [
      "20 % of each class's images were drawn to test on, by seed 0 (--test-fraction, --split-seed)",
      'no image is tested on of "owl": give such classes more, or leave them out of a run\'s class order',
    ]);
    assert.equal((await openPictures(folder, { imageSize: 2 })).notes, notes);
    const counts = (set: ImageDataset) => [0, 1, 2].map((label) => set.labels.filter((one) => one === label).length);
    // A class of one image is learnt.
    assert.equal(
      [counts(train), counts(held)],
      [
        [8, 16, 1],
        [2, 4, 0],
      ],
    );
    const all = [...numbersIn(train), ...numbersIn(held)].sort((a, b) => a - b);
    assert.equal(all, [
      ...Array.from({ length: 10 }, (_, i) => i),
      ...Array.from({ length: 20 }, (_, i) => 100 + i),
      200,
    ]);

    const drawn = numbersIn(held);
    assert.equal(numbersIn((await loadDataset(folder, { splitSeed: 0 })).test), drawn);
    assert.not.equal(numbersIn((await loadDataset(folder, { splitSeed: 1 })).test), drawn);
    assert.equal(counts((await loadDataset(folder, { testFraction: 0.5 })).test), [5, 10, 0]);
    assert.equal(counts((await loadDataset(folder, { testFraction: 0.01 })).test), [1, 1, 0]);
    assert.equal(counts((await loadDataset(folder, { testFraction: 0.99 })).test), [9, 19, 0]);
    // What is drawn of one class is nothing of another's.
    await put(folder, { 'ant/1.png': await numbered(250), 'ant/2.png': await numbered(251) });
    assert.equal(numbersIn((await loadDataset(folder)).test).slice(1), drawn);
  }));

test('the order of a listing decides nothing', async () => {
  const names = Array.from({ length: 12 }, (_, i) => [`cat/${i}.png`, `dog/${i}.png`]).flat();
  const pictures = new Map(await Promise.all(names.map(async (name, i) => [name, await numbered(i)] as const)));
  const read = (files: readonly string[]): Promise<DatasetSplit | undefined> => {
    const tree: FileTree = { files: [...files].sort(), folders: ['cat', 'dog'], circles: [] };
    return pictureFolders.read(
      {
        where: 'photos',
        find: async () => undefined,
        read: async (name) => Uint8Array.from(pictures.get(name) ?? []),
        tree: async () => tree,
      },
      'photos',
    );
  };
  assert.equal(await read(names), await read([...names].reverse()));
});

test('a list says which pictures are tested on, as text or as CSV', () =>
  inFolder(async (folder) => {
    const root = join(folder, 'photos');
    await putAnimals(root);
    const tested = async (name: string, content: string): Promise<number[]> => {
      await writeFile(join(folder, name), content);
      const { test: held, train, notes } = await loadDataset(root, { testList: join(folder, name) });
      assert.is(held.labels.length + train.labels.length, 31);
      assert.match(notes?.join() ?? '', /tested on the \d+ pictures that .* lists/);
      return numbersIn(held);
    };
    assert.equal(await tested('a.txt', 'cat/3.png\r\ndog/7.png\r\n\r\n'), [3, 107]);
    assert.equal(await tested('b.txt', '\uFEFF./dog/7\n.\\cat\\3.png\n'), [3, 107]);
    assert.equal(await tested('c.csv', 'dog/0.png,dog\ncat/9.png,cat\n'), [9, 100]);
    assert.equal(await tested('d.csv', 'label,Filename\n"a, ""b""","dog/0.png"\ncat,cat/9.png\n'), [9, 100]);

    const refused = async (content: string): Promise<string> => {
      await writeFile(join(folder, 'bad.txt'), content);
      return (await refusal(loadDataset(root, { testList: join(folder, 'bad.txt') }))).message;
    };
    assert.match(await refused(''), /bad\.txt: this list names no picture/);
    assert.match(
      await refused('cat/1.png\ncat/77.png\nmouse/1.png\n'),
      /2 of 3 entries name no picture of the set, the first is "cat\/77\.png".*such as cat\/0\.png/,
    );
    await put(root, { 'cat/3.PNG': await numbered(3), 'cat/caf\u0065\u0301.png': await numbered(50) });
    assert.match(
      await refused('dog/1.png\ncat/3\n'),
      /bad\.txt: "cat\/3" may be cat\/3\.PNG or cat\/3\.png\. Write the whole path/,
    );
    await writeFile(join(folder, 'composed.txt'), 'cat/caf\u00e9.png\ncat/3.PNG\n');
    const { test: held } = await loadDataset(root, { testList: join(folder, 'composed.txt') });
    assert.equal(numbersIn(held), [3, 50]);
    assert.match(await refused('owl/0.png\n'), /owl: all pictures of this class are to be tested on/);
    assert.match(
      (await refusal(loadDataset(root, { testList: join(folder, 'none.txt') }))).message,
      /none\.txt: cannot read this file: no such file/,
    );
  }));

test('of several parts val is tested on, or the one that is asked for', () =>
  inFolder(async (folder) => {
    for (const [part, number] of [
      ['train', 1],
      ['val', 2],
      ['test', 3],
    ] as const)
      await put(folder, { [`${part}/a/1.png`]: await numbered(number), [`${part}/b/1.png`]: await numbered(number) });
    const usual = await loadDataset(folder);
    assert.equal(numbersIn(usual.test), [2, 2]);
    assert.equal(usual.notes, ['tested on val; test is not used (--test-part)']);
    const other = await loadDataset(folder, { testPart: 'test' });
    assert.equal([numbersIn(other.test), other.notes ?? []], [[3, 3], []]);
    const refused = async (options: ReadOptions) => (await refusal(loadDataset(folder, options))).message;
    assert.match(await refused({ testPart: 'dev' }), /there is no part "dev" to test on\. There is val, test\./);
    assert.match(await refused({ testFraction: 0.1 }), /^--test-fraction: .* has a part to test on already, val\./);
    assert.match(await refused({ testList: 'x.txt' }), /^--test-list: .* already, val\./);
    // What is learnt from alone is divided.
    await put(folder, { 'alone/train/a/1.png': await numbered(1), 'alone/train/a/2.png': await numbered(2) });
    await put(folder, { 'alone/train/b/1.png': await numbered(3), 'alone/train/b/2.png': await numbered(4) });
    const { train, test: held } = await loadDataset(join(folder, 'alone'), { testFraction: 0.5 });
    assert.equal([...train.labels, ...held.labels], [0, 1, 0, 1]);
  }));

test.run();
