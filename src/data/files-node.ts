/** Files in Node: the file system. */
import { existsSync, type Stats } from 'node:fs';
import { access, appendFile, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DataError } from '../errors.ts';
import type { FileStore, ReadBundled } from './files.ts';
import { treeBelow } from './tree-node.ts';

const reason = (error: unknown): string => {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return 'no such file or folder';
  if (code === 'EISDIR') return 'this is a folder, a file was expected';
  if (code === 'EROFS') return 'the disk is read-only';
  if (code === 'ENOTDIR') return 'a part of this path is a file, a folder was expected';
  if (code === 'ELOOP') return 'links lead in a circle';
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  if (code === 'ENOSPC') return 'the disk is full';
  if (code === 'EDQUOT') return 'your share of the disk is used up';
  if (code === 'EFBIG') return 'files may not become so large here';
  return error instanceof Error ? error.message : String(error);
};

const kindOf = (found: Stats): string => {
  if (found.isFile()) return 'a file';
  if (found.isDirectory()) return 'a folder';
  if (found.isFIFO()) return 'a pipe';
  return found.isSocket() ? 'a socket' : 'a device';
};

/** What may help where a file could not be written. */
const writingFix = (error: unknown): string => {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOSPC' || code === 'EDQUOT' ? 'Make room there.' : 'Choose a folder you may write to.';
};

const failed = (path: string, task: string, cause: unknown, fix: string) =>
  new DataError({ where: path, message: `cannot ${task}: ${reason(cause)}.`, fix, cause });

/** Of a regular file. */
async function sizeOf(path: string): Promise<number> {
  // Asked before it is opened: a pipe waits for its writer, and a device may never end.
  const found = await stat(path);
  const what = kindOf(found);
  if (what !== 'a file') throw new Error(`this is ${what}, a file was expected`);
  return found.size;
}

const pathOf = (pathOrUrl: string): string => (pathOrUrl.startsWith('file:') ? fileURLToPath(pathOrUrl) : pathOrUrl);

async function readWhole(pathOrUrl: string, fix = 'Check the path.'): Promise<Uint8Array<ArrayBuffer>> {
  const path = pathOf(pathOrUrl);
  try {
    await sizeOf(path);
    const bytes = await readFile(path);
    return new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
  } catch (error) {
    throw failed(path, 'read this file', error, fix);
  }
}

/** Opened for each part: whoever reads parts need not close anything. */
async function readSlice(path: string, start: number, end: number): Promise<ArrayBuffer> {
  try {
    const file = await open(path);
    try {
      const bytes = new Uint8Array(Math.max(0, end - start));
      let at = 0;
      while (at < bytes.length) {
        const { bytesRead } = await file.read(bytes, at, bytes.length - at, start + at);
        if (bytesRead === 0) throw new Error(`it ends after ${start + at} bytes`);
        at += bytesRead;
      }
      return bytes.buffer;
    } finally {
      await file.close();
    }
  } catch (error) {
    throw failed(path, `read bytes ${start} to ${end} of this file`, error, 'Check the file.');
  }
}

let written = 0;

export const files: FileStore = {
  read: (path) => readWhole(path),

  async slices(pathOrUrl) {
    const path = pathOf(pathOrUrl);
    const byteLength = await sizeOf(path).catch((error: unknown) => {
      throw failed(path, 'read this file', error, 'Check the path.');
    });
    return { byteLength, slice: (start, end = byteLength) => readSlice(path, start, end) };
  },

  async readText(path) {
    return new TextDecoder().decode(await files.read(path));
  },

  async write(path, content, { makeFolder = true } = {}) {
    // Beside the target, so that the rename stays within one file system; the name is this process's own.
    const beside = `${path}.${process.pid}-${written++}.tmp`;
    try {
      if (makeFolder) await mkdir(dirname(path), { recursive: true });
      const file = await open(beside, 'w');
      try {
        await file.writeFile(content);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(beside, path);
    } catch (error) {
      await rm(beside, { force: true }).catch(() => undefined);
      throw failed(path, 'write this file', error, writingFix(error));
    }
  },

  async append(path, content, { makeFolder = true } = {}) {
    try {
      if (makeFolder) await mkdir(dirname(path), { recursive: true });
      await appendFile(path, content);
    } catch (error) {
      throw failed(path, 'append to this file', error, writingFix(error));
    }
  },

  exists: (path) =>
    access(path).then(
      () => true,
      () => false,
    ),

  async makeDir(path) {
    try {
      await mkdir(path, { recursive: true });
    } catch (error) {
      throw failed(path, 'make this folder', error, 'Choose a place you may write to.');
    }
  },

  async list(path) {
    try {
      return (await readdir(path)).sort();
    } catch (error) {
      throw failed(path, 'list this folder', error, 'Check the path.');
    }
  },

  async tree(path) {
    try {
      return await treeBelow(path);
    } catch (error) {
      throw failed(path, 'list what is below this folder', error, 'Check the path, and that all of it may be read.');
    }
  },
};

const inClone = join('src', 'data', 'bundled');

/** The folder of `engram-data`: in the folders above this code in a clone, otherwise as Node finds packages. */
function bundledFolder(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    if (existsSync(join(folder, inClone, 'README.md'))) return join(folder, inClone);
    if (dirname(folder) === folder) break;
  }
  try {
    return dirname(createRequire(import.meta.url).resolve('engram-data/package.json'));
  } catch (cause) {
    throw new DataError({
      where: 'engram-data',
      message: 'the bundled data sets are a package of their own, which is not installed.',
      fix: 'Run `npm install engram-data`, or pass the folder of its files as `bundledBase`.',
      cause,
    });
  }
}

export const readBundled: ReadBundled = (path, base) =>
  base === undefined
    ? readWhole(join(bundledFolder(), path))
    : readWhole(
        join(base, path),
        '`bundledBase` must be a folder like that of engram-data, with glyphs and fashion-mnist-mini in it.',
      );
