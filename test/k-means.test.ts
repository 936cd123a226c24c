/** The modes of a class's features. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { kMeans } from '../src/continual/k-means.ts';
import { Random } from '../src/index.ts';
import { rowsOf } from './support/rows.ts';

/** Rows about some directions, of lengths that take no part. */
function around(directions: readonly (readonly number[])[], each: number, spread: number): Float32Array {
  const random = new Random(1);
  const rows = directions.flatMap((direction) =>
    Array.from({ length: each }, () => {
      const length = random.uniform(0.5, 20);
      return direction.map((value) => length * (value + random.normal(0, spread)));
    }),
  );
  return Float32Array.from(rows.flat());
}

const unit = (row: readonly number[]) => row.map((value) => value / Math.hypot(...row));
const squared = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, x, d) => sum + (x - (b[d] ?? 0)) ** 2, 0);
const spreadOf = (rows: readonly (readonly number[])[], centres: readonly (readonly number[])[]) =>
  rows.reduce((sum, row) => sum + Math.min(...centres.map((centre) => squared(row, centre))), 0);

test('k-means finds modes that lie apart, whatever the lengths of their rows', () => {
  const directions = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, -1],
    [-0.6, -0.8, 0],
  ];
  const rows = around(directions, 12, 0.03);
  for (const seed of [0, 1, 2, 3]) {
    const centres = rowsOf(kMeans(rows, 3, 4, new Random(seed)), 3);
    for (const direction of directions) {
      const least = Math.min(...centres.map((centre) => squared(direction, centre)));
      assert.ok(least < 0.01, `seed ${seed}: nothing near ${direction}, ${least}`);
    }
  }
});

test('every centre is the mean of the rows that are nearest to it, and no row drawn at random does as well', () => {
  const rows = around([[0.2, 0.1, 0.3, -0.2]], 60, 0.6);
  const units = rowsOf(rows, 4).map(unit);
  const centres = rowsOf(kMeans(rows, 4, 5, new Random(7)), 4);
  const own = units.map((row) => {
    const distances = centres.map((centre) => squared(row, centre));
    return distances.indexOf(Math.min(...distances));
  });
  for (const [c, centre] of centres.entries()) {
    const members = units.filter((_, r) => own[r] === c);
    const mean = centre.map((_, d) => members.reduce((sum, row) => sum + (row[d] ?? 0), 0) / members.length);
    assert.ok(squared(mean, centre) < 1e-10, `${centre} and ${mean}`);
  }
  const reached = spreadOf(units, centres);
  for (let seed = 0; seed < 20; seed++) assert.ok(reached < spreadOf(units, new Random(seed).choice(units, 5)));
});

test('the same numbers give the same centres; too few rows are taken again', () => {
  const rows = around([[1, 2]], 30, 0.5);
  assert.equal(kMeans(rows, 2, 3, new Random(5)), kMeans(rows, 2, 3, new Random(5)));
  const few = kMeans(Float32Array.of(3, 0, 0, 2, 5, 0), 2, 5, new Random(0));
  const [first, second, ...again] = rowsOf(few, 2);
  assert.equal([first, second].sort(), [
    [0, 1],
    [1, 0],
  ]);
  assert.equal(again, [first, second, first]);
  assert.equal([...kMeans(Float32Array.of(0, 4), 2, 2, new Random(0))], [0, 1, 0, 1]);
  assert.ok(kMeans(new Float32Array(8).fill(Number.NaN), 2, 3, new Random(0)).every(Number.isNaN));
});

test.run();
