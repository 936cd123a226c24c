/** Exemplars: the few images of old classes that a learner may keep. */
import { ConfigError } from '../errors.ts';
import type { Random } from '../tensor/random.ts';

export interface MemoryOptions {
  /** Exemplars in all, shared evenly among the classes seen. */
  total: number;
  /** Exemplars a class, however many classes there are; 0 shares out `total` instead. */
  perClass?: number;
}

export class ExemplarMemory {
  /** By class of the data: indices into the training set, best first. */
  private readonly kept = new Map<number, readonly number[]>();

  constructor(private readonly options: MemoryOptions) {}

  /**
   * Exemplars a class may have when `classes` have been seen.
   * @throws {ConfigError} when that is less than one.
   */
  quota(classes: number): number {
    const { total, perClass = 0 } = this.options;
    const quota = perClass > 0 ? perClass : Math.floor(total / classes);
    if (quota < 1) {
      throw new ConfigError({
        where: 'memory',
        message: `${total} exemplars are too few for ${classes} classes: every class needs at least one.`,
        fix: `Use --memory ${classes} or more, or a method without memory.`,
      });
    }
    return quota;
  }

  /** Cuts every class down to its quota, worst exemplars first. */
  truncate(quota: number): void {
    for (const [label, indices] of this.kept) this.kept.set(label, indices.slice(0, quota));
  }

  /** Keeps these images, best first, for a class. */
  set(label: number, indices: readonly number[]): void {
    this.kept.set(label, indices);
  }

  get(label: number): readonly number[] {
    return this.kept.get(label) ?? [];
  }

  /** Every exemplar, class by class in order of arrival. */
  indices(): number[] {
    return [...this.kept.values()].flat();
  }

  get size(): number {
    return [...this.kept.values()].reduce((total, indices) => total + indices.length, 0);
  }

  /** Another memory with the same exemplars. */
  copy(): ExemplarMemory {
    const copy = new ExemplarMemory(this.options);
    copy.restore(this.toJSON());
    return copy;
  }

  toJSON(): [number, readonly number[]][] {
    return [...this.kept];
  }

  /** Takes over what {@link toJSON} gave. */
  restore(entries: readonly (readonly [number, readonly number[]])[]): void {
    this.kept.clear();
    for (const [label, indices] of entries) this.kept.set(label, indices);
  }
}

/**
 * Herding (Welling 2009; Rebuffi et al. 2017, algorithm 4): again and again the row that brings the mean of the chosen
 * closest to the mean of all.
 * @param features [n, size] row-major; rows are normalised to length 1 first.
 * @returns `count` row numbers, best first; all of them when there are no more.
 */
export function herding(features: Float32Array, size: number, count: number): number[] {
  const n = features.length / size;
  const rows = Float64Array.from(features);
  const mean = new Float64Array(size);
  for (let row = 0; row < n; row++) {
    const values = rows.subarray(row * size, (row + 1) * size);
    const norm = Math.sqrt(values.reduce((total, x) => total + x * x, 0)) || 1;
    for (let d = 0; d < size; d++) {
      values[d] = (values[d] as number) / norm;
      mean[d] = (mean[d] as number) + (values[d] as number) / n;
    }
  }
  const sum = new Float64Array(size);
  const chosen: number[] = [];
  const free = new Set(Array.from({ length: n }, (_, i) => i));
  while (chosen.length < Math.min(count, n)) {
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    for (const row of free) {
      let distance = 0;
      for (let d = 0; d < size; d++) {
        const delta =
          (mean[d] as number) - ((sum[d] as number) + (rows[row * size + d] as number)) / (chosen.length + 1);
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
    for (let d = 0; d < size; d++) sum[d] = (sum[d] as number) + (rows[best * size + d] as number);
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
