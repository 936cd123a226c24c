/** Derivatives along a line from central differences in steps that halve, extrapolated to none (Ridders 1982). */

/** In float64. */
export type Vector = Float64Array<ArrayBuffer>;

export const dot = (a: Vector, b: Vector): number => a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
export const length = (a: Vector): number => Math.sqrt(dot(a, a));
/** s·a + t·b. */
export const combine = (a: Vector, s: number, b: Vector, t: number): Vector =>
  a.map((value, i) => s * value + t * (b[i] as number));

export interface DifferenceOptions {
  /** The first step. */
  step: number;
  /** Steps at most, at least 2; each takes two values. */
  levels: number;
}

/**
 * The derivative of `valueAt` at 0: of the table of extrapolations the entry that agrees best with the two it comes from.
 * @returns also by how much these disagree, relative to its length.
 */
export async function derivative(
  valueAt: (h: number) => Promise<Vector>,
  { step, levels }: DifferenceOptions,
): Promise<{ value: Vector; error: number }> {
  let best: Vector = new Float64Array(0);
  let least = Number.POSITIVE_INFINITY;
  let row: Vector[] = [];
  for (let level = 0; level < levels; level++) {
    const h = step * 0.5 ** level;
    const scale = 1 / (2 * h);
    const next = [combine(await valueAt(h), scale, await valueAt(-h), -scale)];
    for (const [order, coarse] of row.entries()) {
      const fine = next[order] as Vector;
      const factor = 4 ** (order + 1);
      const better = combine(fine, factor / (factor - 1), coarse, -1 / (factor - 1));
      next.push(better);
      const error = Math.max(length(combine(better, 1, fine, -1)), length(combine(better, 1, coarse, -1)));
      if (error < least) [least, best] = [error, better];
    }
    const [last, before] = [next.at(-1), row.at(-1)];
    row = next;
    // Smaller steps have begun to lose more to rounding than they gain.
    if (last && before && length(combine(last, 1, before, -1)) > 8 * least) break;
  }
  return { value: best, error: least / (length(best) || 1) };
}
