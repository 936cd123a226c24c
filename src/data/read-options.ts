/** Options of reading that are checked where a caller gives them, before anything is read. */
import { ArgumentError } from '../errors.ts';
import type { ReadOptions } from './reader.ts';

/** @throws {ArgumentError} for the first of these that is not a whole number of at least so much. */
export function checkWhole(where: string, numbers: Readonly<Record<string, number>>, least: number): void {
  const wrong = Object.entries(numbers).find(([, value]) => !Number.isInteger(value) || value < least);
  if (!wrong) return;
  throw new ArgumentError({
    where,
    message: `\`${wrong[0]}\` is ${wrong[1]}; a whole number of at least ${least} was expected.`,
  });
}

/** @throws {ArgumentError} for sizes that are not whole, a share that is not between 0 and 1, and pictures of no pixels. */
export function checkReadOptions(
  where: string,
  { imageSize = 0, imageResize = 1, testFraction, maxMegapixels }: ReadOptions,
): void {
  checkWhole(where, { imageSize }, 0);
  checkWhole(where, { imageResize }, 1);
  if (testFraction !== undefined && !(testFraction > 0 && testFraction < 1)) {
    throw new ArgumentError({
      where,
      message: `\`testFraction\` is ${testFraction}; a share above 0 and below 1 was expected.`,
      fix: 'Give 0.2 for a fifth of each class, or leave it out.',
    });
  }
  if (maxMegapixels !== undefined && !(maxMegapixels > 0)) {
    throw new ArgumentError({
      where,
      message: `\`maxMegapixels\` is ${maxMegapixels}; a number above 0 was expected.`,
      fix: 'Give Infinity to decode pictures of any size.',
    });
  }
}
