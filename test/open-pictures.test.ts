/** Pictures that are learnt from while they stay in their files. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { channelMoments } from '../src/data/dataset.ts';
import { loadDataset } from '../src/data/load-dataset.ts';
import { loadStored, openPictures } from '../src/data/picture-store.ts';
import { DataError } from '../src/errors.ts';
import { engram, refusedIn } from './support/command.ts';
import { inFolder } from './support/in-folder.ts';
import { raw } from './support/pictures.ts';
import { put } from './support/put.ts';
import { refusal } from './support/refusal.ts';

const CLASSES = ['cup', 'hat', 'key', 'pen'];
/** Of 12×10 pixels in stripes, which are as wide as the class's number, with noise that is each picture's own. */
function striped(label: number, seed: number): Promise<Buffer> {
  const pixels = new Uint8Array(3 * 12 * 10);
  let state = 977 * seed + 31 * label + 1;
  for (let at = 0; at < pixels.length; at++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    const column = Math.floor(at / 3) % 12;
    pixels[at] = (Math.floor(column / (label + 1)) % 2) * 180 + (state >>> 26);
  }
  return raw(12, 10, pixels).png().toBuffer();
}

async function putStripes(folder: string): Promise<void> {
  for (const [label, name] of CLASSES.entries()) {
    for (const [part, count] of [
      ['train', 6],
      ['val', 3],
    ] as const) {
      for (let i = 0; i < count; i++)
        await put(folder, { [`${part}/${name}/${i}.png`]: await striped(label, part === 'train' ? i : 100 + i) });
    }
  }
}

const size = { imageSize: 8, imageResize: 9 };

test('pictures that are opened are those that are loaded, and none is decoded before it is asked for', () =>
  inFolder(async (folder) => {
    await putStripes(folder);
    const [opened, loaded] = [await openPictures(folder, size), await loadDataset(folder, size)];
    for (const part of ['train', 'test'] as const) {
      const { stored, moments, ...set } = opened[part];
      const { images, ...others } = loaded[part];
      assert.equal(set, others);
      assert.equal(moments, channelMoments({ images, channels: 3 }), 'of so few, of all');
      assert.equal(await stored.read([...set.labels.keys()]), images);
      const bytes = 8 * 8 * 3;
      assert.equal(
        await stored.read([5, 2]),
        Uint8Array.from([...images.subarray(5 * bytes, 6 * bytes), ...images.subarray(2 * bytes, 3 * bytes)]),
      );
      assert.equal(await loadStored(opened[part]), { ...loaded[part], identity: stored.identity });
    }
    // What was decoded for its colours is not kept.
    await writeFile(join(folder, 'train/cup/1.png'), await striped(3, 7));
    const [before] = [loaded.train.images.subarray(192, 384)];
    assert.not.equal(await opened.train.stored.read([1]), before);
  }));

test('the identity is of names, classes, size and pixels, wherever the folder lies', () =>
  inFolder(async (folder) => {
    const photos = join(folder, 'photos');
    await putStripes(photos);
    const identity = async (path: string, options = size) => (await openPictures(path, options)).train.stored.identity;
    const before = await identity(photos);
    const moved = join(folder, 'moved');
    await rename(photos, moved);
    assert.is(await identity(moved), before);
    assert.not.equal(await identity(moved, { ...size, imageSize: 7 }), before);
    await rename(join(moved, 'train/cup/1.png'), join(moved, 'train/cup/11.png'));
    const renamed = await identity(moved);
    assert.not.equal(renamed, before);
    await writeFile(join(moved, 'train/cup/2.png'), await striped(2, 9));
    assert.not.equal(await identity(moved), renamed);
  }));

