/** Sets of images in Parquet files, as the Hugging Face hub stores them. */
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadDataset } from '../src/data/load-dataset.ts';
import { shardsOf } from '../src/data/parquet-shards.ts';
import type { ReadOptions } from '../src/data/reader.ts';
import { DataError } from '../src/errors.ts';
import { inFolder } from './support/in-folder.ts';
import { CLASSES, features, parquetOf, type Row, type Write } from './support/parquet-files.ts';
import { BLUE, type Colour, GREEN, picture, pixelOf, RED } from './support/pictures.ts';
import { put } from './support/put.ts';
import { refusal } from './support/refusal.ts';

const row = async (colour: Colour, label: Row['label']): Promise<Row> => ({
  image: { bytes: Uint8Array.from(await picture(4, 4, colour)), path: null },
  label,
});
const [red, green, blue] = await Promise.all([row(RED, 2), row(GREEN, 0), row(BLUE, 1)]);
/** The colours of a set's images. */
const coloursOf = ({ images }: { images: Uint8Array }): number[][] =>
  Array.from({ length: images.length / 48 }, (_, at) => pixelOf({ images }, 16 * at));

test('shards of parts are read in their order, classes have the names of the features', () =>
  inFolder(async (folder) => {
    await put(folder, {
      'data/train-00000-of-00002.parquet': parquetOf([red, green, blue]),
      'data/train-00001-of-00002.parquet': parquetOf([blue]),
      'data/test-00000-of-00001-0123456789abcdef.parquet': parquetOf([green, red, blue]),
      'data/validation-00000-of-00001.parquet': parquetOf([blue]),
      'README.md': '',
    });
    const { train, test: held, notes, pictureSizes } = await loadDataset(folder);
    assert.equal(coloursOf(train), [RED, GREEN, BLUE, BLUE]);
    assert.equal(
      [[...train.labels], [...held.labels]],
      [
        [2, 0, 1, 1],
        [0, 2, 1],
      ],
    );
    assert.equal([train.classNames, train.classes, train.height, train.channels], [CLASSES, 3, 4, 3]);
    assert.equal(notes, ['tested on test; validation is not used (--test-part)']);
    assert.equal(pictureSizes?.largest, { width: 4, height: 4 });
    const other = await loadDataset(folder, { testPart: 'validation', imageSize: 2 });
    assert.equal([[...other.test.labels], other.test.height], [[1], 2]);
  }));

test('the part of a file is told by a word in its name, in upper and lower case', () =>
  inFolder(async (folder) => {
    const [trained, tested] = [parquetOf([red, green]), parquetOf([green, red])];
    for (const [i, [train, test]] of [
      ['mnist_train', 'mnist_test'],
      ['Training', 'Testing'],
      ['my-set.train-00000-of-00001', 'my-set.eval-00000-of-00001'],
      ['dev-tools_train_1', 'dev-tools_DEV'],
      ['train/data-00000-of-00001', 'Test/data-00000-of-00001'],
      ['train/mnist_train', 'test/mnist_test'],
    ].entries()) {
      const root = join(folder, `${i}`);
      await put(root, { [`${train}.parquet`]: trained, [`${test}.parquet`]: tested });
      const { train: learnt, test: held, notes } = await loadDataset(root);
      assert.equal([coloursOf(learnt), coloursOf(held), notes], [[RED, GREEN], [GREEN, RED], []], train);
    }
    const names = (...paths: string[]) => [...shardsOf(paths, 'x').keys()];
    // No words of their own.
    assert.equal(names('trains.parquet', 'latest.parquet', 'develop.parquet'), ['']);
    await put(folder, { 'many/words-00000-of-00001.parquet': parquetOf([red, red, green, green]) });
    assert.is((await loadDataset(join(folder, 'many'))).train.labels.length, 2);
  }));

