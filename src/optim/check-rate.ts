/** Rates of optimizers and averages in their range. */
import { ArgumentError } from '../errors.ts';

/** @throws {ArgumentError} unless the number lies in [low, high). */
export function checkRate(where: string, name: string, value: number, low = 0, high = Number.POSITIVE_INFINITY): void {
  if (!(value >= low && value < high)) {
    throw new ArgumentError({
      where,
      message: `${name} must be in [${low}, ${high === Number.POSITIVE_INFINITY ? '∞' : high}), not ${value}.`,
    });
  }
}
