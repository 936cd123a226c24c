/**
 * Uniform parameters by name: `{ rows, columns, eps }` is laid out as the kernel's own source says, usually by a struct
 * `Params`, so that nobody counts words or writes padding.
 */
import { ArgumentError } from '../../errors.ts';
import type { Constants } from './constants.ts';
import { Cursor, Declarations, Unreadable } from './declarations.ts';
import { withoutComments, wordsReached } from './text.ts';
import { type Scalar, Types, type WgslType } from './types.ts';

/**
 * A parameter. Vectors, matrices (by columns) and arrays are their elements in order, flat or nested; structs are objects by
 * name, arrays of structs are arrays of those. Booleans are 1 and 0 for `u32` and `i32`.
 */
export type ParamValue = number | boolean | ArrayLike<number> | readonly ParamValue[] | Params;

/** Parameters by the names of the members of the kernel's uniform. */
export interface Params {
  readonly [name: string]: ParamValue;
}

/** Where in the uniform a value goes: words of one type, a struct, or several structs. */
export type Slot =
  | { readonly kind: 'words'; readonly scalar: Scalar; readonly words: readonly number[] }
  | { readonly kind: 'struct'; readonly fields: readonly Field[] }
  | { readonly kind: 'structs'; readonly items: readonly Slot[] };

export interface Field {
  readonly name: string;
  /** As WGSL writes it. */
  readonly type: string;
  /** Bytes from the beginning of the uniform. */
  readonly offset: number;
  readonly slot: Slot;
}

export interface ParamsLayout {
  /** Bytes of the uniform. */
  readonly size: number;
  readonly fields: readonly Field[];
  /** Whether all fields are single numbers. */
  readonly flat: boolean;
}

/** Words of a type without structs, in the order of its elements. */
function wordsOf(type: WgslType, offset: number): { scalar: Scalar; words: number[] } | null {
  if (type.kind === 'scalar') return { scalar: type.scalar, words: [offset / 4] };
  if (type.kind === 'struct') return null;
  const first = wordsOf(type.element, offset);
  if (!first) return null;
  const words = Array.from({ length: type.count }, (_, i) => first.words.map((word) => word + (i * type.stride) / 4));
  return { scalar: first.scalar, words: words.flat() };
}

function slotOf(type: WgslType, offset: number): Slot {
  const words = wordsOf(type, offset);
  if (words) return { kind: 'words', ...words };
  if (type.kind === 'struct') return { kind: 'struct', fields: fieldsOf(type, offset) };
  const { element, count, stride } = type as Extract<WgslType, { kind: 'array' }>;
  return { kind: 'structs', items: Array.from({ length: count }, (_, i) => slotOf(element, offset + i * stride)) };
}

const fieldsOf = (type: WgslType & { kind: 'struct' }, begin: number): Field[] =>
  type.members.map((member) => {
    const offset = begin + member.offset;
    return { name: member.name, type: member.type.text, offset, slot: slotOf(member.type, offset) };
  });

function layoutOf(source: string, constants: Constants, entry: string): ParamsLayout | null {
  const declared = new Declarations(source, constants);
  if (declared.uniforms.length === 0) return null;
  const words = wordsReached(withoutComments(source), entry);
  const [uniform, ...more] = declared.uniforms.filter(({ name }) => words.has(name));
  if (!uniform) return null;
  if (more.length > 0) {
    const names = [uniform, ...more].map(({ name }) => name).join(', ');
    throw new Unreadable(`${entry} reaches several uniforms, ${names}; a kernel has one at most`);
  }
  const type = new Types(declared).read(new Cursor(uniform.type));
  const fields =
    type.kind === 'struct'
      ? fieldsOf(type, 0)
      : [{ name: uniform.name, type: type.text, offset: 0, slot: slotOf(type, 0) }];
  const flat = fields.every(({ slot }) => slot.kind === 'words' && slot.words.length === 1);
  return { size: type.size, fields, flat };
}

/**
 * How the parameters of a kernel lie in its uniform; null where the entry point reaches none. The members of the uniform's
 * struct are the parameters; a uniform of another type, such as `array<Params, 4>`, is one parameter of its variable's name.
 * @param constants What is injected ahead of the source: sizes of arrays, aliases.
 * @param where The kernel, for errors.
 * @throws {ArgumentError} when the uniform has a type that parameters cannot have, or the entry point reaches several.
 */
export function paramsLayout(
  source: string,
  constants: Constants = {},
  entry = 'main',
  where = entry,
): ParamsLayout | null {
  try {
    return layoutOf(source, constants, entry);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    throw new ArgumentError({ where, message: `its parameters cannot be laid out: ${error.message}.`, cause: error });
  }
}
