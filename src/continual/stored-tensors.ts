/** Groups of tensors within one safetensors file, told apart by a prefix of their names. */
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

const numbers = (entry: SafetensorsEntry) => {
  const { shape, data } = entry;
  return { shape, data: data instanceof Int32Array || data instanceof Uint32Array ? data : asFloat32(entry) };
};
