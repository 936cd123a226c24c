/** Which Parquet files are of which part of a set, by their names. */
import { DataError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import { joinPath } from './files.ts';

/** The files of each part, in order; the name of a set without parts is empty. */
export type Shards = ReadonlyMap<string, readonly string[]>;

const NAMED_PARTS = ['train', 'test', 'validation', 'valid', 'val', 'dev'];
const SHARD = /^(\w+(?:\.\w+)*)-(\d{5})-of-(\d{5})(?:-[0-9a-f]+)?\.parquet$/i;
const ENDING = /\.parquet$/i;

interface Shard {
  readonly path: string;
  readonly part: string;
  /** The folder of the whole set. */
  readonly folder: string;
  /** How many shards its part has, where its name tells. */
  readonly of: number | undefined;
}

function shardOf(path: string): Shard {
  const folders = path.split('/');
  const file = folders.pop() ?? '';
  const [, part, , of] = SHARD.exec(file) ?? [];
  const stem = file.replace(ENDING, '');
  if (part !== undefined) return { path, part, folder: folders.join('/'), of: Number(of) };
  if (NAMED_PARTS.includes(stem)) return { path, part: stem, folder: folders.join('/'), of: undefined };
  const isInPart = NAMED_PARTS.includes(folders.at(-1) ?? '');
  return {
    path,
    part: isInPart ? (folders.pop() ?? '') : '',
    folder: folders.join('/'),
    of: undefined,
  };
}

/** @throws {DataError} when there are several sets, or a shard is missing. */
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
  for (const [part, found] of parts) {
    const of = found[0]?.of;
    if (of === undefined || of === found.length) continue;
    throw new DataError({
      where,
      message: `of the ${of} shards of ${part} ${found.length} are here.`,
      fix: 'Fetch all of them.',
    });
  }
  return new Map([...parts].map(([part, found]) => [part, found.map(({ path }) => path).sort()]));
}
