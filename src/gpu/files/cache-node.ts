/**
 * The user's cache folder, and things made in it once. Node only. Libraries are loaded from it, so nobody else may write
 * there.
 */

import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import envPaths from 'env-paths';
import { isWhole, seal } from './cache-manifest-node.ts';
import { assertPrivate } from './private-node.ts';

/**
 * `ENGRAM_CACHE`, else `engram` in the system's own cache folder (`~/.cache/engram` on Linux). Where the environment names
 * no home, the user's own one; without that a folder among the temporary ones.
 */
export function cacheFolder(): string {
  if (process.env.ENGRAM_CACHE) return process.env.ENGRAM_CACHE;
  const { cache } = envPaths('engram', { suffix: '' });
  // An empty HOME would make it a folder of whatever directory the process was started in.
  if (isAbsolute(cache)) return cache;
  const home = homeOfUser();
  return isAbsolute(home)
    ? join(home, '.cache', 'engram')
    : resolve(tmpdir(), `engram-${process.getuid?.() ?? 'cache'}`);
}

/** As the system has it; empty for a user it does not know. */
function homeOfUser(): string {
  try {
    return userInfo().homedir;
  } catch {
    return '';
  }
}

/**
 * The cache folder, made if needed.
 * @throws {ConfigError} when somebody else may write to it.
 */
export async function openCache(): Promise<string> {
  const folder = cacheFolder();
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await assertPrivate(folder, { shared: true });
  return folder;
}

/**
 * The cache's folder `name`, filled by `fill` the first time, and again where something of it is missing. It is filled
 * under another name and then renamed, so that it is never seen half full, whether `fill` fails or several processes
 * start at once.
 * @throws {ConfigError} when it is somebody else's.
 */
export async function cachedFolder(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(await openCache(), name);
  if (await isWhole(folder)) return folder;
  const draft = await mkdtemp(`${folder}.`);
  try {
    await fill(draft);
    await seal(draft);
    await putInPlace(draft, folder);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return folder;
}

async function putInPlace(draft: string, folder: string): Promise<void> {
  try {
    await rename(draft, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
    // Another process was first: its folder is as good as ours.
    if (await isWhole(folder)) return;
    const aside = await mkdtemp(`${folder}.`);
    try {
      await rename(folder, join(aside, 'incomplete'));
      await rename(draft, folder);
    } finally {
      await rm(aside, { recursive: true, force: true });
    }
  }
}
