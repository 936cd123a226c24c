/** The tuner's choices in Node: a JSON file an adapter in the user's cache folder. */
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { cacheFolder, openCache } from '../files/cache-node.ts';
import { assertPrivate } from '../files/private-node.ts';
import type { TuningCache } from './tuning-cache.ts';

/** A lock is held for some milliseconds: one that is older was left behind by a process that died. */
const STALE_MS = 10_000;
const RETRY_MS = 10;
/** Choices are worth no longer wait. */
const PATIENCE_MS = 30_000;

const pathOf = (adapter: string): string =>
  join(
    cacheFolder(),
    'tuned',
    `${adapter
      .toLowerCase()
      .match(/[a-z0-9]+/g)
      ?.join('-')}.json`,
  );

/** Makes an empty file; false when there is one already. */
async function claim(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx')).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Made long ago, or by a clock that is wrong: as far in the future. */
const isStale = async (path: string): Promise<boolean> => {
  const made = await stat(path).catch(() => null);
  return made !== null && Math.abs(Date.now() - made.mtimeMs) > STALE_MS;
};

/**
 * Removes a lock that was left behind. One process does it at a time and looks again before: otherwise the one that comes
 * second would remove the lock that the first has made anew.
 */
async function breakStale(lock: string): Promise<void> {
  const breaking = `${lock}.breaking`;
  if (await isStale(breaking)) await rm(breaking, { force: true });
  if (!(await claim(breaking))) return;
  try {
    if (await isStale(lock)) await rm(lock, { force: true });
  } finally {
    await rm(breaking, { force: true });
  }
}

/**
 * Runs `change` while no other process runs its own for the same file.
 * @throws {Error} when the lock does not become free.
 */
async function locked(path: string, change: () => Promise<void>): Promise<void> {
  const lock = `${path}.lock`;
  const began = performance.now();
  while (!(await claim(lock))) {
    if (performance.now() - began > PATIENCE_MS) {
      throw new Error(`${lock} was not free for ${PATIENCE_MS / 1000} s; delete it if nothing else runs`);
    }
    if (await isStale(lock)) await breakStale(lock);
    await pause(RETRY_MS);
  }
  try {
    await change();
  } finally {
    await rm(lock, { force: true });
  }
}

export const tuningCache: TuningCache = {
  async read(adapter) {
    try {
      await assertPrivate(cacheFolder(), { shared: true });
      return JSON.parse(await readFile(pathOf(adapter), 'utf8'));
    } catch {
      return undefined;
    }
  },

  async update(adapter, change) {
    const path = pathOf(adapter);
    const folder = join(await openCache(), 'tuned');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await assertPrivate(folder);
    await locked(path, async () => {
      // Beside it and then renamed: whoever reads sees the old file or the new one.
      const beside = `${path}.${process.pid}.tmp`;
      await writeFile(beside, `${JSON.stringify(change(await tuningCache.read(adapter)), null, 1)}\n`);
      await rename(beside, path);
    });
  },
};
