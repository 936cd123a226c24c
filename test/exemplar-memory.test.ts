/** What an exemplar memory keeps: shares of a total, so many a class, and a fair sample of a stream. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Exemplar, ExemplarMemory, type MemoryOptions } from '../src/continual/memory.ts';
import { Random } from '../src/tensor/random.ts';

const format = { height: 1, width: 1, channels: 1 };
/** An exemplar of one pixel, by which it is known again. */
const of = (label: number, pixel: number): Exemplar => ({ label, pixels: Uint8Array.of(pixel) });
const pixelsOf = (exemplars: readonly Exemplar[]): number[] => exemplars.map(({ pixels }) => pixels[0] as number);

/** How often each of a stream's images is kept, over many orders of numbers. */
function kept(options: MemoryOptions, lots: readonly (readonly Exemplar[])[], trials = 400): Map<number, number> {
  const counts = new Map<number, number>();
  for (let seed = 0; seed < trials; seed++) {
    const memory = new ExemplarMemory(options);
    lots.forEach((lot, task) => {
      memory.offer(lot, format, Random.of(seed, 'places', task));
    });
    for (const pixel of pixelsOf(memory.exemplars)) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
  }
  return counts;
}

/** Within five standard deviations of `trials` draws that each happen with this chance. */
function near(counts: ReadonlyMap<number, number>, pixels: readonly number[], chance: number, trials = 400): void {
  const slack = 5 * Math.sqrt(trials * chance * (1 - chance));
  for (const pixel of pixels) {
    const count = counts.get(pixel) ?? 0;
    assert.ok(Math.abs(count - trials * chance) <= slack, `${pixel} was kept ${count} times of ${trials}`);
  }
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

test('a reservoir is a fair sample of all that was offered, of whatever task', () => {
  const lots = [range(0, 6).map((pixel) => of(0, pixel)), range(6, 15).map((pixel) => of(1, pixel))];
  near(kept({ total: 5 }, lots), range(0, 15), 5 / 15);
});

test('with so many a class, each class has a fair sample of its own', () => {
  const lots = [
    [...range(0, 4).map((pixel) => of(0, pixel)), ...range(10, 18).map((pixel) => of(1, pixel))],
    range(4, 8).map((pixel) => of(0, pixel)),
  ];
  const counts = kept({ total: 0, perClass: 2 }, lots);
  near(counts, range(0, 8), 2 / 8);
  near(counts, range(10, 18), 2 / 8);
  const memory = new ExemplarMemory({ total: 0, perClass: 2 });
  for (const lot of lots) memory.offer(lot, format, new Random(1));
  assert.equal([memory.of(0).length, memory.of(1).length], [2, 2]);
});

test('a reservoir that is copied goes on as the one it is a copy of', () => {
  const memory = new ExemplarMemory({ total: 3 });
  memory.offer(
    range(0, 9).map((pixel) => of(0, pixel)),
    format,
    new Random(2),
  );
  const copy = memory.copy();
  for (const one of [memory, copy])
    one.offer(
      range(9, 30).map((pixel) => of(1, pixel)),
      format,
      new Random(3),
    );
  assert.equal(pixelsOf(copy.exemplars), pixelsOf(memory.exemplars));
  assert.equal(copy.counts, [[-1, 30]]);
});

test('a total is shared among the classes, and what is over a share is the last', () => {
  const memory = new ExemplarMemory({ total: 7 });
  memory.set(
    0,
    range(0, 7).map((pixel) => of(0, pixel)),
  );
  memory.truncate(memory.quota(2, format));
  memory.set(
    1,
    range(10, 13).map((pixel) => of(1, pixel)),
  );
  assert.equal(pixelsOf(memory.exemplars), [0, 1, 2, 10, 11, 12]);
  memory.set(0, [of(0, 5)]);
  assert.equal(pixelsOf(memory.exemplars), [5, 10, 11, 12], 'a class keeps its place');
  assert.throws(() => memory.quota(8, format), /7 exemplars are too few for 8 classes/);
  assert.is(new ExemplarMemory({ total: 7, perClass: 4 }).quota(100, format), 4);
});

test.run();