test('a bad picture is refused when its turn comes, or known and left out at once', () =>
  inFolder(async (folder) => {
    await putStripes(folder);
    const whole = await openPictures(folder, size);
    const file = join(folder, 'train/hat/2.png');
    await writeFile(file, (await readFile(file)).subarray(0, 90));
    const error = await refusal(whole.train.stored.read([3, 8]));
    assert.instance(error, DataError);
    assert.match(error.message, /train\/hat\/2\.png.*--bad-pictures skip/s);
    assert.is((await whole.train.stored.read([7, 9])).length, 2 * 192, 'others are read');
    const skipped = await openPictures(folder, { ...size, badPictures: 'skip' });
    assert.is(skipped.train.stored.count, 23);
    assert.equal([...skipped.train.labels].filter((label) => label === 1).length, 5);
    assert.match(skipped.notes?.join('\n') ?? '', /1 bad picture was left out: train\/hat\/2\.png/);
    const loaded = await loadDataset(folder, { ...size, badPictures: 'skip' });
    assert.equal((await loadStored(skipped.train)).images, loaded.train.images);
  }));

test('what has no one size, or is no folder of pictures, is refused', () =>
  inFolder(async (folder) => {
    await putStripes(folder);
    const none = await refusal(openPictures(folder, { imageSize: 0 }));
    assert.match(none.message, /brought to one size, and none was given.*--image-size/s);
    const other = await refusal(openPictures('glyphs', size));
    assert.match(other.message, /glyphs: there are no folders of pictures here.*without --stream/s);
    const wide = await refusal(openPictures(folder, { imageSize: 8, imageResize: 4 }));
    assert.match(wide.message, /no square of 8 pixels can be cut out/);
    const idle = await refusal(openPictures(folder, { ...size, workers: 0 }));
    assert.match(idle.message, /openPictures: `workers` is 0; a whole number of at least 1 was expected/);
  }));

const few = ['--epochs', '2', '--width', '2', '--batch', '8', '--memory', '8', '--crop', '1', '--tasks', '2'];
const same = ['--mean', '0.4,0.4,0.4', '--std', '0.3,0.3,0.3', '--image-size', '8', '--image-resize', '9'];

test('a run that streams comes to what one in memory does, goes on, and can be analysed', () =>
  inFolder(async (folder) => {
    const photos = join(folder, 'photos');
    await putStripes(photos);
    const train = (name: string, ...more: string[]) =>
      engram('train', '--method', 'rdkd', '--data', photos, ...few, ...same, '--out', join(folder, name), ...more);
    for (const [name, ...more] of [['memory'], ['stream', '--stream', '--keep-stages']] as string[][]) {
      const { code, errors } = await train(name as string, ...more);
      assert.equal([code, errors], [0, '']);
    }
    const recordOf = async (name: string) => JSON.parse(await readFile(join(folder, name, 'run.json'), 'utf8'));
    const [memory, stream] = [await recordOf('memory'), await recordOf('stream')];
    assert.equal(stream.matrix, memory.matrix);
    assert.is(stream.config.stream, true);
    const lines = (await readFile(join(folder, 'stream/metrics.jsonl'), 'utf8')).trim().split('\n');
    const epochs = lines.map((line) => JSON.parse(line)).filter(({ type }) => type === 'epoch');
    assert.ok(epochs.every(({ waited }) => waited >= 0));
    assert.match(
      (await engram('show', join(folder, 'stream'))).out,
      /waited for pictures +\d+ s \(\d+ % of training\)/,
    );
    assert.not.match((await engram('show', join(folder, 'memory'))).out, /waited for pictures/);
    const analysed = await engram(
      'analyse',
      join(folder, 'stream'),
      '--images',
      '8',
      '--out',
      join(folder, 'page.html'),
    );
    assert.equal([analysed.code, analysed.errors], [0, '']);
    // One picture is another one now: the run is not gone on with.
    await writeFile(join(photos, 'train/cup/1.png'), await striped(3, 7));
    const resume = ['train', '--resume', '--out', join(folder, 'stream')];
    await refusedIn(join(folder, 'stream'), resume, /the training images are not those the run began with/);
    await refusedIn(folder, ['train', '--data', photos, '--stream', '--out', join(folder, 'no')], /--image-size/);
  }));

test.run();
