/** Classes by how probable they are. */
import { ArgumentError } from '../errors.ts';
import { received } from './expected.ts';
import type { Prediction } from './learner-types.ts';

/** @throws {ArgumentError} for a `top` that is no number of classes. */
export function checkTop(top: number | undefined, where: string): void {
  if (top === undefined || (Number.isInteger(top) && top > 0)) return;
  throw new ArgumentError({
    where,
    message: `the ${received(top)} most probable classes cannot be given.`,
    fix: 'Give a whole number of at least 1 for `top`, or leave it out for all.',
  });
}

/**
 * The classes of each image, the most probable first.
 * @param probabilities [count, names] row-major.
 * @param top how many to give; all by default.
 */
export function ranked(
  probabilities: Float32Array,
  names: readonly string[],
  count: number,
  top?: number,
): Prediction[][] {
  return Array.from({ length: count }, (_, i) => {
    const row = probabilities.subarray(i * names.length, (i + 1) * names.length);
    const all = names.map((label, at) => ({ label, probability: row[at] as number }));
    return all.sort((a, b) => b.probability - a.probability).slice(0, top);
  });
}
