import '../src/index.ts';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DataLoader, indicesOfClasses } from '../src/data/loader.ts';
import { Engine } from '../src/tensor/engine.ts';
import { philox, philox4x32, type Words4, wordToUniform } from '../src/tensor/philox.ts';
import { Random } from '../src/tensor/random.ts';

const hex = (words: readonly number[]) => words.map((word) => word.toString(16).padStart(8, '0')).join(' ');

test('Philox gives the published known answers', () => {
  const ones = 0xffffffff;
  assert.is(hex(philox4x32([0, 0, 0, 0], [0, 0])), '6627e8d5 e169c58d bc57ac4c 9b00dbd8');
  assert.is(hex(philox4x32([ones, ones, ones, ones], [ones, ones])), '408f276d 41c83b0e a20bc7c6 6d5451fd');
  const pi: Words4 = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344];
  assert.is(hex(philox4x32(pi, [0xa4093822, 0x299f31d0])), 'd16cfe09 94fdcceb 5001e420 24126ea1');
});

test('a seed and an index fill both words of key and counter', () => {
  const seed = 5 * 2 ** 32 + 7;
  const index = 3 * 2 ** 32 + 11;
  assert.equal(philox(seed, 13, index), philox4x32([11, 3, 13, 0], [7, 5]));
  assert.throws(() => philox(-1, 0, 0), /-1 is not a whole number/);
  assert.throws(() => philox(0.5, 0, 0), /0\.5 is not a whole number/);
});

test('uniform numbers are exact in float32 and stay below one', () => {
  assert.is(wordToUniform(0), 0);
  assert.is(wordToUniform(0xffffffff), 1 - 2 ** -24);
  assert.is(Math.fround(wordToUniform(0xdeadbeef)), wordToUniform(0xdeadbeef));
});

test('the same seed and purpose give the same numbers, another purpose gives others', () => {
  const draw = (random: Random) => Array.from({ length: 9 }, () => random.word());
  assert.equal(draw(new Random(4, 2)), draw(new Random(4, 2)));
  assert.equal(draw(new Random(4, 2)).slice(4, 8), philox(4, 2, 1));
  assert.not.equal(draw(Random.of(4, 'crop', 1)), draw(Random.of(4, 'crop', 2)));
  assert.not.equal(draw(Random.of(4, 'crop', 1)), draw(Random.of(5, 'crop', 1)));
});

test('a tensor on the GPU holds the very numbers of the same stream on the CPU', async () => {
  const engine = await Engine.create();
  const seed = 5 * 2 ** 32 + 7;
  const drawn = await engine.uniform([301], { from: { seed, stream: 3 } }).data();
  await engine.destroy();
  const random = new Random(seed, 3);
  assert.equal(
    [...drawn],
    Array.from(drawn, () => random.uniform()),
  );
});

test('uniform, normal and int have the moments they should', () => {
  const count = 40000;
  const moments = (draw: () => number) => {
    const values = Array.from({ length: count }, draw);
    const mean = values.reduce((sum, value) => sum + value, 0) / count;
    return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count };
  };
  // Five standard errors of each estimate: a sound generator under this fixed seed stays well within.
  const random = new Random(1);
  const uniform = moments(() => random.uniform(2, 4));
  assert.ok(Math.abs(uniform.mean - 3) < (5 * Math.sqrt(1 / 3)) / Math.sqrt(count), `mean ${uniform.mean}`);
  assert.ok(Math.abs(uniform.variance - 1 / 3) < 0.01, `variance ${uniform.variance}`);
  const normal = moments(() => random.normal(1, 2));
  assert.ok(Math.abs(normal.mean - 1) < (5 * 2) / Math.sqrt(count), `mean ${normal.mean}`);
  assert.ok(Math.abs(normal.variance - 4) < 5 * 4 * Math.sqrt(2 / count), `variance ${normal.variance}`);
  const seen = new Array<number>(6).fill(0);
  for (let draw = 0; draw < count; draw++) seen[random.int(6)]!++;
  for (const times of seen) assert.ok(Math.abs(times - count / 6) < 5 * Math.sqrt(count / 6), `drawn ${seen}`);
  assert.throws(() => random.int(0), /a bound from 1 to 2\^32 was expected, got 0/);
});

test('shuffling keeps every item, choosing takes different ones', () => {
  assert.equal(
    [...new Random(3).permutation(50)].sort((a, b) => a - b),
    Array.from({ length: 50 }, (_, index) => index),
  );
  const places = new Array<number>(4).fill(0);
  for (let seed = 0; seed < 4000; seed++) places[new Random(seed).permutation(4).indexOf(0)]!++;
  for (const times of places) assert.ok(Math.abs(times - 1000) < 5 * Math.sqrt(1000), `first item ends at ${places}`);
  const chosen = new Random(3).choice('abcdefgh', 5);
  assert.is(new Set(chosen).size, 5);
  assert.throws(() => new Random(3).choice([1, 2], 3), /cannot choose 3 of 2/);
});

test('an epoch visits every chosen image once, in an order of its own', () => {
  const indices = indicesOfClasses([0, 1, 2, 1, 0, 2, 2, 1], [1, 2]);
  assert.equal([...indices], [1, 2, 3, 5, 6, 7]);
  const loader = new DataLoader(indices, { batch: 4, seed: 9 });
  assert.is(loader.steps, 2);
  const visited = (epoch: number) => [...loader.epoch(epoch)].flatMap((batch) => [...batch.indices]);
  assert.equal(visited(0).sort(), [1, 2, 3, 5, 6, 7]);
  assert.not.equal(visited(0), visited(1));
});

test('a resumed loader goes on with the very same batches', () => {
  const options = { batch: 3, seed: 5 };
  const whole = [...new DataLoader(new Random(0).permutation(20), options).epoch(7)];
  const resumed = [...new DataLoader(new Random(0).permutation(20), options).epoch(7, 4)];
  assert.equal(resumed, whole.slice(4));
});

test('the last, short batch is kept or dropped as asked', () => {
  const sizes = (dropLast: boolean) =>
    [...new DataLoader([0, 1, 2, 3, 4], { batch: 2, seed: 0, dropLast }).epoch(0)].map((batch) => batch.indices.length);
  assert.equal(sizes(false), [2, 2, 1]);
  assert.equal(sizes(true), [2, 2]);
  assert.throws(() => new DataLoader([0], { batch: 2, seed: 0, dropLast: true }), /1 images make no batch of 2/);
  assert.throws(() => new DataLoader([], { batch: 2, seed: 0 }), /0 images make no batch of 2/);
  assert.throws(() => new DataLoader([0], { batch: 0, seed: 0 }), /a batch of 0 images is impossible/);
});

test.run();
