/** The user's cache folder, and things made in it once. Node only. */

import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import envPaths from 'env-paths';

/** `ENGRAM_CACHE`, else `engram` in the system's own cache folder (`~/.cache/engram` on Linux). */
export function cacheFolder(): string {
  return process.env.ENGRAM_CACHE || envPaths('engram', { suffix: '' }).cache;
}

/**
 * The cache's folder `name`, filled by `fill` the first time. It is filled under another name and then renamed, so that
 * it is never seen half full, whether `fill` fails or several processes start at once.
 */
export async function cachedFolder(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(cacheFolder(), name);
  if (existsSync(folder)) return folder;
  await mkdir(cacheFolder(), { recursive: true });
  const draft = await mkdtemp(`${folder}.`);
  try {
    await fill(draft);
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Another process was first: its folder is as good as ours.
    if (!existsSync(folder)) throw error;
  }
  return folder;
}
