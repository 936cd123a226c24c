/** A run whose data lie elsewhere than when it was begun, on the command line. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { engram, refusedIn } from './support/command.ts';
import { picture } from './support/pictures.ts';

const home = mkdtempSync(join(tmpdir(), 'engram-moved-'));
test.after(() => rmSync(home, { recursive: true, force: true }));
const at = (...parts: string[]): string => join(home, ...parts);
const configOf = (run: string): Record<string, unknown> => JSON.parse(readFileSync(at(run, 'config.json'), 'utf8'));

/** Pictures of 8×8 in a folder a class, each of a grey of its own, from `from` on. */
async function photos(folder: string, classes: readonly string[], from = 0): Promise<void> {
  for (const [label, name] of classes.entries()) {
    mkdirSync(at(folder, name), { recursive: true });
    for (let n = 0; n < 4; n++) {
      const grey = from + 20 * label + n;
      writeFileSync(at(folder, name, `${n}.png`), await picture(8, 8, [grey, grey, grey]));
    }
  }
}

const classes = ['ant', 'bee', 'cat', 'dog'];
await photos('photos', classes);
const tested = classes.map((name) => `${name}/3.png`).join('\n');
writeFileSync(at('tested.txt'), tested);
const small = '--tasks 3 --epochs 1 --memory 4 --batch 4 --width 2 --crop 0'.split(' ');
const { code, errors } = await engram(
  'train',
  ...['--data', at('photos'), '--test-list', at('tested.txt'), ...small, '--out', at('run')],
);
assert.is(code, 0, errors);
const resume = ['train', '--resume', '--out', at('run')];

test('it is told how a run whose data were moved is gone on with, and the run records the new place alone', async () => {
  mkdirSync(at('elsewhere'));
  renameSync(at('photos'), at('elsewhere', 'photos'));
  await refusedIn(home, resume, /run: the data of this run are not there.*Say where they lie now by --data FOLDER/);
  const before = configOf('run');
  const { code, errors } = await engram(...resume, '--data', at('elsewhere', 'photos'));
  assert.is(code, 0, errors);
  assert.equal(configOf('run'), { ...before, data: at('elsewhere', 'photos') });
  assert.is((await engram(...resume)).code, 0, 'and knows it from then on');
});

test('the list of the pictures to test on may be moved too', async () => {
  renameSync(at('tested.txt'), at('elsewhere', 'tested.txt'));
  await refusedIn(
    home,
    resume,
    /run: the list of the pictures that this run is tested on is not there.*--test-list FILE/,
  );
  const moved = ['--test-list', at('elsewhere', 'tested.txt')];
  const { code, errors } = await engram(...resume, ...moved);
  assert.is(code, 0, errors);
  assert.is(configOf('run').testList, moved[1]);
  writeFileSync(at('other.txt'), tested.replaceAll('3', '2'));
  const other = [...resume, '--test-list', at('other.txt')];
  await refusedIn(home, other, /checkpoint\.safetensors: the training images are not those the run began with/);
});

test('other data are refused by what they hold, and other settings as ever', async () => {
  const refused = (folder: string, pattern: RegExp) => refusedIn(home, [...resume, '--data', at(folder)], pattern);
  await refused('nowhere', /run: the data of this run are not there \(.*nowhere\)/);
  cpSync(at('elsewhere', 'photos'), at('copy'), { recursive: true });
  writeFileSync(at('copy', 'cat', '0.png'), await picture(8, 8, [200, 200, 200]));
  await refused(
    'copy',
    /the training images are not those the run began with.*Resume with the data the run began with/,
  );
  await photos('fewer', classes.slice(0, 2));
  writeFileSync(at('fewer.txt'), 'ant/3.png\nbee/3.png');
  await refusedIn(
    home,
    [...resume, '--data', at('fewer'), '--test-list', at('fewer.txt')],
    /^--data: the data in .*fewer are not those that the run in .*run began with: 2 classes cannot be dealt/,
  );
  writeFileSync(at('config.json'), JSON.stringify({ data: at('copy') }));
  await refusedIn(
    home,
    [...resume, '--config', at('config.json')],
    /^"data" in the configuration file: .*Where the same lies elsewhere now, say so by --data/,
  );
  await refusedIn(home, [...resume, '--lr', '7'], /^--lr: the run in .* was begun with 0\.1, not with 7/);
});

test.run();