test('files that are not read are told, and those that are no parts of one set refused', () =>
  inFolder(async (folder) => {
    await put(folder, {
      'train-00000-of-00001.parquet': parquetOf([red, green]),
      'test-00000-of-00001.parquet': parquetOf([red, green]),
      'more.parquet': parquetOf([blue]),
      'extra-00000-of-00001.parquet': parquetOf([green]),
    });
    const { train, notes } = await loadDataset(folder);
    assert.is(train.labels.length, 2);
    assert.equal(notes, [
      'files that are no part to learn from or to test on by their names were passed over: "extra-00000-of-00001.parquet", "more.parquet"',
    ]);
    const extra = await loadDataset(folder, { testPart: 'extra' });
    assert.equal([...extra.test.labels], [0]);
    const told = (...names: string[]): string => {
      try {
        shardsOf(
          names.map((name) => `${name}.parquet`),
          'photos',
        );
      } catch (error) {
        assert.instance(error, DataError);
        return (error as DataError).message;
      }
      return 'nothing';
    };
    assert.match(
      told('train-00000-of-00002-aaaa', 'train-00000-of-00002-bbbb'),
      /photos: train-00000-of-00002-aaaa\.parquet and train-00000-of-00002-bbbb\.parquet are the same shard of train/,
    );
    assert.match(told('train-00000-of-00002', 'train-00002-of-00002'), /of the 2 shards of train 2 are here/);
    for (const other of ['train-00001-of-00003', 'train', 'cifar_train-00001-of-00002'])
      assert.match(told('train-00000-of-00002', other), /both say that they are train, and are not of one set/);
    assert.match(told('mnist_train', 'cifar_train'), /are not of one set\. Leave those of one set here/);
    assert.is(told('train-00000-of-00002-aaaa', 'train-00001-of-00002-bbbb'), 'nothing');
    await put(folder, { 'training.parquet': parquetOf([red]) });
    assert.match((await refusal(loadDataset(folder))).message, /"train" and "training" are two names of one part/);
  }));

/** A frame of Zstandard (RFC 8878) with one block as it is: Node 20 has no compressor. Up to 128 KiB. */
function zstdFrame(bytes: Uint8Array): Uint8Array {
  const magic = [0x28, 0xb5, 0x2f, 0xfd];
  // One segment, its size in four bytes; then the block: last, raw, its size in 21 bits.
  const size = [0, 8, 16, 24].map((shift) => (bytes.length >> shift) & 0xff);
  const block = [0, 8, 16].map((shift) => ((1 | (bytes.length << 3)) >> shift) & 0xff);
  return Uint8Array.from([...magic, 0xa0, ...size, ...block, ...bytes]);
}

test('compressed as Parquet files are', () =>
  inFolder(async (folder) => {
    const codecs: Partial<Write>[] = [
      { codec: 'UNCOMPRESSED' },
      { codec: 'SNAPPY' },
      { codec: 'GZIP', compressors: { GZIP: (bytes) => gzipSync(bytes) } },
      { codec: 'ZSTD', compressors: { ZSTD: zstdFrame } },
    ];
    for (const options of codecs) {
      await put(folder, {
        'train.parquet': parquetOf([red, green, blue], options),
        'test.parquet': parquetOf([red], options),
      });
      assert.equal(coloursOf((await loadDataset(folder)).train), [RED, GREEN, BLUE], options.codec);
    }
  }));

test('folders of parts, and one file alone', () =>
  inFolder(async (folder) => {
    const many = Array.from({ length: 10 }, (_, i) => (i < 5 ? green : blue));
    await put(folder, { 'train/0000.parquet': parquetOf([red, green]), 'test/0000.parquet': parquetOf([blue]) });
    await put(folder, { 'all.bin/rows.parquet': parquetOf(many) });
    const { train, test: held } = await loadDataset(join(folder, 'all.bin/rows.parquet'), { testFraction: 0.4 });
    assert.equal(
      [[...train.labels], [...held.labels]],
      [
        [0, 0, 0, 1, 1, 1],
        [0, 0, 1, 1],
      ],
    );
    assert.is(train.name, 'rows');
    assert.match(
      (await refusal(loadDataset(folder))).message,
      /Parquet files of several sets here, in all\.bin, \.. Give the folder of one/,
    );
    assert.equal(
      [...shardsOf(['train/0000.parquet', 'train/0001.parquet', 'valid.parquet'], 'x')],
      [
        ['train', ['train/0000.parquet', 'train/0001.parquet']],
        ['valid', ['valid.parquet']],
      ],
    );
  }));

