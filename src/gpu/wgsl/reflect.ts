/** Reads off a kernel's text what a launch must know of it: at build time for the project's files, at run time for others. */
import type { Constants } from './constants.ts';
import type { Binding, EntryPoint, EntryText, StructsText, WgslFile } from './file.ts';
import { linked } from './link.ts';
import { type Field, type ParamsLayout, paramsLayout } from './params.ts';
import { withoutComments, wordsReached } from './text.ts';

const DECLARATION = /@group\(0\)\s*@binding\((\d+)\)\s*var<(uniform|storage)\s*(?:,\s*(read|read_write))?\s*>\s*(\w+)/g;

/** The bindings that the entry point can reach, in binding order: several entry points of one file may use different ones. */
export function bindingsOf(text: string, entry: string): Binding[] {
  const source = withoutComments(text);
  const words = wordsReached(source, entry);
  const bindings: Binding[] = [];
  for (const [, index, space, access, name] of source.matchAll(DECLARATION)) {
    if (!words.has(name as string)) continue;
    const type = space === 'uniform' ? 'uniform' : access === 'read_write' ? 'storage' : 'read-only-storage';
    bindings.push({ name: name as string, binding: Number(index), type });
  }
  return bindings.sort((a, b) => a.binding - b.binding);
}

/** @throws {ArgumentError} when the parameters cannot be laid out. */
export function reflect(file: WgslFile, entry: string, constants: Constants, where: string): EntryPoint {
  const text = linked(file);
  return { bindings: bindingsOf(text, entry), params: paramsLayout(text, constants, entry, where) };
}

const ENTRY = /@compute\b[^{]*?\bfn\s+(\w+)/g;
const KINDS: Readonly<Record<string, string>> = { 'read-only-storage': 'r', storage: 'w', uniform: 'u' };

/** Fields as text for `layoutOf`, from a byte on; undefined for those that it cannot say. */
function fieldsText(fields: readonly Field[], begin = 0): string | undefined {
  const words: string[] = [];
  let next = 0;
  for (const { name, type, offset, slot } of fields) {
    const first = (offset - begin) / 4;
    if (slot.kind !== 'words' || !slot.words.every((word, i) => word === offset / 4 + i)) return undefined;
    const isNumber = slot.words.length === 1 && type === slot.scalar && first === next;
    const shown = type.replace(/\s+/g, '');
    words.push(isNumber ? `${name}:${shown}` : `${name}:${shown}=${slot.scalar}*${slot.words.length}@${first}`);
    next = first + slot.words.length;
  }
  return words.join(' ');
}

/** A layout as the build writes it. @throws {RangeError} for one that no kernel has needed yet. */
function layoutText({ fields, size }: ParamsLayout, where: string): string | StructsText {
  const text = fieldsText(fields);
  if (text !== undefined) return text;
  const [{ name, type, slot }] = fields as readonly [Field];
  const [first] = slot.kind === 'structs' ? slot.items : [];
  const members = first?.kind === 'struct' && fields.length === 1 ? fieldsText(first.fields) : undefined;
  if (slot.kind !== 'structs' || members === undefined) {
    throw new RangeError(`${where}: the build cannot write these parameters down; layoutText says which it can.`);
  }
  return { name, type, count: slot.items.length, stride: size / 4 / slot.items.length, members };
}

/** All entry points of a file, as the build writes them. @throws {ArgumentError} as {@link reflect}. */
export function entriesOf(file: WgslFile): Record<string, EntryText> {
  const names = [...withoutComments(linked(file)).matchAll(ENTRY)].map(([, name]) => name as string);
  return Object.fromEntries(
    names.map((name): [string, EntryText] => {
      const { bindings, params } = reflect(file, name, {}, `${file.name}: ${name}`);
      const shown = bindings.map((b) => `${b.binding}${KINDS[b.type]}`).join('');
      return [name, params ? [shown, layoutText(params, `${file.name}: ${name}`)] : [shown]];
    }),
  );
}
