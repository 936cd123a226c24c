/** Pictures that stay in their files and come in batches. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadDataset } from '../src/data/load-dataset.ts';
import { DataLoader } from '../src/data/loader.ts';
import { type PictureBatch, PictureStream, type StreamOptions, streamPictures } from '../src/data/picture-stream.ts';
import type { DataSource } from '../src/data/source.ts';
import { ArgumentError, DataError } from '../src/errors.ts';
import { inFolder } from './support/in-folder.ts';
import { picture, pixelOf } from './support/pictures.ts';
import { put } from './support/put.ts';
import { refusal } from './support/refusal.ts';

/** Pictures of 4×4 that tell their numbers by their colour. */
const COUNT = 23;
const files = new Map<string, Uint8Array<ArrayBuffer>>();
for (let i = 0; i < COUNT; i++) files.set(`${i}.png`, Uint8Array.from(await picture(4, 4, [10 * i, 255 - 10 * i, i])));

const usual: StreamOptions = { imageSize: 4, imageResize: 4, batch: 5, seed: 3 };
/** Those in a batch by their colours. */
const numbersIn = ({ images }: PictureBatch): number[] =>
  Array.from({ length: images.count }, (_, at) => pixelOf({ images: images.data }, 16 * at)[2]!);

/** What reads, counted. */
class Counted implements DataSource {
  readonly where = 'photos';
  begun = 0;
  ended = 0;
  constructor(private readonly onBegin: () => void = () => {}) {}
  async find(): Promise<undefined> {}
  async read(name: string): Promise<Uint8Array<ArrayBuffer>> {
    this.begun++;
    this.onBegin();
    await new Promise((later) => setTimeout(later, (this.begun * 7) % 5));
    this.ended++;
    return files.get(name) ?? new Uint8Array(0);
  }
}

/** The pictures in two classes, as many even as odd ones. */
const streamOf = (source: DataSource, options: Partial<StreamOptions> = {}, names = [...files.keys()]): PictureStream =>
  new PictureStream(
    source,
    names.map((name, i) => ({ name, label: i % 2 })),
    ['even', 'odd'],
    { ...usual, ...options },
  );

async function all(stream: PictureStream, epoch: number, from?: number): Promise<PictureBatch[]> {
  const batches: PictureBatch[] = [];
  for await (const batch of stream.epoch(epoch, from)) batches.push(batch);
  return batches;
}

test('batches are those of the loader, with pixels and labels', async () => {
  const batches = await all(streamOf(new Counted()), 2);
  const order = [
    ...new DataLoader(
      Array.from(files.keys(), (_, i) => i),
      usual,
    ).order(2),
  ];
  assert.equal(batches.flatMap(numbersIn), order);
  assert.equal(
    batches.map(({ epoch, step, indices }) => [epoch, step, indices.length]),
    [
      [2, 0, 5],
      [2, 1, 5],
      [2, 2, 5],
      [2, 3, 5],
      [2, 4, 3],
    ],
  );
  for (const { images, labels } of batches) {
    assert.equal([images.height, images.width, images.channels, images.data.length], [4, 4, 3, 48 * labels.length]);
    for (const [at, label] of labels.entries()) {
      const [red, green, number = 0] = pixelOf({ images: images.data }, 16 * at);
      assert.equal([red, green, label], [10 * number, 255 - 10 * number, number % 2]);
    }
  }
});

test('a batch is the same however many are decoded at once and however far ahead, and after a resume', async () => {
  const plain = (batches: readonly PictureBatch[]) => batches.map(({ waited: _, ...batch }) => batch);
  const expected = plain(await all(streamOf(new Counted(), { workers: 1, ahead: 0 }), 1));
  for (const options of [{}, { workers: 8, ahead: 3 }, { workers: 2, ahead: 30 }])
    assert.equal(plain(await all(streamOf(new Counted(), options), 1)), expected);
  assert.equal(plain(await all(streamOf(new Counted()), 1, 3)), expected.slice(3));
  assert.not.equal(
    (await all(streamOf(new Counted()), 2)).flatMap(numbersIn),
    expected.flatMap((batch) => [...batch.indices]),
  );
});

test('no more is read than the queue holds', async () => {
  for (const ahead of [0, 1, 3]) {
    let asked = 0;
    const source: Counted = new Counted(() =>
      assert.ok(source.begun <= (asked + ahead) * usual.batch, `${source.begun} read for ${asked} batches`),
    );
    asked++;
    for await (const batch of streamOf(source, { ahead }).epoch(0)) {
      // Time for what should not be read.
      await new Promise((later) => setTimeout(later, 20));
      assert.ok(source.ended >= (batch.step + 1) * usual.batch || batch.step === 4);
      asked++;
    }
    assert.is(source.begun, COUNT);
  }
});

