/** Folders that belong to one thing, told by a file in them. */
import { readdir } from 'node:fs/promises';
import { files } from '#files';
import { joinPath } from '../data/files.ts';
import { ConfigError } from '../errors.ts';

/** What a process leaves that was killed when it had only begun. */
const isLeftover = (name: string): boolean => name.startsWith('lock') || name.endsWith('.tmp');

/**
 * Whether a folder is what it is asked to be, or nothing yet.
 * @param marker the file that tells. @param what it tells, with "no" before it.
 * @returns whether the marker is there.
 * @throws {ConfigError} when something else is in the folder.
 */
export async function isOwnFolder(path: string, marker: string, what: string): Promise<boolean> {
  if (!(await files.exists(path))) return false;
  if (await files.exists(joinPath(path, marker))) return true;
  const names = await readdir(path).catch(() => ['']);
  if (names.every(isLeftover)) return false;
  throw new ConfigError({
    where: path,
    message: `there is something here already that is no ${what}.`,
    fix: 'Choose another --out.',
  });
}
