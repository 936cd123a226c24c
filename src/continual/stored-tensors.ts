/** Groups of tensors within one safetensors file, told apart by a prefix of their names. */

import { fingerprint, textBytes } from '../data/fingerprint.ts';
import type { SafetensorsEntry } from '../nn/safetensors.ts';
import { asFloat32 } from '../nn/safetensors.ts';
import type { StateDict } from '../nn/state-dict.ts';
import { entryOf } from '../nn/weights.ts';

/** The entries of a state, each name behind the prefix. */
export const prefixed = (prefix: string, state: StateDict): [string, SafetensorsEntry][] =>
  [...state].map(([name, entry]) => [`${prefix}${name}`, entryOf(entry)]);

/** The state whose names have the prefix, without it. */
export function unprefixed(prefix: string, tensors: ReadonlyMap<string, SafetensorsEntry>): StateDict {
  const found = [...tensors].filter(([name]) => name.startsWith(prefix));
  return new Map(found.map(([name, entry]) => [name.slice(prefix.length), numbers(entry)]));
}

/** Of the names and bytes, in order: a disk may give back other numbers than it was given. */
export const checksumOf = (tensors: Iterable<readonly [string, SafetensorsEntry]>): string =>
  fingerprint(
    [...tensors].flatMap(([name, { data }]) => [
      textBytes(name),
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    ]),
  );

/** What is wrong with tensors that were read, if anything. @param checksum what the file says of them. */
export const checksumFault = (
  tensors: Iterable<readonly [string, SafetensorsEntry]>,
  checksum: string | undefined,
): string | undefined =>
  checksum === checksumOf(tensors) ? undefined : 'its numbers are not those that were written (the checksum differs)';

const numbers = (entry: SafetensorsEntry) => {
  const { shape, data } = entry;
  return { shape, data: data instanceof Int32Array || data instanceof Uint32Array ? data : asFloat32(entry) };
};
