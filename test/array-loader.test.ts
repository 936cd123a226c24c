import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ArrayLoader, DataLoader, type Tensor } from '../src/index.ts';
import { engine, errorOf, uniform } from './support/engine.ts';

const pixels = uniform(7 * 6, 1);
const labels = Int32Array.of(0, 1, 2, 3, 4, 5, 6);
const image = (i: number) => [...pixels.slice(i * 6, i * 6 + 6)];

for (const [where, sources] of [
  ['in JavaScript', [{ data: pixels, shape: [2, 3] }, { data: labels }]],
  ['on the device', [engine.tensor(pixels, [7, 2, 3]), engine.tensor(labels)]],
] as const) {
  test(`arrays ${where} come in batches, in the order of their seed`, async () => {
    const options = { batch: 3, seed: 5 };
    const loader = new ArrayLoader(engine, sources, options);
    assert.equal([loader.count, loader.steps], [7, 3]);
    const expected = [...new DataLoader([...labels], options).epoch(2)];
    const read: [number[], number[], readonly number[]][] = [];
    for (const [x, y] of loader.epoch(2)) {
      assert.is(y.dtype, 'i32');
      read.push([[...(await x.data())], [...(await y.data())], x.shape]);
    }
    assert.equal(
      read,
      expected.map(({ indices }) => [[...indices].flatMap(image), [...indices], [indices.length, 2, 3]]),
    );
    const [[, last] = []] = [...loader.epoch(2, 2)];
    assert.equal(last!.shape, [1]);
  });
}

test('batches are freed when the next ones come, and when the walk ends early', () => {
  const loader = new ArrayLoader(engine, [{ data: pixels, shape: [6] }], { batch: 2, seed: 0 });
  const before = engine.memory().liveBuffers;
  const seen: Tensor[] = [];
  for (const [x] of loader.epoch(0)) {
    seen.push(x!);
    assert.is(engine.memory().liveBuffers, before + 1);
    if (seen.length === 2) break;
  }
  assert.equal(
    seen.map(({ isFreed }) => isFreed),
    [true, true],
  );
  assert.is(engine.memory().liveBuffers, before);
});

test('bytes and plain numbers, and dtypes as asked for', async () => {
  const sources = [{ data: Uint8Array.of(7, 255) }, { data: [1.5, 2] }, { data: [3, 4], dtype: 'u32' as const }];
  const loader = new ArrayLoader(engine, sources, { batch: 2, seed: 0, shuffle: false });
  for (const batch of loader.epoch(0)) {
    assert.equal(
      batch.map(({ dtype }) => dtype),
      ['f32', 'f32', 'u32'],
    );
    assert.equal(await Promise.all(batch.map((t) => t.array())), [
      [7, 255],
      [1.5, 2],
      [3, 4],
    ]);
  }
});

test('sources that do not fit each other are refused', () => {
  const told = (...sources: ConstructorParameters<typeof ArrayLoader>[1]) =>
    errorOf(() => new ArrayLoader(engine, sources, { batch: 2, seed: 0 })).message;
  assert.match(told(), /ArrayLoader: takes sources of as many whole samples each; was given none/);
  assert.match(told({ data: pixels, shape: [5] }), /42 numbers in samples of \[5\]/);
  assert.match(told({ data: pixels, shape: [6] }, { data: [1, 2] }), /42 numbers in samples of \[6\], 2 numbers/);
});

test.run();
