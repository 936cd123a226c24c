/** A data set in a format of one's own, by what the package exports. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadDataset } from '../src/entries/data.ts';
import { DataError } from '../src/index.ts';
import { csv } from './examples/csv-reader.ts';
import { inFolder } from './support/in-folder.ts';

test('a reader is one file, and handed to loadDataset', () =>
  inFolder(async (folder) => {
    await writeFile(join(folder, 'train.csv'), '0,1,2,3,4\n2,5,6,7,8\n');
    await writeFile(join(folder, 'test.csv'), '1,9,8,7,6\n');
    const { train, test: held } = await loadDataset(folder, { readers: [csv] });
    assert.equal([...train.images], [1, 2, 3, 4, 5, 6, 7, 8]);
    assert.equal([...train.labels], [0, 2]);
    assert.is(train.classes, 3);
    assert.equal([held.height, held.width, held.channels, held.labels[0]], [2, 2, 1, 1]);
  }));

test('what it refuses is refused, and what it does not know goes to the others', () =>
  inFolder(async (folder) => {
    const refusal = (): Promise<string> =>
      loadDataset(folder, { readers: [csv] }).then(
        () => '',
        (error: Error) => {
          assert.instance(error, DataError);
          return error.message;
        },
      );
    assert.match(await refusal(), /no data set in a known format.*train\.csv and test\.csv; CIFAR.*MNIST/);
    await writeFile(join(folder, 'train.csv'), '0,1,2,3\n');
    assert.match(await refusal(), /train\.csv: every line must be a label/);
  }));

test.run();
