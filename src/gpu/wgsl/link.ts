/**
 * WGSL files that build on each other. A file names what it needs in its first lines, `// import lib/quads.wgsl`; here they
 * become the one text that a device compiles.
 */
import { ArgumentError } from '../../errors.ts';
import type { WgslFile } from './file.ts';
import { endOfHead, withoutComments } from './text.ts';

const DIRECTIVE = /\b(?:enable|requires|diagnostic)\b[^;]*;/g;
const texts = new WeakMap<WgslFile, string>();

export const circle = (where: string, names: readonly string[]): ArgumentError =>
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
 * `requires`, `diagnostic`) come first. The same file always gives the same string.
 * @throws {ArgumentError} when files import each other in a circle.
 */
export function linked(file: WgslFile): string {
  let text = texts.get(file);
  if (text === undefined) {
    text = file.imports.length === 0 ? file.text : joined(inOrder(file));
    texts.set(file, text);
  }
  return text;
}
