/** Which pictures of a folder are of which class: a folder a class, pictures in it however deep. */
import { DataError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import { type FileTree, joinPath } from './files.ts';

/** What is taken for a picture. */
export const PICTURE = /\.(jpe?g|png|webp|avif|gif)$/i;
/** Labels have 16 bits. */
const MOST_CLASSES = 65536;

/** The pictures in the folders of one part of a set. */
export interface ClassFolders {
  /** Where they lie, from the root; empty for the root itself. */
  readonly part: string;
  /** Paths from the root by class, both in order of their names; classes without a picture are not there. */
  readonly pictures: ReadonlyMap<string, readonly string[]>;
  /** What people are to know. */
  readonly notes: readonly string[];
}

/** A path from the part on; undefined for what lies elsewhere. */
function within(part: string, path: string): string | undefined {
  if (part === '') return path;
  return path.startsWith(`${part}/`) ? path.slice(part.length + 1) : undefined;
}

/** Names of one kind, as a list for people. */
export const listed = (names: readonly string[]): string =>
  names
    .slice(0, 5)
    .map((name) => `"${clipped(name)}"`)
    .join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '');

/** The endings of files and how often each is there: `.txt (3)`. */
function endings(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) {
    const ending = /\.[^./]+$/.exec(name)?.[0].toLowerCase() ?? 'without an ending';
    counts.set(ending, (counts.get(ending) ?? 0) + 1);
  }
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, 5)
    .map(([ending, count]) => `${ending} (${count})`)
    .join(', ');
}

/**
 * @param part the folder of the classes' folders, from the root; empty for the root itself.
 * @param where names the root in errors.
 * @throws {DataError} when two folders are spellings of one class.
 */
export function classFolders(tree: FileTree, part: string, where: string): ClassFolders {
  const pictures = new Map<string, string[]>();
  const others: string[] = [];
  let loose = 0;
  for (const path of tree.files) {
    const inner = within(part, path);
    if (inner === undefined) continue;
    const name = inner.includes('/') ? inner.slice(0, inner.indexOf('/')) : undefined;
    if (!PICTURE.test(path)) {
      if (name !== undefined) others.push(path);
    } else if (name === undefined) loose++;
    else if (pictures.has(name)) pictures.get(name)?.push(path);
    else pictures.set(name, [path]);
  }
  const folders = tree.folders.flatMap((path) => within(part, path) ?? []).filter((name) => !name.includes('/'));
  const empty = folders.filter((name) => !pictures.has(name));
  const circles = tree.circles.filter((path) => within(part, path) !== undefined);
  const sorted = new Map([...pictures].sort(([a], [b]) => (a < b ? -1 : 1)));
  const place = part === '' ? '' : ` in ${part}`;
  const notes = [
    ...(empty.length > 0 ? [`folders without a picture${place} are no classes: ${listed(empty)}`] : []),
    ...(loose > 0 ? [`pictures in no folder of a class${place} were passed over: ${loose}`] : []),
    ...(others.length > 0 ? [`other files${place} were passed over: ${endings(others)}`] : []),
    ...circles.map((path) => `the link ${path} leads back to a folder that it lies in, and was not followed`),
    ...checkSpellings([...sorted.keys()], joinPath(where, part)),
  ];
  return { part, pictures: sorted, notes };
}

/**
 * @returns notes on names that differ in upper and lower case only, as those of letters may.
 * @throws {DataError} for names that differ in spaces, or in how Unicode writes one character: nobody means two classes by them.
 */
function checkSpellings(names: readonly string[], where: string): string[] {
  if (names.length > MOST_CLASSES) {
    throw new DataError({
      where,
      message: `there are ${names.length} folders of classes; at most ${MOST_CLASSES} are told apart.`,
      fix: 'Give the folder whose folders are the classes.',
    });
  }
  const notes: string[] = [];
  const known = new Map<string, string>();
  for (const name of names) {
    // Not NFKC, by which "2" and "²" would be one character.
    const spelling = name.normalize('NFC').trim().replace(/\s+/g, ' ').toLowerCase();
    const other = known.get(spelling);
    known.set(spelling, name);
    if (other === undefined) continue;
    if (other.toLowerCase() !== name.toLowerCase()) {
      throw new DataError({
        where,
        message: `"${clipped(other)}" and "${clipped(name)}" are two spellings of one class.`,
        fix: 'Put their pictures into one folder.',
      });
    }
    notes.push(`"${clipped(other)}" and "${clipped(name)}" differ in case only, and count as two classes`);
  }
  return notes;
}

/** @throws {DataError} when there are fewer than two classes. */
export function assertClasses(names: readonly string[], where: string): void {
  if (names.length > 1) return;
  const [one] = names;
  throw new DataError({
    where,
    message:
      one === undefined
        ? 'there is no class here.'
        : `there is one class here, "${clipped(one)}": nothing is told apart.`,
    fix: 'Lay out a folder for each class, pictures in it.',
  });
}
