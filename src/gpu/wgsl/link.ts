/**
 * WGSL files that build on each other. A file names what it needs in its first lines, `// import lib/quads.wgsl`; here they
 * become the one text that a device compiles.
 */
import { ArgumentError } from '../../errors.ts';
import type { EntryReader, EntryText } from './entry-point.ts';
import { endOfHead, withoutComments } from './text.ts';

/** A WGSL file with the files it builds on, as the build makes of every `.wgsl`. */
export interface WgslFile {
  /** Path from the shaders folder: `lib/quads.wgsl`. */
  readonly name: string;
  readonly text: string;
  readonly imports: readonly WgslFile[];
  /** The entry points of it and of what it imports, as the build has read them. */
  readonly entries?: Readonly<Record<string, EntryText>>;
  /** Reads them off its text, where the build has not. */
  readonly reflect?: EntryReader;
  /** What makes it a kernel for several parameters at once; see `shaders/optim/slots.wgsl`. */
  readonly slots?: SlotTemplate;
}

/** A file for one slot, taken apart by the build. */
export interface SlotTemplate {
  /**
   * What is there once and what is there once a slot, by turns, the former first. `$` is a slot's number, `#3` the binding 3
   * of the first slot, and `?4` a binding behind those of the slots.
   */
  readonly parts: readonly string[];
  /** The first binding of a slot, and how many a slot has. */
  readonly first: number;
  readonly each: number;
}

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
