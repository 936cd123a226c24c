/**
 * A kernel is one entry point of a WGSL file plus the constants injected ahead of it.
 * Bind group layouts are read off the file's own declarations, so a kernel is described in one place: its file.
 */

import { type Constants, renderConstants } from './constants.ts';
import type { WgslFile } from './file.ts';
import { endOfHead } from './text.ts';
import { unrolled } from './unrolled.ts';

/**
 * One entry point of a WGSL source: a value. Two kernels are the same when their sources and entries are; the name is a label.
 */
export interface Kernel {
  /** Name in errors, profiles and benchmarks, for example `conv2d_forward`. */
  readonly name: string;
  /** By the template `wgsl`, or `linkWgsl` where it is in several files. */
  readonly source: WgslFile;
  /** Entry point, `main` by default. */
  readonly entry?: string;
}

/** A kernel for people: its name, and its entry point where that is another one than `main`. */
export const labelOf = ({ name, entry = 'main' }: Kernel): string => (entry === 'main' ? name : `${name}.${entry}`);

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