test('labels: fine or coarse, words, or of a column that is named', () =>
  inFolder(async (folder) => {
    const kinds = features({
      label: { _type: 'Value' },
      fine_label: { names: CLASSES, _type: 'ClassLabel' },
      coarse_label: { names: ['beast', 'bird'], _type: 'ClassLabel' },
    });
    const columns = [
      { name: 'fine_label', data: [2n, 0n] },
      { name: 'coarse_label', data: [1n, 0n] },
    ];
    const file = parquetOf([red, green], { kvMetadata: [{ key: 'huggingface', value: kinds }] }, columns);
    await put(folder, { 'a/train.parquet': file, 'a/test.parquet': file });
    const read = async (labels?: string) => (await loadDataset(join(folder, 'a'), { labels })).train;
    const [fine, coarse] = [await read('fine'), await read('coarse_label')];
    assert.equal([[...fine.labels], fine.classNames], [[2, 0], CLASSES]);
    assert.equal(
      [[...coarse.labels], coarse.classNames],
      [
        [1, 0],
        ['beast', 'bird'],
      ],
    );
    assert.match(
      (await refusal(read('rough'))).message,
      /no column of labels "rough"\. The columns are image, label, fine_label, coarse_label/,
    );
    // Of words the classes are sorted, whichever comes first.
    const words = [
      { ...red, label: 'owl' },
      { ...green, label: 'cat' },
      { ...blue, label: 'dog' },
    ];
    await put(folder, {
      'b/train.parquet': parquetOf(words, { kvMetadata: [] }),
      'b/test.parquet': parquetOf(words.slice(1), { kvMetadata: [] }),
    });
    const { train, test: held } = await loadDataset(join(folder, 'b'));
    assert.equal(
      [[...train.labels], [...held.labels], held.classNames],
      [
        [2, 0, 1],
        [0, 1],
        ['cat', 'dog', 'owl'],
      ],
    );
  }));

test('classes of one name are told apart by their numbers', () =>
  inFolder(async (folder) => {
    const kvMetadata = [
      { key: 'huggingface', value: features({ label: { names: ['crane', 'dog', 'crane'], _type: 'ClassLabel' } }) },
    ];
    const file = parquetOf([red, green], { kvMetadata });
    await put(folder, { 'train.parquet': file, 'test.parquet': file });
    const { train, notes } = await loadDataset(folder);
    assert.equal(
      [[...train.labels], train.classNames],
      [
        [2, 0],
        ['crane (0)', 'dog', 'crane (2)'],
      ],
    );
    assert.equal(notes, ['classes of one name are told apart by their numbers: "crane (0)", "crane (2)"']);
  }));

/** A file whose labels are of another type: their bytes, and what these are marked as. */
const withLabels = (labels: readonly unknown[], convertedType?: 'UTF8' | 'JSON'): Uint8Array =>
  new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: 'image', data: [red, green, blue].slice(0, labels.length).map(({ image }) => image?.bytes) },
        { name: 'label', data: [...labels] },
      ],
      schema: [
        { name: 'schema', num_children: 2 },
        { name: 'image', type: 'BYTE_ARRAY' },
        { name: 'label', type: 'BYTE_ARRAY', ...(convertedType ? { converted_type: convertedType } : {}) },
      ],
      kvMetadata: [
        { key: 'huggingface', value: JSON.stringify({ info: { features: { image: { _type: 'Image' } } } }) },
      ],
    }),
  );

