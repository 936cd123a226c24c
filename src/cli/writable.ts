/** Whether results can be put where they are asked for: said before the work, not after it. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { DataError } from '../errors.ts';

const refusal = (where: string, message: string): DataError =>
  new DataError({ where, message: `nothing can be written here: ${message}.`, fix: 'Choose another place.' });

/** @throws {DataError} unless a file can be put here, anew or in place of one. */
export async function assertWritableFile(path: string): Promise<void> {
  await assertWritable(dirname(path));
  const found = await stat(path).catch(() => null);
  if (found?.isDirectory() || path.endsWith('/')) throw refusal(path, 'this is a folder, a file was expected');
}

/** @throws {DataError} unless files can be made in this folder, or the folder itself where it is not there yet. */
export async function assertWritable(folder: string): Promise<void> {
  const refused = (message: string) => refusal(folder, message);
  for (let path = resolve(folder); ; path = dirname(path)) {
    const found = await stat(path).catch((error: NodeJS.ErrnoException) => error);
    if (found instanceof Error) {
      const absent = found.code === 'ENOENT' || found.code === 'ENOTDIR';
      if (!absent || dirname(path) === path) throw refused(found.message);
      continue;
    }
    if (!found.isDirectory()) throw refused(`${path} is not a folder`);
    await access(path, constants.W_OK | constants.X_OK).catch((error: NodeJS.ErrnoException) => {
      throw refused(error.code === 'EROFS' ? `${path} is read-only` : `you may not write to ${path}`);
    });
    return;
  }
}
