/** Which Parquet files are of which part of a set, by their names. */
import { DataError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import { joinPath } from './files.ts';
import { isPart } from './part-names.ts';

/** The files of each part, in order; the name of a set without parts is empty, and that of files whose names tell none. */
export type Shards = ReadonlyMap<string, readonly string[]>;

const SHARD = /^(.+)-(\d{5})-of-(\d{5})(?:-[0-9a-f]+)?$/i;
const ENDING = /\.parquet$/i;

interface Shard {
  readonly path: string;
  readonly part: string;
  /** The folder of the whole set. */
  readonly folder: string;
  /** What stands before the part in the file's name: that of the set, where it has one. */
  readonly set: string;
  /** Which of the shards of its part it is, and how many these are, where its name tells. */
  readonly number: number | undefined;
  readonly of: number | undefined;
}

function shardOf(path: string): Shard {
  const folders = path.split('/');
  const stem = (folders.pop() ?? '').replace(ENDING, '');
  const [, before, number, of] = SHARD.exec(stem) ?? [];
  const name = before ?? stem;
  const isShard = before !== undefined;
  const numbers = isShard ? { number: Number(number), of: Number(of) } : { number: undefined, of: undefined };
  // The last of several: a set may be called `dev-tools`.
  const words = name.split(/([-_.\s])/);
  const at = words.findLastIndex(isPart);
  const ofFile = words[at]?.toLowerCase();
  const last = folders.at(-1)?.toLowerCase() ?? '';
  const isInPart = isPart(last) && (ofFile === undefined || ofFile === last);
  return {
    path,
    part: ofFile ?? (isInPart ? last : (before ?? '')),
    folder: folders.slice(0, isInPart ? -1 : undefined).join('/'),
    set: words.slice(0, Math.max(0, at)).join(''),
    ...numbers,
  };
}

/** @throws {DataError} when there are several sets, or a shard is missing or there twice. */
export function shardsOf(paths: readonly string[], where: string): Shards {
  const shards = paths.map(shardOf);
  const folders = [...new Set(shards.map(({ folder }) => folder))];
  if (folders.length > 1) {
    throw new DataError({
      where,
      message: `there are Parquet files of several sets here, in ${folders.map((folder) => clipped(folder || '.')).join(', ')}.`,
      fix: `Give the folder of one of them, such as ${joinPath(where, folders.find(Boolean) ?? '')}.`,
    });
  }
  const parts = new Map<string, Shard[]>();
  for (const shard of shards) parts.set(shard.part, [...(parts.get(shard.part) ?? []), shard]);
  for (const [part, found] of parts) checkPart(part, found, where);
  return new Map([...parts].map(([part, found]) => [part, found.map(({ path }) => path).sort()]));
}

/** @throws {DataError} unless the files are all of one part of one set. */
function checkPart(part: string, found: readonly Shard[], where: string): void {
  const [first] = found as [Shard, ...Shard[]];
  const stranger = found.find(({ of, set }) => of !== first.of || set !== first.set);
  if (stranger) {
    throw new DataError({
      where,
      message: `${clipped(first.path)} and ${clipped(stranger.path)} both say that they are ${part}, and are not of one set.`,
      fix: 'Leave those of one set here.',
    });
  }
  if (first.of === undefined) return;
  const byNumber = new Map<number | undefined, Shard>();
  for (const shard of found) {
    const other = byNumber.get(shard.number);
    byNumber.set(shard.number, shard);
    if (!other) continue;
    throw new DataError({
      where,
      message: `${clipped(other.path)} and ${clipped(shard.path)} are the same shard of ${part}.`,
      fix: 'Leave the shards of one download here.',
    });
  }
  const missing = Array.from({ length: first.of }, (_, number) => number).find((number) => !byNumber.has(number));
  if (missing === undefined && found.length === first.of) return;
  throw new DataError({
    where,
    message: `of the ${first.of} shards of ${part} ${found.length} are here.`,
    fix: 'Fetch all of them.',
  });
}
