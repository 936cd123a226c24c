/** How far numbers are from a reference. */

/** A distance, and the element that is furthest off. */
export interface RelativeError {
  readonly error: number;
  readonly worst: number;
}

/**
 * ‖actual − expected‖ / ‖expected‖ over all elements, in float64; absolute when the reference is all zeros. Infinite when
 * the lengths differ, or when something is not finite in one of them and different in the other.
 */
export function compareNumbers(actual: ArrayLike<number>, expected: ArrayLike<number>): RelativeError {
  const far = (worst: number): RelativeError => ({ error: Number.POSITIVE_INFINITY, worst });
  if (actual.length !== expected.length) return far(Math.min(actual.length, expected.length));
  let difference = 0;
  let norm = 0;
  let worst = 0;
  let most = 0;
  for (let i = 0; i < expected.length; i++) {
    const a = actual[i] as number;
    const e = expected[i] as number;
    if (Number.isFinite(e)) norm += e * e;
    if (a === e || Object.is(a, e)) continue;
    const distance = Math.abs(a - e);
    if (!Number.isFinite(distance)) return far(i);
    if (distance > most) [most, worst] = [distance, i];
    difference += distance ** 2;
  }
  return { error: Math.sqrt(norm > 0 ? difference / norm : difference), worst };
}

/** The error of {@link compareNumbers} alone. */
export const relativeL2 = (actual: ArrayLike<number>, expected: ArrayLike<number>): number =>
  compareNumbers(actual, expected).error;
