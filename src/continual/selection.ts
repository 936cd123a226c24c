/** Which images of a class are kept: by herding, or at random. */
import type { Random } from '../tensor/random.ts';

/**
 * The directions of features: rows of length 1, and zeros where there is none.
 * @param features [n, size] row-major.
 */
export function unitRows(features: Float32Array, size: number): Float64Array[] {
  return Array.from({ length: features.length / size }, (_, r) => {
    const row = Float64Array.from(features.subarray(r * size, (r + 1) * size));
    const norm = Math.sqrt(row.reduce((total, x) => total + x * x, 0)) || 1;
    return row.map((x) => x / norm);
  });
}

/**
 * Herding (Welling 2009; Rebuffi et al. 2017, algorithm 4): again and again the row that brings the mean of the chosen
 * closest to the mean of all.
 * @param features [n, size] row-major; rows are normalised to length 1 first.
 * @returns `count` row numbers, best first; all of them when there are no more.
 */
export function herding(features: Float32Array, size: number, count: number): number[] {
  const rows = unitRows(features, size);
  const n = rows.length;
  const mean = new Float64Array(size);
  for (const row of rows) {
    for (let d = 0; d < size; d++) mean[d] = (mean[d] as number) + (row[d] as number) / n;
  }
  const sum = new Float64Array(size);
  const chosen: number[] = [];
  const free = new Set(Array.from({ length: n }, (_, i) => i));
  while (chosen.length < Math.min(count, n)) {
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    for (const row of free) {
      const values = rows[row] as Float64Array;
      let distance = 0;
      for (let d = 0; d < size; d++) {
        const delta = (mean[d] as number) - ((sum[d] as number) + (values[d] as number)) / (chosen.length + 1);
        distance += delta * delta;
      }
      if (distance < least) {
        least = distance;
        best = row;
      }
    }
    if (best < 0) break; // features that are not numbers: nothing is closest
    chosen.push(best);
    free.delete(best);
    const values = rows[best] as Float64Array;
    for (let d = 0; d < size; d++) sum[d] = (sum[d] as number) + (values[d] as number);
  }
  return chosen;
}

/** `count` row numbers out of `n` at random; all of them when there are no more. */
export function randomSelection(n: number, count: number, random: Random): number[] {
  return random.choice(
    Array.from({ length: n }, (_, i) => i),
    Math.min(count, n),
  );
}
