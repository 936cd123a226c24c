/**
 * Results in float64 with the error that float32 may make: backward error's measure, so many roundings of the sum of the absolute
 * values of all terms. It follows from the numbers alone, whatever the kernel's order of additions or the driver, and a sum that
 * cancels may be as wrong as float32 makes it, not a bit more.
 */

/** Half a unit in the last place of 1, float32's relative error of one rounding. */
export const ROUNDING = 2 ** -24;
/** Below float32's smallest normal number adapters may flush to zero, a term at a time. */
const SMALLEST = 2 ** -126;
/** What flushing one value to zero costs, in roundings. */
export const FLUSHED = SMALLEST / ROUNDING;
/** Kernels may take twice what the bounds count: fused and unfused products, powers of rounding errors. */
const SLACK = 2;

export interface Bounded {
  readonly value: Float64Array;
  /** Of each value, in roundings: {@link ROUNDING} of this much is allowed. Infinite: nothing can be said. */
  readonly error: Float64Array;
}

/** Sums by their terms. */
export class Sums {
  private readonly value: Float64Array;
  private readonly size: Float64Array;
  private readonly terms: Float64Array;
  private readonly carried: Float64Array;

  constructor(length: number) {
    this.value = new Float64Array(length);
    this.size = new Float64Array(length);
    this.terms = new Float64Array(length);
    this.carried = new Float64Array(length);
  }

  /** @param error of the term itself, in roundings. */
  add(at: number, term: number, error = 0): void {
    this.value[at]! += term;
    this.size[at]! += Math.abs(term);
    this.terms[at]!++;
    this.carried[at]! += error;
  }

  /** Each term rounded a few times when it is made, and with every addition after it. */
  bounded(roundings = 4): Bounded {
    const error = this.size.map((size, i) => (this.terms[i]! + roundings) * size + this.carried[i]!);
    return { value: this.value, error };
  }
}

/** Values that are exact but for so many roundings of their own. */
export const exact = (value: Float64Array, roundings = 0): Bounded => ({
  value,
  error: value.map((v) => roundings * Math.abs(v)),
});

/** @throws {Error} naming the element that is furthest beyond what it is allowed. */
export function checkBounded(what: string, actual: ArrayLike<number>, { value, error }: Bounded): void {
  if (actual.length !== value.length) throw new Error(`${what} has ${actual.length} elements, not ${value.length}`);
  let worst = { excess: 1, at: -1 };
  for (let i = 0; i < value.length; i++) {
    if (error[i] === Number.POSITIVE_INFINITY) continue;
    const allowed = SLACK * ROUNDING * error[i]! + 256 * SMALLEST;
    const off = Math.abs(actual[i]! - value[i]!);
    // Not a number is beyond everything.
    const excess = Number.isNaN(off) ? Number.POSITIVE_INFINITY : error[i] === 0 ? off / SMALLEST / 256 : off / allowed;
    if (excess > worst.excess) worst = { excess, at: i };
  }
  const { at, excess } = worst;
  if (at < 0) return;
  throw new Error(
    `${what}[${at}] is ${actual[at]}, the reference ${value[at]}: ${excess.toPrecision(3)} times as far as the ` +
      `${(SLACK * ROUNDING * error[at]!).toPrecision(3)} allowed`,
  );
}
