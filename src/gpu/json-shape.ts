/** What JSON holds, where so little is asked of it that a page is not to carry a library of schemas for it. */

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const isCount = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0;

export const isNumber = (x: unknown): x is number => typeof x === 'number' && !Number.isNaN(x);

export const isListOf = <T>(is: (one: unknown) => one is T, value: unknown): value is T[] =>
  Array.isArray(value) && value.every(is);
