/**
 * A kernel is one entry point of a WGSL file plus the constants injected ahead of it.
 * Bind group layouts are read off the file's own declarations, so a kernel is described in one place: its file.
 */

import { type Constants, renderConstants } from './constants.ts';
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

/** A kernel for people: its name, and its entry point where that is another one than `main`. */
export const labelOf = ({ name, entry = 'main' }: Kernel): string => (entry === 'main' ? name : `${name}.${entry}`);

export interface Binding {
  /** The variable's name. */
  readonly name: string;
  readonly binding: number;
  readonly type: GPUBufferBindingType;
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
    bindings.push({ name: name as string, binding: Number(index), type });
  }
  return bindings.sort((a, b) => a.binding - b.binding);
}
