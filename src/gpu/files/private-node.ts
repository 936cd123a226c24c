/** Whether files are the user's own. Node only. */
import type { Stats } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';
import { ConfigError } from '../../errors.ts';

const WRITABLE_BY_OTHERS = 0o022;
/** In such a folder anybody may make files, but not take away another's: /tmp. */
const STICKY = 0o1000;

/**
 * Throws unless a file or folder, and the link to it if it is one, is the user's or root's and nobody else may write to
 * it. On Windows, where a user's folders are private by themselves, nothing is checked.
 * @param shared others may make files of their own beside the user's, as in /tmp.
 * @throws {ConfigError} that says how to fix it.
 * @throws what `stat` throws.
 */
export async function assertPrivate(path: string, { shared = false } = {}): Promise<void> {
  const user = process.getuid?.();
  if (user === undefined) return;
  const link = await lstat(path);
  const target = link.isSymbolicLink() ? await stat(path) : link;
  const stranger = [link, target].find(({ uid }: Stats) => uid !== user && uid !== 0);
  if (stranger) {
    throw new ConfigError({
      where: path,
      message: `this belongs to user ${stranger.uid}, who could put anything there; it is not used.`,
      fix: 'Delete it, or name a folder of your own in ENGRAM_CACHE.',
    });
  }
  const open = (target.mode & WRITABLE_BY_OTHERS) !== 0;
  if (open && !(shared && (target.mode & STICKY) !== 0)) {
    throw new ConfigError({
      where: path,
      message: 'other users may write here, and could put anything there; it is not used.',
      fix: `Take that away (chmod -R go-w '${path}'), or name a folder of your own in ENGRAM_CACHE.`,
    });
  }
}
