/**
 * What a launch must know of a kernel's entry point: its bindings and its parameters. The build reads them off the project's
 * own files, so that whoever imports the engine carries no parser; `wgsl` and `linkWgsl` bring one along for other sources.
 */
import { ArgumentError } from '../../errors.ts';
import type { Constants } from './constants.ts';
import type { EntryPoint, EntryText, StructsText, WgslFile } from './file.ts';
import type { Field, ParamsLayout } from './params.ts';
import type { Scalar } from './types.ts';

const TYPES: Readonly<Record<string, GPUBufferBindingType>> = { r: 'read-only-storage', w: 'storage', u: 'uniform' };

const wordsIn = (text: string): string[] => text.split(' ').filter(Boolean);

/**
 * A layout from its text, `rows:u32 eps:f32 dims:array<vec4<u32>,2>=u32*8@4`: each a number behind the one before, or so many
 * of them from a word on.
 */
export function layoutOf(text: string, begin = 0): ParamsLayout {
  let next = begin;
  let flat = true;
  const fields = wordsIn(text).map((field): Field => {
    const [, name = '', type = '', many = type, count = '1', at = next] =
      /^(\w+):([^=]+)(?:=(\w+)\*(\d+)@(\d+))?$/.exec(field) ?? [];
    const word = at === next ? next : begin + Number(at);
    next = word + Number(count);
    flat &&= many === type;
    const words = Array.from({ length: Number(count) }, (_, i) => word + i);
    return { name, type, offset: 4 * word, slot: { kind: 'words', scalar: many as Scalar, words } };
  });
  return { size: 4 * next, fields, flat };
}

function structsOf({ name, type, count, stride, members }: StructsText): ParamsLayout {
  const items = Array.from({ length: count }, (_, i) => {
    const { fields } = layoutOf(members, i * stride);
    return { kind: 'struct', fields } as const;
  });
  return {
    size: 4 * count * stride,
    fields: [{ name, type, offset: 0, slot: { kind: 'structs', items } }],
    flat: false,
  };
}

export function readEntry([bindings, params]: EntryText): EntryPoint {
  return {
    bindings: [...bindings.matchAll(/(\d+)(\D)/g)].map(([, number, kind = '']) => {
      return { name: '', binding: Number(number), type: TYPES[kind] as GPUBufferBindingType };
    }),
    params: typeof params === 'string' ? layoutOf(params) : params ? structsOf(params) : null,
  };
}

/**
 * @param where The kernel, for errors.
 * @throws {ArgumentError} when the file has no such entry point, or was not made by `wgsl` or `linkWgsl`.
 */
export function entryPointOf(file: WgslFile, entry: string, constants: Constants, where: string): EntryPoint {
  if (file.reflect) return file.reflect(file, entry, constants, where);
  const found = file.entries?.[entry];
  if (found) return readEntry(found);
  throw new ArgumentError({
    where,
    message: `${file.name} has no entry point ${entry}; it has ${Object.keys(file.entries ?? {}).join(', ') || 'none'}.`,
    fix: 'Make sources of your own with wgsl`…` or linkWgsl().',
  });
}
