/** `engram export --csv`: the records of runs as tables. */
import { dirname } from 'node:path';
import { files } from '#files';
import { joinPath } from '../data/files.ts';
import { ConfigError, DataError } from '../errors.ts';
import { printable } from '../gpu/printable.ts';
import { counted } from '../report/counted.ts';
import { CSV_BEGINNING, csvTables } from '../report/csv-tables.ts';
import type { ReadRun } from './read-run.ts';
import { CSV } from './run-files.ts';
import { assertWritable } from './writable.ts';

/** @throws {ConfigError} where a file is not one of ours. */
async function assertOwnTable(path: string): Promise<void> {
  if (!(await files.exists(path))) return;
  const { byteLength, slice } = await files.slices(path);
  const beginning = new TextEncoder().encode(CSV_BEGINNING);
  const found = await slice(0, Math.min(byteLength, beginning.length));
  if (Buffer.compare(new Uint8Array(found), beginning) === 0) return;
  throw new ConfigError({
    where: path,
    message: "there is a file here already that is no table of engram's.",
    fix: 'Choose another folder: nothing is written over it.',
  });
}

/** Beside the run, or in the sweep; beside the first of several. */
function folderOf([first = '.', ...others]: readonly string[]): string {
  return joinPath(others.length === 0 ? first : dirname(first.replace(/\/+$/, '')), CSV);
}

/**
 * Tables of all runs together.
 * @param given the folders that they were named by.
 * @throws {ConfigError | DataError} before anything is written, where a run has nothing yet, or a file is in the way.
 */
export async function exportTables(
  runs: readonly ReadRun[],
  given: readonly string[],
  to: string | true,
): Promise<void> {
  const records = runs.map(({ record }) => record);
  const tables = csvTables(records);
  if (tables.size === 0) {
    throw new DataError({
      where: given.join(', '),
      message: 'no epoch is finished yet: there is nothing to make tables of.',
      fix: 'Wait for the first one.',
    });
  }
  const folder = to === true ? folderOf(given) : to;
  await assertWritable(folder);
  for (const name of tables.keys()) await assertOwnTable(joinPath(folder, name));
  for (const [name, text] of tables) {
    const path = joinPath(folder, name);
    await files.write(path, text);
    console.log(`table     ${printable(path)}: ${counted(text.trimEnd().split('\n').length - 1, 'line')}`);
  }
}
