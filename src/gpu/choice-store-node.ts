/** The tuner's choices in Node: a JSON file an adapter in the user's cache folder. */
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { cacheFolder } from './cache-node.ts';
import type { ChoiceStore } from './tuned-choices.ts';

/** A lock is held for some milliseconds: one that is older was left behind by a process that died. */
const STALE_MS = 10_000;
const RETRY_MS = 10;

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

const isStale = async (path: string): Promise<boolean> => {
  const made = await stat(path).catch(() => null);
  return made !== null && Date.now() - made.mtimeMs > STALE_MS;
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

/** Runs `change` while no other process runs its own for the same file. */
async function locked(path: string, change: () => Promise<void>): Promise<void> {
  const lock = `${path}.lock`;
  while (!(await claim(lock))) {
    if (await isStale(lock)) await breakStale(lock);
    await pause(RETRY_MS);
  }
  try {
    await change();
  } finally {
    await rm(lock, { force: true });
  }
}

export const choiceStore: ChoiceStore = {
  async read(adapter) {
    try {
      return JSON.parse(await readFile(pathOf(adapter), 'utf8'));
    } catch {
      return undefined;
    }
  },

  async update(adapter, change) {
    const path = pathOf(adapter);
    await mkdir(join(cacheFolder(), 'tuned'), { recursive: true });
    await locked(path, async () => {
      // Beside it and then renamed: whoever reads sees the old file or the new one.
      const beside = `${path}.${process.pid}.tmp`;
      await writeFile(beside, `${JSON.stringify(change(await choiceStore.read(adapter)), null, 1)}\n`);
      await rename(beside, path);
    });
  },
};
