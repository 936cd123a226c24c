/** What parts of a set are called, as names of folders and in names of files; in upper and lower case. */
import { DataError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';

const TRAIN = ['train', 'training'];
/** Those that are tested on, in the order that one is taken where a set has several. */
export const VALIDATION_NAMES = ['val', 'validation', 'valid', 'dev', 'eval'];
export const TEST_NAMES = ['test', 'testing'];

const isOneOf = (names: readonly string[], name: string): boolean => names.includes(name.toLowerCase());

export const isTrainPart = (name: string): boolean => isOneOf(TRAIN, name);

export const isPart = (name: string): boolean => isOneOf([...TRAIN, ...VALIDATION_NAMES, ...TEST_NAMES], name);

/**
 * The part that is learnt from; undefined where there is none.
 * @throws {DataError} when there are two: nothing tells which of them is meant, or whether both are.
 */
export function trainPart(names: readonly string[], where: string): string | undefined {
  const [first, second] = names.filter(isTrainPart);
  if (first !== undefined && second !== undefined) throw twoSpellings(first, second, where);
  return first;
}

/**
 * Those that are usually tested on, in their order.
 * @param usual their names.
 * @throws {DataError} when two differ in upper and lower case alone.
 */
export function testParts(names: readonly string[], usual: readonly string[], where: string): string[] {
  return usual.flatMap((one) => {
    const [first, second] = names.filter((name) => name.toLowerCase() === one);
    if (first !== undefined && second !== undefined) throw twoSpellings(first, second, where);
    return first ?? [];
  });
}

const twoSpellings = (first: string, second: string, where: string): DataError =>
  new DataError({
    where,
    message: `"${clipped(first)}" and "${clipped(second)}" are two names of one part of a set.`,
    fix: 'Put what is in them together, or take one of them away.',
  });