test('at most so many are read and decoded at once', async () => {
  for (const workers of [1, 3]) {
    const source: Counted = new Counted(() => assert.ok(source.begun - source.ended <= workers));
    await all(streamOf(source, { workers, ahead: 4 }), 0);
  }
});

test('who leaves early leaves nothing that reads', async () => {
  const source = new Counted();
  for await (const batch of streamOf(source, { ahead: 4 }).epoch(0)) if (batch.step === 0) break;
  const { begun } = source;
  assert.is(source.ended, begun);
  await new Promise((later) => setTimeout(later, 30));
  assert.is(source.begun, begun);
});

test('a bad picture ends the epoch at its batch, or is left out of it', async () => {
  const names = [...files.keys(), 'none.png'];
  const order = [
    ...new DataLoader(
      Array.from(names, (_, i) => i),
      usual,
    ).order(0),
  ];
  const place = order.indexOf(COUNT);
  const seen: number[] = [];
  const error = await refusal(
    (async () => {
      for await (const { step } of streamOf(new Counted(), { ahead: 9 }, names).epoch(0)) seen.push(step);
    })(),
  );
  assert.instance(error, DataError);
  assert.match(error.message, /none\.png: this picture is empty.*--bad-pictures skip/);
  assert.is(seen.length, Math.floor(place / usual.batch));

  const stream = streamOf(new Counted(), { badPictures: 'skip' }, names);
  const batches = await all(stream, 0);
  assert.equal(
    batches.flatMap(numbersIn),
    order.filter((index) => index !== COUNT),
  );
  assert.equal(
    batches.flatMap(({ labels }) => [...labels]),
    order.filter((index) => index !== COUNT).map((index) => index % 2),
  );
  await all(stream, 1);
  assert.match(stream.notes.join(), /^1 bad picture was left out: none\.png: this picture is empty/);
  const nothing = streamOf(new Counted(), { badPictures: 'skip', batch: 1 }, ['x.png', 'y.png']);
  assert.match((await refusal(all(nothing, 0))).message, /none of the 1 pictures of batch 0 can be decoded/);
});

test('a folder streams as it is read whole', () =>
  inFolder(async (folder) => {
    const named = [...files].map(([name, file], i) => [`${i % 2 ? 'odd' : 'even'}/${name}`, file] as const);
    await put(folder, Object.fromEntries(named));
    const { train, test: held, notes } = await streamPictures(folder, { ...usual, testFraction: 0.25 });
    assert.equal([train.classNames, train.labels.length, held.labels.length], [['even', 'odd'], 17, 6]);
    assert.match(notes.join(), /25 % of each class's images were drawn/);
    const whole = await loadDataset(folder, { imageSize: 4, imageResize: 4, testFraction: 0.25 });
    // Tests come in the order of the files.
    const tested = await all(held, 0);
    assert.equal(
      tested.flatMap(({ images }) => [...images.data]),
      [...whole.test.images],
    );
    assert.equal(
      tested.flatMap(({ labels }) => [...labels]),
      [...whole.test.labels],
    );
    assert.equal(
      (await all(train, 0)).flatMap(numbersIn).sort(),
      Array.from(whole.train.labels, (_, at) => pixelOf(whole.train, 16 * at)[2]!).sort(),
    );
  }));

test('what cannot stream is refused', () =>
  inFolder(async (folder) => {
    await put(folder, { 'a/notes.txt': '' });
    assert.match((await refusal(streamPictures(folder, usual))).message, /no folders of pictures here.*loadDataset/);
    assert.match((await refusal(streamPictures('glyphs', usual))).message, /glyphs: there are no folders of pictures/);
    assert.match(
      (await refusal(streamPictures(join(folder, 'none'), usual))).message,
      /neither a bundled data set nor a folder/,
    );
    for (const options of [{ imageSize: 0 }, { workers: 0 }, { ahead: -1 }, { batch: 0 }])
      assert.throws(
        () => streamOf(new Counted(), options),
        (error: unknown) => error instanceof ArgumentError,
      );
    assert.throws(() => streamOf(new Counted(), { imageResize: 3 }), /no square of 4 pixels/);
  }));

test.run();
