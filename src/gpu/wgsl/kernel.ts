/**
 * A kernel is one entry point of a WGSL file plus the constants injected ahead of it.
 * Bind group layouts are read off the file's own declarations, so a kernel is described in one place: its file.
 */

import { unrolled } from './unrolled.ts';

/** One entry point of a WGSL source. */
export interface Kernel {
  /** Name in errors, profiles and benchmarks, for example `conv2d_forward`. */
  readonly name: string;
  readonly source: string;
  /** Entry point, `main` unless said. */
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

/** Comments and directives (`enable`, `requires`, `diagnostic`) that a WGSL file begins with. */
const HEAD = /^(?:\s+|\/\/[^\n]*|(?:enable|requires|diagnostic)\b[^;]*;)*/;

/**
 * The WGSL of a module: the constants stand before the file's declarations, but after its directives, which must come
 * first. Constants that speak of f16 switch it on. Loops marked `// unrolled` are written out.
 */
export function moduleText(source: string, constants: Constants): string {
  const head = HEAD.exec(source)?.[0] ?? '';
  const declared = renderConstants(constants);
  // A module may say so twice.
  const half = /\bf16\b/.test(declared) ? 'enable f16;\n' : '';
  return `${half}${head}${declared}${unrolled(source.slice(head.length), constants)}`;
}

const DECLARATION = /@group\(0\)\s*@binding\((\d+)\)\s*var<(uniform|storage)\s*(?:,\s*(read|read_write))?\s*>\s*(\w+)/g;
const FUNCTION = /\bfn\s+(\w+)\s*\(/g;

/** The functions of a WGSL source (without comments) by name, each as its text from `fn` to its closing brace. */
function functionsOf(source: string): Map<string, string> {
  const functions = new Map<string, string>();
  for (const match of source.matchAll(FUNCTION)) {
    let end = source.indexOf('{', match.index);
    for (let depth = 1; depth > 0 && ++end < source.length; ) {
      if (source[end] === '{') depth++;
      else if (source[end] === '}') depth--;
    }
    functions.set(match[1] as string, source.slice(match.index, end + 1));
  }
  return functions;
}

/** The bindings that the entry point can reach, in binding order: several entry points of one file may use different ones. */
export function bindingsOf(kernel: Kernel): Binding[] {
  const source = kernel.source.replace(/\/\/[^\n]*/g, '');
  const functions = functionsOf(source);
  const reached = new Set<string>();
  const words = new Set<string>();
  const visit = (name: string) => {
    const body = functions.get(name);
    if (body === undefined || reached.has(name)) return;
    reached.add(name);
    for (const word of body.match(/[A-Za-z_]\w*/g) ?? []) {
      words.add(word);
      visit(word);
    }
  };
  visit(kernel.entry ?? 'main');
  const bindings: Binding[] = [];
  for (const [, index, space, access, name] of source.matchAll(DECLARATION)) {
    if (!words.has(name as string)) continue;
    const type = space === 'uniform' ? 'uniform' : access === 'read_write' ? 'storage' : 'read-only-storage';
    bindings.push({ binding: Number(index), type });
  }
  return bindings.sort((a, b) => a.binding - b.binding);
}
