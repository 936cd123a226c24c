/** Flags that count something. */
import { InvalidArgumentError } from 'commander';

const from =
  (least: number) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`A whole number of at least ${least} was expected.`);
  };

/** @throws {InvalidArgumentError} unless the text is a whole number of at least 1. */
export const wholeNumber = from(1);

/** @throws {InvalidArgumentError} unless the text is a whole number of at least 0. */
export const wholeNumberOrZero = from(0);
