/** CIFAR-10 and CIFAR-100 in their binary versions. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { files } from '#files';
import { loadDataset } from '../src/data/load-dataset.ts';
import { inFolder } from './support/in-folder.ts';
import { dataError } from './support/refusal.ts';

test('CIFAR in its binary version loads with its channels last', () =>
  inFolder(async (folder) => {
    const record = (labels: number[], base: number) => [
      ...labels,
      ...Array.from({ length: 3 * 1024 }, (_, index) => (index * 7 + base) % 256),
    ];
    for (const batch of [1, 2, 3, 4, 5]) {
      await files.write(
        join(folder, `data_batch_${batch}.bin`),
        new Uint8Array([...record([batch], batch), ...record([9], 0)]),
      );
    }
    await files.write(join(folder, 'test_batch.bin'), new Uint8Array(record([3], 5)));
    const { train, test: held } = await loadDataset(folder);
    assert.equal([...train.labels], [1, 9, 2, 9, 3, 9, 4, 9, 5, 9]);
    assert.is(train.classes, 10);
    const image = 2;
    const [row, column, channel] = [5, 17, 2];
    const expected = ((channel * 1024 + row * 32 + column) * 7 + 2) % 256;
    assert.is(train.images[((image * 32 + row) * 32 + column) * 3 + channel], expected);
    assert.is(held.labels.length, 1);
    await files.write(join(folder, 'data_batch_3.bin'), new Uint8Array(5000));
    assert.match(
      await dataError(loadDataset(folder)),
      /data_batch_3\.bin: 5000 bytes are not a whole number of records of 3073 bytes/,
    );
    await files.write(join(folder, 'data_batch_3.bin'), new Uint8Array(record([10], 0)));
    assert.match(await dataError(loadDataset(folder)), /label 10 of image 4 is out of range/);
  }));

test('CIFAR-100 takes the fine label', () =>
  inFolder(async (folder) => {
    await files.write(join(folder, 'train.bin'), new Uint8Array([4, 77, ...new Array(3072).fill(8)]));
    await files.write(join(folder, 'test.bin'), new Uint8Array([4, 99, ...new Array(3072).fill(9)]));
    const { train, test: held } = await loadDataset(folder);
    assert.equal([train.labels[0], held.labels[0], train.classes, train.images.length], [77, 99, 100, 3072]);
    assert.is(
      held.images.every((pixel) => pixel === 9),
      true,
    );
  }));

test('CIFAR-100 takes the coarse label where that is asked for', () =>
  inFolder(async (folder) => {
    await files.write(join(folder, 'train.bin'), new Uint8Array([4, 77, ...new Array(3072).fill(8)]));
    await files.write(join(folder, 'test.bin'), new Uint8Array([19, 99, ...new Array(3072).fill(9)]));
    const names = Array.from({ length: 20 }, (_, i) => `kind ${i}`);
    await files.write(join(folder, 'coarse_label_names.txt'), `${names.join('\n')}\n`);
    const { train, test: held } = await loadDataset(folder, { labels: 'coarse' });
    assert.equal([train.labels[0], held.labels[0], train.classes], [4, 19, 20]);
    assert.is(train.classNames?.[4], 'kind 4');
    assert.is((await loadDataset(folder, { labels: 'fine' })).train.labels[0], 77);
    assert.match(
      await dataError(loadDataset(folder, { labels: 'rough' })),
      /CIFAR-100 has no labels "rough"\. It has fine and coarse: --labels/,
    );
    await files.write(join(folder, 'data_batch_1.bin'), new Uint8Array(3073));
    assert.match(await dataError(loadDataset(folder, { labels: 'coarse' })), /CIFAR-10 has no labels "coarse"/);
  }));

test.run();
