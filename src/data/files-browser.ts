/**
 * Files in the browser: the origin private file system, which outlives the page and needs no permission; and URLs
 * (`https:`, `http:`, `blob:`), which can be read only.
 */
import { DataError } from '../errors.ts';
import { fetchBytes, isPage, isUrl } from './fetch-bytes.ts';
import { type FileStore, type FileTree, joinPath, type ReadBundled, slicesOf, type WriteOptions } from './files.ts';

const failed = (path: string, task: string, cause: unknown, fix: string) => {
  const reason = (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, '');
  return new DataError({ where: path, message: `cannot ${task}: ${reason}.`, fix, cause });
};

function partsOf(path: string): string[] {
  if (isUrl(path)) {
    throw new DataError({
      where: path,
      message: 'a URL can be read, but not written or listed.',
      fix: 'Give a path without a scheme: it lies in the browser’s private file system.',
    });
  }
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

async function folderAt(parts: string[], create: boolean): Promise<FileSystemDirectoryHandle> {
  let folder = await navigator.storage.getDirectory();
  for (const part of parts) folder = await folder.getDirectoryHandle(part, { create });
  return folder;
}

async function fileAt(path: string, create: boolean, makeFolder = create): Promise<FileSystemFileHandle> {
  const parts = partsOf(path);
  const folder = await folderAt(parts.slice(0, -1), makeFolder);
  return folder.getFileHandle(parts.at(-1) ?? '', { create });
}

/** A writable stream of the private file system writes to a copy and swaps it in on close: atomic by itself. */
async function put(
  path: string,
  content: Uint8Array | string,
  atEnd: boolean,
  { makeFolder = true }: WriteOptions = {},
): Promise<void> {
  try {
    const file = await fileAt(path, true, makeFolder);
    const stream = await file.createWritable({ keepExistingData: atEnd });
    if (atEnd) await stream.seek((await file.getFile()).size);
    await stream.write(typeof content === 'string' ? content : new Uint8Array(content));
    await stream.close();
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw failed(path, 'write this file', error, 'Check the free space, and that the page is served over https.');
  }
}

/** What is read when its bytes are asked for. @throws {DataError} when it is missing. */
async function storedFile(path: string): Promise<File> {
  try {
    return await (await fileAt(path, false)).getFile();
  } catch (error) {
    throw unread(path, error);
  }
}

const unread = (path: string, error: unknown) =>
  failed(path, 'read this file from the browser’s private file system', error, 'Check the path, or give a URL.');

export const files: FileStore = {
  async read(path) {
    if (isUrl(path)) return fetchBytes(path);
    const file = await storedFile(path);
    return file.arrayBuffer().then(
      (bytes) => new Uint8Array(bytes),
      (error: unknown) => {
        throw unread(path, error);
      },
    );
  },

  async slices(path) {
    // Servers need not answer for parts.
    if (isUrl(path)) return slicesOf(await fetchBytes(path));
    const file = await storedFile(path);
    return { byteLength: file.size, slice: (start, end) => file.slice(start, end).arrayBuffer() };
  },

  async readText(path) {
    return new TextDecoder().decode(await files.read(path));
  },

  write: (path, content, options) => put(path, content, false, options),
  append: (path, content, options) => put(path, content, true, options),

  async exists(path) {
    if (isUrl(path)) {
      return fetch(path, { method: 'HEAD' }).then(
        (response) => response.ok && !isPage(response),
        () => false,
      );
    }
    const parts = partsOf(path);
    const found = async (find: (folder: FileSystemDirectoryHandle, name: string) => Promise<unknown>) => {
      try {
        await find(await folderAt(parts.slice(0, -1), false), parts.at(-1) ?? '');
        return true;
      } catch {
        return false;
      }
    };
    if (parts.length === 0) return true;
    return (
      (await found((folder, name) => folder.getFileHandle(name))) ||
      found((folder, name) => folder.getDirectoryHandle(name))
    );
  },

  async makeDir(path) {
    try {
      await folderAt(partsOf(path), true);
    } catch (error) {
      if (error instanceof DataError) throw error;
      throw failed(path, 'make this folder', error, 'Check that no file of that name stands there.');
    }
  },

  async list(path) {
    const parts = partsOf(path);
    try {
      const names: string[] = [];
      for await (const name of (await folderAt(parts, false)).keys()) names.push(name);
      return names.sort();
    } catch (error) {
      throw failed(path, 'list this folder', error, 'Check the path.');
    }
  },

  async tree(path) {
    const parts = partsOf(path);
    try {
      return await treeBelow(await folderAt(parts, false));
    } catch (error) {
      throw failed(path, 'list what is below this folder', error, 'Check the path.');
    }
  },
};

/** This file system has no links. */
async function treeBelow(root: FileSystemDirectoryHandle): Promise<FileTree> {
  const [found, folders]: [string[], string[]] = [[], []];
  const waiting = [{ folder: root, path: '' }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    for await (const [name, handle] of next.folder.entries()) {
      if (name.startsWith('.')) continue;
      const path = joinPath(next.path, name);
      (handle.kind === 'file' ? found : folders).push(path);
      if (handle.kind === 'directory') waiting.push({ folder: handle as FileSystemDirectoryHandle, path });
    }
  }
  return { files: found.sort(), folders: folders.sort(), circles: [] };
}

/** Not within `new URL(…)`: bundlers would look for a file to copy. */
const BESIDE_PACKAGE = '../../../../engram-data';

/** By default `engram-data` is looked for beside this package, as where `node_modules` itself is served. */
export const readBundled: ReadBundled = (path, base) => {
  const folder = base ?? new URL(BESIDE_PACKAGE, import.meta.url).href;
  return fetchBytes(
    joinPath(folder, path),
    base === undefined
      ? "Install engram-data, `import { glyphs } from 'engram-data'` and pass that instead of the name; or say where its files are served: loadDataset(name, { bundledBase })."
      : '`bundledBase` must be the address under which the files of engram-data are served.',
  );
};
