/** Lists of the pictures that are tested on: a path a line, or CSV with a column of paths. */
import { csvParseRows } from 'd3-dsv';
import { files } from '#files';
import { DataError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';

/** Names that a column of paths has; without one of them the first column is it. */
const COLUMNS = ['path', 'file', 'filename', 'file_name', 'filepath', 'image', 'picture', 'name'];

/** As a list may write a path: separators of Windows, `./` before it. */
const plain = (path: string): string =>
  path
    .trim()
    .replaceAll('\\', '/')
    .replace(/^(\.?\/)+/, '');
const withoutEnding = (path: string): string => path.replace(/\.[^./]+$/, '');
/** File systems and editors write one accented letter in two ways. */
const composed = (path: string): string => path.normalize('NFC');

/** The paths of a list, as it has them. */
function entriesOf(text: string, isCsv: boolean): string[] {
  const body = text.replace(/^\uFEFF/, '');
  if (!isCsv) return body.split(/\r?\n/).filter((line) => line.trim() !== '');
  const [head = [], ...rows] = csvParseRows(body);
  const column = head.findIndex((name) => COLUMNS.includes(name.trim().toLowerCase()));
  const paths = column < 0 ? [head, ...rows].map(([first]) => first) : rows.map((row) => row[column]);
  return paths.filter((path) => path !== undefined && path.trim() !== '') as string[];
}

/** Paths by a name that several may have. */
function grouped(paths: Iterable<string>, nameOf: (path: string) => string): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const path of paths) {
    const group = groups.get(nameOf(path));
    if (group) group.push(path);
    else groups.set(nameOf(path), [path]);
  }
  return groups;
}

/**
 * Which of the pictures a list names, by their paths from the root of the set; their ending may be left out.
 * @param list where it lies.
 * @param pictures all there are.
 * @throws {DataError} when it cannot be read, names nothing, or names a picture that is not there, or more than one in one entry.
 */
export async function readTestList(list: string, pictures: Iterable<string>): Promise<Set<string>> {
  const entries = entriesOf(await files.readText(list), /\.csv$/i.test(list));
  const all = new Set(pictures);
  const byPath = grouped(all, composed);
  const byStem = grouped(all, (path) => composed(withoutEnding(path)));
  const found = new Set<string>();
  const missing: string[] = [];
  for (const entry of entries) {
    const path = plain(entry);
    const name = composed(path);
    const [picture, other] = all.has(path) ? [path] : (byPath.get(name) ?? byStem.get(name) ?? []);
    if (picture !== undefined && other !== undefined) {
      throw new DataError({
        where: list,
        message: `"${clipped(entry)}" may be ${clipped(picture)} or ${clipped(other)}.`,
        fix: 'Write the whole path of the one that is meant, or of both in two entries.',
      });
    }
    if (picture === undefined) missing.push(entry);
    else found.add(picture);
  }
  const [first] = missing;
  if (entries.length === 0 || first !== undefined) {
    throw new DataError({
      where: list,
      message:
        first === undefined
          ? 'this list names no picture.'
          : `${missing.length} of ${entries.length} entries name no picture of the set, the first is "${clipped(first)}".`,
      fix: `Name pictures by their paths from the set's folder, a line each, such as ${clipped([...all][0] ?? 'cat/1.jpg')}.`,
    });
  }
  return found;
}
