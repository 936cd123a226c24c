/** How data are read is a setting of runs: recorded with them, and as it was for runs that knew nothing of it. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseConfig } from '../src/continual/benchmark/config.ts';
import { dataSettings, readOptionsOf } from '../src/continual/benchmark/data-settings.ts';
import { runId } from '../src/sweep/run-id.ts';
import { engram, refusedIn } from './support/command.ts';
import { inFolder } from './support/in-folder.ts';
import { picture, RED } from './support/pictures.ts';
import { put } from './support/put.ts';

test('what was asked for reaches the readers, and nothing else', () => {
  const asked = { imageSize: 64, badPictures: 'skip', testFraction: 0.3, splitSeed: 7, labels: 'coarse' };
  assert.equal(readOptionsOf(parseConfig({ data: 'photos', ...asked })), asked);
  const config = parseConfig({ data: 'photos' });
  assert.equal(readOptionsOf(config), {});
  // A default that is recorded would make other runs of those that are done.
  assert.equal(
    Object.keys(dataSettings).filter((key) => key in config),
    [],
  );
});

test('where a list lies is the affair of a machine', () => {
  const idOf = (testList: string) => runId(parseConfig({ data: 'photos', testList }));
  assert.is(idOf('/home/one/test.txt'), idOf('lists/test.txt'));
  assert.is.not(idOf('lists/test.txt'), idOf('lists/other.txt'));
});

test('a run learns from a folder of pictures, says what was decided and records what was asked for', () =>
  inFolder(async (folder) => {
    const one = await picture(8, 8, RED);
    for (const name of ['cat', 'dog'])
      for (let i = 0; i < 4; i++) await put(folder, { [`photos/${name}/${i}.png`]: one });
    const photos = join(folder, 'photos');
    await refusedIn(folder, ['train', '--data', photos, '--test-part', 'val'], /no part "val" to test on/);
    await refusedIn(folder, ['train', '--data', photos, '--image-resize', '0'], /--image-resize: "0" does not fit/);
    const run = join(folder, 'run');
    const settings = [
      '--test-fraction',
      '0.5',
      '--tasks',
      '1',
      '--epochs',
      '1',
      '--width',
      '4',
      '--method',
      'finetune',
    ];
    const { code, out, errors } = await engram('train', '--data', photos, '--out', run, ...settings);
    assert.is(code, 0, errors);
    assert.match(out, /^data {6}50 % of each class's images were drawn to test on/m);
    const again = await engram('train', '--resume', '--out', run, '--test-fraction', '0.25');
    assert.match(again.errors, /--test-fraction: the run .* was begun with 0\.5, not with 0\.25/);
  }));

test.run();
