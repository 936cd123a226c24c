/**
 * A kernel is one entry point of a WGSL file plus the constants injected ahead of it.
 * Bind group layouts are read off the file's own declarations, so a kernel is described in one place: its file.
 */

import type { WgslFile } from './link.ts';
import { endOfHead, withoutComments, wordsReached } from './text.ts';
import { unrolled } from './unrolled.ts';

/**
 * One entry point of a WGSL source: a value. Two kernels are the same when their sources and entries are; the name is a label.
 */
export interface Kernel {
  /** Name in errors, profiles and benchmarks, for example `conv2d_forward`. */
  readonly name: string;
  /** A file with its imports, or the text of one that imports nothing. */
  readonly source: WgslFile | string;
  /** Entry point, `main` by default. */
  readonly entry?: string;
}

/**
 * What is injected ahead of a kernel: a whole number becomes a `u32` constant (an `i32` when negative), `{ f32: x }` a float
 * constant, a boolean a `bool` constant, a string an `alias`.
 */
export type Constants = Readonly<Record<string, number | boolean | string | { readonly f32: number }>>;

export interface Binding {
  readonly binding: number;
  readonly type: GPUBufferBindingType;
}

const floatLiteral = (x: number): string => {
  const text = String(x);
  return /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
};

/** The constants as WGSL lines. */
export function renderConstants(constants: Constants): string {
  let text = '';
  for (const [name, value] of Object.entries(constants)) {
    if (typeof value === 'string') text += `alias ${name} = ${value};\n`;
    else if (typeof value === 'boolean') text += `const ${name}: bool = ${value};\n`;
    else if (typeof value === 'object') text += `const ${name}: f32 = ${floatLiteral(value.f32)};\n`;
    else if (value < 0) text += `const ${name}: i32 = ${value}i;\n`;
    else text += `const ${name}: u32 = ${value}u;\n`;
  }
  return text;
}

/**
 * The WGSL of a module: the constants stand before the file's declarations, but after its directives, which must come
 * first. Constants that speak of f16 switch it on. Loops marked `// unrolled` are written out.
 */
export function moduleText(source: string, constants: Constants): string {
  const head = source.slice(0, endOfHead(source));
  const declared = renderConstants(constants);
  // A module may say so twice.
  const half = /\bf16\b/.test(declared) ? 'enable f16;\n' : '';
  return `${half}${head}${declared}${unrolled(source.slice(head.length), constants)}`;
}

const DECLARATION = /@group\(0\)\s*@binding\((\d+)\)\s*var<(uniform|storage)\s*(?:,\s*(read|read_write))?\s*>\s*(\w+)/g;
/** The bindings that the entry point can reach, in binding order: several entry points of one file may use different ones. */
export function bindingsOf(text: string, entry: string): Binding[] {
  const source = withoutComments(text);
  const words = wordsReached(source, entry);
  const bindings: Binding[] = [];
  for (const [, index, space, access, name] of source.matchAll(DECLARATION)) {
    if (!words.has(name as string)) continue;
    const type = space === 'uniform' ? 'uniform' : access === 'read_write' ? 'storage' : 'read-only-storage';
    bindings.push({ binding: Number(index), type });
  }
  return bindings.sort((a, b) => a.binding - b.binding);
}
