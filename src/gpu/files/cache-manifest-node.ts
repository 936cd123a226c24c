/** Which files belong to a folder of the cache, and how long they are: how a complete folder is known from a damaged one. */
import { chmod, lstat, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import * as v from 'valibot';
import { assertPrivate } from './private-node.ts';

const NAME = 'manifest.json';
const manifestSchema = v.pipe(v.string(), v.parseJson(), v.record(v.string(), v.number()));

/** Paths of all that lies below a folder. */
async function below(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).map((path) => join(folder, path));
}

/** Bytes by path, of all files below a folder. */
async function sizes(folder: string, paths: readonly string[]): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const path of paths) {
    const about = await stat(path);
    if (about.isFile()) found.set(relative(folder, path), about.size);
  }
  return found;
}

/** Takes the right to write away from others, and writes down what the folder holds. */
export async function seal(folder: string): Promise<void> {
  const paths = await below(folder);
  for (const path of paths) {
    const about = await lstat(path);
    if (!about.isSymbolicLink()) await chmod(path, about.mode & ~0o022);
  }
  const manifest = Object.fromEntries(await sizes(folder, paths));
  await writeFile(join(folder, NAME), JSON.stringify(manifest), { mode: 0o600 });
}

/**
 * Whether a folder holds all that was sealed in it.
 * @throws {ConfigError} when it, or something in it, is somebody else's.
 */
export async function isWhole(folder: string): Promise<boolean> {
  try {
    await assertPrivate(folder);
    const paths = await below(folder);
    for (const path of paths) await assertPrivate(path);
    const manifest = v.safeParse(manifestSchema, await readFile(join(folder, NAME), 'utf8'));
    if (!manifest.success) return false;
    const found = await sizes(folder, paths);
    return Object.entries(manifest.output).every(([path, size]) => found.get(path) === size);
  } catch (error) {
    if (MISSING.has((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

/** What `stat` and its like say of something that is not there, or not of the kind it was. */
const MISSING = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP']);
