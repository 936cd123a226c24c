/** Settings of images that have one value for both directions, or one for each. */
import { ArgumentError } from '../errors.ts';

/** One number for both directions, or [vertical, horizontal]. */
export type Pair = number | readonly [number, number];

/**
 * Both numbers of a pair.
 * @param where The operation, for errors.
 * @param name Of the setting.
 * @throws {ArgumentError} unless they are whole numbers of at least `least`.
 */
export function pairOf(where: string, name: string, value: Pair, least: number): readonly [number, number] {
  const both = typeof value === 'number' ? ([value, value] as const) : value;
  if (!Array.isArray(both) || both.length !== 2 || !both.every((n) => Number.isInteger(n) && n >= least)) {
    throw new ArgumentError({
      where,
      message: `${name} is ${JSON.stringify(value)}; a whole number of at least ${least}, or two of them, was expected.`,
    });
  }
  return both;
}
