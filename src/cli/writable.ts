/** Whether results can be put where they are asked for: said before the work, not after it. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { DataError } from '../errors.ts';

/** @throws {DataError} unless files can be made in this folder, or the folder itself where it is not there yet. */
export async function assertWritable(folder: string): Promise<void> {
  const refused = (message: string) =>
    new DataError({ where: folder, message: `nothing can be written here: ${message}.`, fix: 'Choose another place.' });
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
