/** Data sets in NumPy's `.npz` files. */
import { join } from 'node:path';
import { type Zippable, zipSync } from 'fflate';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadDataset } from '../src/data/load-dataset.ts';
import { npyBytes, npyNumbers } from '../src/data/npy.ts';
import { unpackArrays } from '../src/data/npz-arrays.ts';
import { DataError } from '../src/errors.ts';
import { inFolder } from './support/in-folder.ts';
import { floats, fortran, keras, medmnist, several, whole } from './support/numpy-files.ts';
import { put } from './support/put.ts';
import { refusal } from './support/refusal.ts';

const range = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i);

test('MedMNIST: parts by their names, labels in a column', () =>
  inFolder(async (folder) => {
    await put(folder, { 'set.npz': medmnist });
    const { train, test: held, notes } = await loadDataset(folder);
    assert.equal([[...train.images], [...train.labels]], [range(0, 18), [1, 0, 2]]);
    assert.equal([[...held.images], [...held.labels]], [range(100, 12), [2, 0]]);
    assert.equal([train.height, train.width, train.channels, train.classes, held.classes], [2, 3, 1, 3, 3]);
    const untested = (names: string) =>
      `no image is tested on of ${names}: give such classes more, or leave them out of a run's class order`;
    assert.equal(notes, ['tested on test; val is not used (--test-part)', untested('"1"')]);
    const other = await loadDataset(folder, { testPart: 'val' });
    assert.equal([[...other.test.images], [...other.test.labels]], [new Array(6).fill(200), [1]]);
    assert.equal(other.notes, [untested('"0", "2"')]);
  }));

test('Keras: a file named itself, stored, in colour, labels of 64 bits', () =>
  inFolder(async (folder) => {
    await put(folder, { 'set.npz': keras, 'other.npz': medmnist });
    const { train, test: held } = await loadDataset(join(folder, 'set.npz'));
    assert.equal([[...train.images], [...train.labels]], [range(0, 24), [1, 0]]);
    assert.equal([[...held.images], [...held.labels]], [range(50, 12), [1]]);
    assert.equal([train.name, train.height, train.width, train.channels], ['set', 2, 2, 3]);
    assert.match(
      (await refusal(loadDataset(folder))).message,
      /there are 2 \.npz files here\. Name one of them, such as .*other\.npz/,
    );
  }));

test('without parts a share of each class is drawn; names of classes lie beside', () =>
  inFolder(async (folder) => {
    await put(folder, { 'set.npz': whole, 'classes.json': '["even", "odd"]' });
    // Beside a file that is named itself, too.
    assert.equal((await loadDataset(join(folder, 'set.npz'))).train.classNames, ['even', 'odd']);
    const { train, test: held, notes } = await loadDataset(folder, { testFraction: 0.3, splitSeed: 5 });
    assert.equal(notes, [
      "30 % of each class's images were drawn to test on, by seed 5 (--test-fraction, --split-seed)",
    ]);
    assert.equal([train.classNames, held.labels.filter(Boolean).length, held.labels.length], [['even', 'odd'], 3, 6]);
    const numbers = [train, held].flatMap(({ images }) => Array.from(images).filter((_, at) => at % 4 === 0));
    assert.equal(
      numbers.sort((a, b) => a - b),
      range(0, 20),
    );
    for (const { images, labels } of [train, held])
      labels.forEach((label, at) => {
        assert.is(images[4 * at]! % 2, label);
      });
  }));

/** An array as NumPy's format has it, in any of its versions. */
function npy(
  version: number,
  descr: string,
  shape: string,
  values: readonly number[],
  order = 'False',
): Uint8Array<ArrayBuffer> {
  const header = new TextEncoder().encode(`{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }\n`);
  const length = version === 1 ? [header.length, 0] : [header.length, 0, 0, 0];
  return Uint8Array.from([0x93, ...new TextEncoder().encode('NUMPY'), version, 0, ...length, ...header, ...values]);
}

test('all versions of the format, both orders of bytes and all whole numbers are read', () => {
  for (const version of [1, 2, 3]) {
    const { shape, values } = npyBytes(npy(version, "'|u1'", '(2, 3)', range(1, 6)), 'a');
    assert.equal([shape, [...values]], [[2, 3], range(1, 6)]);
  }
  const numbers = (descr: string, values: readonly number[]) =>
    npyNumbers(npy(1, `'${descr}'`, '(2,)', values), 'a').values;
  assert.equal(numbers('<u2', [1, 2, 3, 4]), [513, 1027]);
  assert.equal(numbers('>u2', [1, 2, 3, 4]), [258, 772]);
  assert.equal(numbers('<i4', [255, 255, 255, 255, 7, 0, 0, 0]), [-1, 7]);
  assert.equal(numbers('>i8', [0, 0, 0, 0, 0, 0, 1, 0, 255, 255, 255, 255, 255, 255, 255, 254]), [256, -2]);
  assert.equal(numbers('<u8', [9, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]), [9, 256]);
  assert.equal(numbers('|i1', [255, 5]), [-1, 5]);
  assert.equal(numbers('|b1', [1, 0]), [1, 0]);
  // One row or column lies the same way in both orders.
  assert.equal(npyBytes(npy(1, "'|u1'", '(1, 3)', [4, 5, 6], 'True'), 'a').shape, [1, 3]);
  assert.equal(npyNumbers(npy(1, "'|u1'", '()', [4]), 'a'), { shape: [], values: [4] });
});

