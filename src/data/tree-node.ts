/** What lies below a folder in Node's file system. A loop and a list of what waits: folders may be as deep as they like. */
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type FileTree, joinPath } from './files.ts';

interface Folder {
  /** From the root. */
  readonly path: string;
  /** Without links in it. */
  readonly real: string;
  /** The folder that it was found in. */
  readonly above: Folder | undefined;
}

/** Whether a folder of this real path is the one given, or one on the way to it. */
function isOnTheWay(real: string, folder: Folder): boolean {
  for (let one: Folder | undefined = folder; one; one = one.above) if (one.real === real) return true;
  return false;
}

/** The folder that a link leads to, without links in its path; undefined for links to files and to nothing. */
async function linkedFolder(path: string): Promise<string | undefined> {
  const target = await stat(path).catch(() => undefined);
  return target?.isDirectory() ? realpath(path) : undefined;
}

/** @throws what Node throws for a folder that cannot be listed. */
export async function treeBelow(root: string): Promise<FileTree> {
  const [files, folders, circles]: [string[], string[], string[]] = [[], [], []];
  const waiting: Folder[] = [{ path: '', real: await realpath(root), above: undefined }];
  for (let folder = waiting.pop(); folder; folder = waiting.pop()) {
    for (const entry of await readdir(join(root, folder.path), { withFileTypes: true })) {
      if (entry.name.startsWith('.')) continue;
      const path = joinPath(folder.path, entry.name);
      const linked = entry.isSymbolicLink() ? await linkedFolder(join(root, path)) : undefined;
      if (!entry.isDirectory() && linked === undefined) files.push(path);
      else if (linked !== undefined && isOnTheWay(linked, folder)) circles.push(path);
      else {
        folders.push(path);
        waiting.push({ path, real: linked ?? join(folder.real, entry.name), above: folder });
      }
    }
  }
  return { files: files.sort(), folders: folders.sort(), circles: circles.sort() };
}
