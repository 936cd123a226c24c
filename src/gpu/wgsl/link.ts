/**
 * WGSL files that build on each other. A file names what it needs in its first lines, `// import lib/quads.wgsl`; here they
 * become the one text that a device compiles.
 */
import { closest } from 'fastest-levenshtein';
import { ArgumentError } from '../../errors.ts';
import { clipped } from '../printable.ts';
import { importLines } from './import-lines.ts';
import { endOfHead, withoutComments } from './text.ts';

/** A WGSL file with the files it builds on, as the build makes of every `.wgsl`. */
export interface WgslFile {
  /** Path from the shaders folder: `lib/quads.wgsl`. */
  readonly name: string;
  readonly text: string;
  readonly imports: readonly WgslFile[];
}

const DIRECTIVE = /\b(?:enable|requires|diagnostic)\b[^;]*;/g;
const texts = new WeakMap<WgslFile, string>();

const circle = (where: string, names: readonly string[]): ArgumentError =>
  new ArgumentError({
    where,
    message: `files import each other in a circle: ${names.join(' → ')}.`,
    fix: 'Move what both need to a file of its own.',
  });

/** A file and all it imports, depth first, each once and behind what it imports. */
function inOrder(entry: WgslFile): WgslFile[] {
  const done = new Set<WgslFile>();
  const path: WgslFile[] = [];
  const visit = (file: WgslFile): void => {
    if (done.has(file)) return;
    const begin = path.indexOf(file);
    if (begin >= 0) {
      const names = [...path.slice(begin), file].map(({ name }) => name);
      throw circle(entry.name, names);
    }
    path.push(file);
    file.imports.forEach(visit);
    path.pop();
    done.add(file);
  };
  visit(entry);
  return [...done];
}

function joined(files: readonly WgslFile[]): string {
  const directives = new Set<string>();
  const bodies = files.map(({ text }) => {
    const end = endOfHead(text);
    for (const [directive] of withoutComments(text.slice(0, end)).matchAll(DIRECTIVE)) {
      directives.add(directive.replace(/\s+/g, ' '));
    }
    return text.slice(end).trimEnd();
  });
  return `${[...directives, ...bodies].join('\n')}\n`;
}

/**
 * The text of a file behind the texts of all it imports, depth first, each once; the directives of all of them (`enable`,
 * `requires`, `diagnostic`) come first. The same file always gives the same string. A string is a file without imports.
 * @throws {ArgumentError} when files import each other in a circle, or a string has an `// import` line.
 */
export function linked(file: WgslFile | string): string {
  if (typeof file === 'string') {
    const [line] = importLines(file);
    if (!line) return file;
    throw new ArgumentError({
      where: `line ${line.line}`,
      message: `a text by itself cannot import ${line.path}.`,
      fix: 'Pass a file instead, for example linkWgsl("own.wgsl", { "own.wgsl": …, "lib/own.wgsl": … }).',
    });
  }
  let text = texts.get(file);
  if (text === undefined) {
    text = file.imports.length === 0 ? file.text : joined(inOrder(file));
    texts.set(file, text);
  }
  return text;
}

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
    const result = { name, text, imports };
    made.set(name, result);
    return result;
  };
  return file(entry, 'linkWgsl');
}
