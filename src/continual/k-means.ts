/** The modes of a class: where PODNet's new proxies come from. */
import type { Random } from '../tensor/random.ts';
import { unitRows } from './selection.ts';

/**
 * k-means of directions (Lloyd 1982), started by k-means++ (Arthur & Vassilvitskii 2007): rows are normalised to length 1 first, as
 * for {@link herding}, and every centre is the mean of its rows.
 * @param features [n, size] row-major, n at least 1.
 * @param count of the centres. Where there are no more different rows than that, the rows are the centres, from the first on again
 *   until there are enough.
 * @param random what the start is drawn from: the same numbers give the same centres.
 * @returns the centres, [count, size] row-major.
 */
export function kMeans(
  features: Float32Array,
  size: number,
  count: number,
  random: Random,
  iterations = 100,
): Float32Array<ArrayBuffer> {
  const rows = unitRows(features, size);
  const centres = startOf(rows, count, random);
  const own = new Int32Array(rows.length).fill(-1);
  for (let round = 0; round < iterations; round++) {
    let isSettled = true;
    for (const [r, row] of rows.entries()) {
      const nearest = nearestOf(row, centres);
      if (own[r] !== nearest) isSettled = false;
      own[r] = nearest;
    }
    if (isSettled) break;
    for (const c of centres.keys()) {
      const members = rows.filter((_, r) => own[r] === c);
      // A centre that no row is nearest to stays where it is.
      if (members.length > 0) centres[c] = meanOf(members, size);
    }
  }
  const all = new Float32Array(count * size);
  for (let c = 0; c < count; c++) all.set(centres[c % centres.length] as Float64Array, c * size);
  return all;
}

function squaredDistance(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, d) => sum + (value - (b[d] as number)) ** 2, 0);
}

function nearestOf(row: Float64Array, centres: readonly Float64Array[]): number {
  let [best, least] = [0, Number.POSITIVE_INFINITY];
  for (const [c, centre] of centres.entries()) {
    const distance = squaredDistance(row, centre);
    if (distance < least) [best, least] = [c, distance];
  }
  return best;
}

function meanOf(rows: readonly Float64Array[], size: number): Float64Array {
  return new Float64Array(size).map((_, d) => rows.reduce((sum, row) => sum + (row[d] as number), 0) / rows.length);
}

/** Rows that lie apart: each drawn with a chance that grows as its squared distance to the nearest one before it. */
function startOf(rows: readonly Float64Array[], count: number, random: Random): Float64Array[] {
  const centres = [rows[random.int(rows.length)] as Float64Array];
  const distances = rows.map(() => Number.POSITIVE_INFINITY);
  while (centres.length < count) {
    const last = centres.at(-1) as Float64Array;
    for (const [r, row] of rows.entries()) {
      distances[r] = Math.min(distances[r] as number, squaredDistance(row, last));
    }
    const total = distances.reduce((sum, distance) => sum + distance, 0);
    if (!(total > 0)) break; // no row is left that is not a centre, or rows are not numbers
    const place = random.uniform(0, total);
    let passed = 0;
    const drawn = distances.findIndex((distance) => {
      passed += distance;
      return place < passed;
    });
    centres.push(rows[drawn] as Float64Array);
  }
  return centres;
}
