/** WGSL sources of one's own, with the parser that reads their bindings and parameters. */
import { closest } from 'fastest-levenshtein';
import { ArgumentError } from '../../errors.ts';
import { clipped } from '../printable.ts';
import type { WgslFile } from './file.ts';
import { importLines } from './import-lines.ts';
import { circle } from './link.ts';
import { reflect } from './reflect.ts';

/**
 * The file called `entry` among `files`, texts by name, with the files that its import lines name.
 * @throws {ArgumentError} when a file is unknown, or files import each other in a circle.
 */
export function linkWgsl(entry: string, files: Readonly<Record<string, string>>): WgslFile {
  const known = Object.keys(files);
  const made = new Map<string, WgslFile>();
  const path: string[] = [];
  const file = (name: string, where: string): WgslFile => {
    const before = made.get(name);
    if (before) return before;
    if (path.includes(name)) throw circle(where, [...path.slice(path.indexOf(name)), name]);
    const text = Object.hasOwn(files, name) ? files[name] : undefined;
    if (text === undefined) {
      throw new ArgumentError({
        where,
        message: `${name} is unknown; the files are ${clipped(known.join(', '), 400) || 'none'}.`,
        ...(known.length > 0 && { fix: `Did you mean ${closest(name, known)}?` }),
      });
    }
    path.push(name);
    const imports = importLines(text).map((line) => file(line.path, `${name}:${line.line}`));
    path.pop();
    const result = { name, text, imports, reflect };
    made.set(name, result);
    return result;
  };
  return file(entry, 'linkWgsl');
}

/**
 * A kernel's source from a template; what is put into it is written as it is.
 * @throws {ArgumentError} when it has an `// import` line: sources in several files are for {@link linkWgsl}.
 * @example const source = wgsl`@group(0) @binding(0) var<storage, read_write> y: array<f32>; …`;
 */
export function wgsl(strings: TemplateStringsArray, ...values: readonly (string | number)[]): WgslFile {
  const text = String.raw({ raw: strings }, ...values);
  const [line] = importLines(text);
  if (line) {
    throw new ArgumentError({
      where: `wgsl, line ${line.line}`,
      message: `a text by itself cannot import ${line.path}.`,
      fix: 'Use linkWgsl("own.wgsl", { "own.wgsl": …, "lib/own.wgsl": … }).',
    });
  }
  return { name: 'wgsl', text, imports: [], reflect };
}
