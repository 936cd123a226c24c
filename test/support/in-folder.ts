/** Folders that exist for the length of a test. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for one test, gone afterwards. */
export async function inFolder(story: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'engram-test-'));
  try {
    await story(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
