/** A flag that counts something. */
import { InvalidArgumentError } from 'commander';

/** @throws {InvalidArgumentError} unless the text is a whole number of at least 1. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError('A whole number of at least 1 was expected.');
}