test('what is no array of NumPy, or cut off, is told', () => {
  const good = npy(1, "'|u1'", '(2, 3)', range(1, 6));
  const said = (bytes: Uint8Array<ArrayBuffer>): string => {
    try {
      npyBytes(bytes, 'set.npz, images');
    } catch (error) {
      assert.instance(error, DataError);
      return (error as DataError).message;
    }
    return 'nothing';
  };
  assert.match(said(new TextEncoder().encode('<html>')), /^set\.npz, images: this is no array of NumPy/);
  assert.match(said(new Uint8Array(0)), /no array of NumPy/);
  assert.match(said(good.slice(0, 9)), /ends after 9 bytes, within its header/);
  assert.match(said(good.slice(0, 40)), /the header takes \d+ bytes, 40 are there/);
  assert.match(said(good.slice(0, -2)), /the header promises an array \[2, 3\] of 6 bytes, 4 follow/);
  assert.match(said(npy(1, "'|u1'", '(2, 3)', range(1, 7))), /6 bytes, 7 follow/);
  assert.match(said(npy(9, "'|u1'", '(2, 3)', [])), /version 9 of NumPy's format is not known/);
  assert.match(said(npy(1, "[('a', '<f4')]", '(2,)', [])), /names no simple type, order and shape/);
  assert.match(said(npy(1, "'|O'", '(2,)', [1, 2])), /NumPy's type O1/);
});

test('arrays that are no set of images are refused, by file and array', () =>
  inFolder(async (folder) => {
    const refused = async (file: Uint8Array | Zippable): Promise<string> => {
      await put(folder, { 'set.npz': file instanceof Uint8Array ? file : zipSync(file) });
      const error = await refusal(loadDataset(folder));
      assert.instance(error, DataError);
      return error.message;
    };
    assert.match(
      await refused(fortran),
      /set\.npz, x_train: the array \[2, 3, 4\] lies columns first.*ascontiguousarray/,
    );
    assert.match(
      await refused(floats),
      /set\.npz, x_train: the values are of NumPy's type f4; pixels are u1.*astype\(numpy\.uint8\)/,
    );
    assert.match(await refused(several), /train_labels: labels of shape \[2, 14\] are several an image/);
    const images = npy(1, "'|u1'", '(2, 1, 1)', [1, 2]);
    const labels = npy(1, "'|u1'", '(2,)', [0, 1]);
    const set = { 'x_train.npy': images, 'y_train.npy': labels, 'x_test.npy': images, 'y_test.npy': labels };
    assert.match(
      await refused({ 'a.npy': images }),
      /there are no arrays of images to learn from; found were a\. Name them train_images and train_labels, or x_train and y_train/,
    );
    assert.match(await refused({}), /found were none/);
    assert.match(
      await refused({ ...set, 'y_test.npy': npy(1, "'|i1'", '(2,)', [0, 255]) }),
      /y_test: label -1 is no class number/,
    );
    assert.match(
      await refused({ ...set, 'y_test.npy': npy(1, "'|u1'", '(1,)', [0]) }),
      /there are 1 labels for 2 images/,
    );
    assert.match(
      await refused({ ...set, 'y_test.npy': npy(1, "'<f4'", '(1,)', [0, 0, 0, 0]) }),
      /type f4; whole numbers/,
    );
    assert.match(
      await refused({ ...set, 'x_train.npy': npy(1, "'|u1'", '(2, 1, 1, 5)', range(0, 10)) }),
      /an array of shape \[2, 1, 1, 5\] is none of images/,
    );
    assert.match(
      await refused({ ...set, 'x_test.npy': npy(1, "'|u1'", '(2, 1, 2)', range(0, 4)) }),
      /training images are 1×1×1, test images 1×2×1/,
    );
    await put(folder, { 'classes.json': '["only"]' });
    assert.match(await refused(set), /label 1 of image 1 is out of range: there are 1 classes/);
  }));

test('a file that is cut off anywhere is refused', () =>
  inFolder(async (folder) => {
    for (const file of [medmnist, keras])
      for (const length of [0, 10, 200, file.length >> 1, file.length - 30, file.length - 1]) {
        await put(folder, { 'set.npz': file.subarray(0, length) });
        const error = await refusal(loadDataset(folder));
        assert.instance(error, DataError);
        assert.match(error.message, /set\.npz: the \d+ bytes are no whole ZIP archive, as \.npz files are: .*Fetch/);
      }
    // The list of its arrays is whole, and one of them is not.
    const damaged = medmnist.slice();
    damaged.fill(0xff, 60, 90);
    await put(folder, { 'set.npz': damaged });
    assert.instance(await refusal(loadDataset(folder)), DataError);
  }));

test('whichever byte is another one, arrays are those that were saved or the file is refused', async () => {
  const unpack = (bytes: Uint8Array<ArrayBuffer>) => [...unpackArrays(bytes, 'set.npz', (names) => names).values()];
  for (const file of [medmnist, keras]) {
    const saved = new Set(unpack(file).map(String));
    let refused = 0;
    for (let at = 0; at < file.length; at++) {
      const damaged = file.slice();
      damaged[at]! ^= 1;
      try {
        for (const array of unpack(damaged)) assert.ok(saved.has(String(array)), `byte ${at}`);
      } catch (error) {
        assert.instance(error, DataError);
        refused++;
      }
    }
    assert.ok(refused > file.length / 3, `${refused} of ${file.length}`);
  }
  const pixel = keras.slice();
  pixel[keras.findIndex((_, at) => range(0, 24).every((value, i) => keras[at + i] === value)) + 5]! ^= 0x80;
  await inFolder(async (folder) => {
    await put(folder, { 'set.npz': pixel });
    assert.match(
      (await refusal(loadDataset(folder))).message,
      /set\.npz, x_train\.npy: this array is damaged: .*checksum/,
    );
  });
});

test.run();
