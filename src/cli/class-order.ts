/** A class order in a file: numbers as a JSON list, or apart by blanks, commas or lines. It is recorded as the list. */
import { readFileSync } from 'node:fs';
import { ConfigError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import type { GivenSettings } from './config-flags.ts';

/** Whether this names a file, and neither a list nor an order with a name. */
export const isOrderFile = (order: unknown): order is string =>
  typeof order === 'string' && /[\\/]|\.[a-z]+$/i.test(order);

/** @throws {ConfigError} when it cannot be read, or holds something else. */
export function readOrder(path: string): number[] {
  const refuse = (message: string, cause?: unknown) =>
    new ConfigError({
      where: path,
      message,
      fix: 'A file of a class order holds its numbers: [3, 0, 2, 1], or one a line. `engram data` lists the number of each class.',
      cause,
    });
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file' : message;
    throw refuse(`the class order cannot be read: ${reason.replace(/\.$/, '')}.`, cause);
  }
  const words = text
    .trim()
    .replace(/^\[([^[\]]*)\]$/, '$1')
    .trim()
    .split(/\s*,\s*|\s+/)
    .filter((word, _, { length }) => word !== '' || length > 1);
  const strange = words.find((word) => !/^\d+$/.test(word));
  if (strange !== undefined) throw refuse(`"${clipped(strange, 20)}" is no class number.`);
  if (words.length === 0) throw refuse('there are no numbers.');
  return words.map(Number);
}

/** Settings with the numbers of a class order's file in its place. @throws {ConfigError} as {@link readOrder}. */
export const withOrder = (settings: GivenSettings): GivenSettings =>
  isOrderFile(settings.classOrder) ? { ...settings, classOrder: readOrder(settings.classOrder) } : settings;