test('words in bytes are words, and what is neither a word nor a number is no label', () =>
  inFolder(async (folder) => {
    const bytes = (word: string) => new TextEncoder().encode(word);
    await put(folder, { 'train.parquet': withLabels(['7', 'émeu', '3'].map(bytes)) });
    await put(folder, { 'test.parquet': withLabels([bytes('7')]) });
    const { train, test: held } = await loadDataset(folder);
    assert.equal([[...train.labels], [...held.labels], train.classNames], [[1, 2, 0], [1], ['3', '7', 'émeu']]);
    for (const [label, told] of [
      [[3], 'an array of 1'],
      [[], 'an array of 0'],
      [{ a: 1 }, 'an object { a }'],
    ] as const) {
      await put(folder, { 'train.parquet': withLabels([label, label], 'JSON') });
      const { message } = await refusal(loadDataset(folder));
      assert.ok(message.includes(`train.parquet, row 0: the label is ${told}; a class number`), message);
    }
    await put(folder, { 'train.parquet': withLabels([Uint8Array.of(0xff, 0xfe), bytes('3')]) });
    assert.match((await refusal(loadDataset(folder))).message, /row 0: the label is a Uint8Array; a class number/);
  }));

test('what is no set of images is refused', () =>
  inFolder(async (folder) => {
    const refused = async (
      rows: readonly Row[],
      options: ReadOptions = {},
      write: Partial<Write> = {},
    ): Promise<string> => {
      await put(folder, { 'train.parquet': parquetOf([red, green]), 'test.parquet': parquetOf(rows, write) });
      const error = await refusal(loadDataset(folder, options));
      assert.instance(error, DataError);
      return error.message;
    };
    assert.match(
      await refused([green, { ...red, label: -1 }]),
      /test\.parquet, row 1: the label is -1; .*hides its labels.*--test-part/,
    );
    assert.match(await refused([{ ...red, label: null }]), /row 0: the label is null/);
    assert.match(await refused([{ ...red, label: 3 }]), /label 3 of image 0 is out of range: there are 3 classes/);
    assert.match(
      await refused([red, green, { ...red, image: { bytes: null, path: 'a.png' } }]),
      /row 2: this row holds no picture/,
    );
    assert.match(
      await refused([{ ...red, image: { bytes: Uint8Array.of(1, 2, 3), path: null } }]),
      /row 0: cannot decode this image/,
    );
    const { notes = [] } = await loadDataset(folder, { badPictures: 'skip' }).catch(() => ({ notes: ['none left'] }));
    assert.equal(notes, ['none left']);
    const table = parquetWriteBuffer({
      columnData: [
        { name: 'a', data: [1, 2] },
        { name: 'b', data: ['x', 'y'] },
      ],
    });
    await put(folder, { 'train.parquet': new Uint8Array(table) });
    assert.match(
      (await refusal(loadDataset(folder))).message,
      /train\.parquet: there is no column of pictures.*The columns are a, b/,
    );
    await put(folder, { 'c/test.parquet': parquetOf([red]) });
    assert.match(
      (await refusal(loadDataset(join(folder, 'c')))).message,
      /there is no part to learn from, "train"\. There is test\./,
    );
    await put(folder, { 'd/train-00001-of-00002.parquet': parquetOf([red]) });
    assert.match((await refusal(loadDataset(join(folder, 'd')))).message, /of the 2 shards of train 1 are here/);
  }));

test('a file that is cut off or damaged is refused by name', () =>
  inFolder(async (folder) => {
    const good = parquetOf([red, green, blue]);
    for (const length of [0, 3, 100, good.length >> 1, good.length - 1]) {
      await put(folder, { 'train.parquet': good.subarray(0, length), 'test.parquet': good });
      const error = await refusal(loadDataset(folder));
      assert.instance(error, DataError);
      assert.match(error.message, /train\.parquet: this Parquet file cannot be read: .* Fetch the file again/);
    }
    const damaged = good.slice();
    damaged.fill(0xee, 8, 90);
    await put(folder, { 'train.parquet': damaged });
    assert.match(
      (await refusal(loadDataset(folder))).message,
      /train\.parquet.*(cannot be read|cannot decode|no picture)/,
    );
  }));

test.run();
