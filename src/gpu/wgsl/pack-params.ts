/** Parameters by name become the words of a kernel's uniform. */
import { ArgumentError } from '../../errors.ts';
import { clipped } from '../printable.ts';
import type { Field, Params, ParamsLayout, ParamValue, Slot } from './params.ts';
import type { Scalar } from './types.ts';

const expected = (fields: readonly Field[]): string =>
  `{ ${fields.map(({ name, type }) => `${name}: ${type}`).join(', ')} }`;

const RANGES: Readonly<Record<Scalar, string>> = {
  u32: 'a whole number from 0 to 4294967295',
  i32: 'a whole number from -2147483648 to 2147483647',
  f32: 'a number',
};

const shown = (value: unknown): string => (typeof value === 'string' ? JSON.stringify(value) : clipped(String(value)));

const isList = (value: unknown): value is ArrayLike<ParamValue> => Array.isArray(value) || ArrayBuffer.isView(value);

/**
 * Writes what fits one layout. Its memory serves every launch, since buffers cost more than what is written to them: each
 * launch writes the same words, and the padding between them stays zero.
 */
class Packer {
  readonly words: Uint32Array<ArrayBuffer>;
  private readonly floats: Float32Array<ArrayBuffer>;
  /** The kernel of this launch. */
  where = '';

  constructor({ size }: ParamsLayout) {
    this.words = new Uint32Array(size / 4);
    this.floats = new Float32Array(this.words.buffer);
  }

  fields(fields: readonly Field[], values: Params, path: string): void {
    for (const field of fields) {
      const value = Object.hasOwn(values, field.name) ? values[field.name] : undefined;
      if (value === undefined) throw this.error(`${path}${field.name} is missing; expected are ${expected(fields)}.`);
      this.slot(field.slot, value, path + field.name, field.type);
    }
    const given = Object.keys(values);
    if (given.length === fields.length) return;
    const unknown = given.find((name) => !fields.some((field) => field.name === name));
    throw this.error(`${path}${unknown} is unknown; expected are ${expected(fields)}.`);
  }

  /** A single word. @param index Of the element that it is. */
  number(scalar: Scalar, word: number, value: unknown, name: string, index?: number): void {
    if (scalar === 'f32') {
      if (typeof value === 'number') {
        this.floats[word] = value;
        return;
      }
    } else {
      const whole = typeof value === 'boolean' ? Number(value) : value;
      // Kept whole by a conversion to the type and back; typed arrays wrap negative ones to the same bits.
      if (typeof whole === 'number' && (scalar === 'u32' ? whole >>> 0 : whole | 0) === whole) {
        this.words[word] = whole;
        return;
      }
    }
    const element = index === undefined ? name : `${name}[${index}]`;
    throw this.error(`${element} is ${shown(value)}, expected is ${RANGES[scalar]} (${scalar}).`);
  }

  private slot(slot: Slot, value: ParamValue, name: string, type: string): void {
    if (slot.kind === 'words') {
      if (slot.words.length === 1) this.number(slot.scalar, slot.words[0] as number, value, name);
      else this.list(slot, value, name, type);
    } else if (slot.kind === 'struct') {
      if (typeof value !== 'object' || value === null || isList(value)) {
        throw this.error(`${name} is ${shown(value)}, expected is ${type}: ${expected(slot.fields)}.`);
      }
      this.fields(slot.fields, value as Params, `${name}.`);
    } else {
      const { items } = slot;
      if (!isList(value) || value.length !== items.length) throw this.miscounted(value, name, type, items.length);
      items.forEach((item, i) => {
        this.slot(item, value[i] as ParamValue, `${name}[${i}]`, `an element of ${type}`);
      });
    }
  }

  private list({ scalar, words }: Slot & { kind: 'words' }, value: ParamValue, name: string, type: string): void {
    let count = 0;
    const each = (list: ArrayLike<ParamValue>): void => {
      for (let i = 0; i < list.length; i++) {
        const x = list[i];
        if (isList(x)) each(x);
        else {
          if (count < words.length) this.number(scalar, words[count] as number, x, name, count);
          count++;
        }
      }
    };
    if (isList(value)) each(value);
    if (count !== words.length) throw this.miscounted(value, name, type, words.length, count);
  }

  private miscounted(value: ParamValue, name: string, type: string, wanted: number, count?: number): ArgumentError {
    const given = isList(value) ? `has ${count ?? value.length} elements` : `is ${shown(value)}`;
    return this.error(`${name} ${given}, expected are ${wanted} (${type}).`);
  }

  private error(message: string): ArgumentError {
    return new ArgumentError({ where: this.where, message: `parameter ${message}` });
  }
}

const packers = new WeakMap<ParamsLayout, Packer>();

/** Writes a layout of single numbers; false where names are missing or too many. */
function packedFlat(packer: Packer, fields: readonly Field[], values: Params): boolean {
  for (const { name, slot } of fields) {
    const value = values[name];
    if (value === undefined) return false;
    const { scalar, words } = slot as Slot & { kind: 'words' };
    packer.number(scalar, words[0] as number, value, name);
  }
  let given = 0;
  for (const _ in values) given++;
  return given === fields.length;
}

/**
 * The words of a kernel's uniform, of its size.
 * @param where The kernel, for errors.
 * @throws {ArgumentError} when a parameter is missing or unknown, has another number of elements than its type, or is out of
 * the range of its type.
 */
export function packParams(layout: ParamsLayout, values: Params, where: string): Uint32Array<ArrayBuffer> {
  let packer = packers.get(layout);
  if (!packer) {
    packer = new Packer(layout);
    packers.set(layout, packer);
  }
  packer.where = where;
  if (!layout.flat || !packedFlat(packer, layout.fields, values)) packer.fields(layout.fields, values, '');
  return new Uint32Array(packer.words);
}
