/** The folder of a compression: what it is, a line a student, the best one's weights, and a page. One process at a time works in it. */
import { readdir, rm, rmdir } from 'node:fs/promises';
import { files } from '#files';
import { joinPath } from '../../data/files.ts';
import { ConfigError } from '../../errors.ts';
import { type StudentResult, studentResultSchema } from '../../sweep/compression-results.ts';
import { ResultsFile } from '../../sweep/results.ts';
import { RunLock } from '../run-lock.ts';
import { assertWritable } from '../writable.ts';

const ABOUT = 'distillation.json';
const RESULTS = 'results.jsonl';
export const STUDENT = 'student.safetensors';
export const PAGE = 'report.html';

const isLeftover = (name: string): boolean => name.startsWith('lock') || name.endsWith('.tmp');

/**
 * Whether this folder may be written to, before any work.
 * @throws {ConfigError} when there is something else in it.
 * @throws {DataError} when nothing can be made there.
 */
export async function assertUsable(path: string): Promise<void> {
  if (await files.exists(path)) {
    const names = await readdir(path).catch(() => ['']);
    if (!names.includes(ABOUT) && !names.every(isLeftover)) {
      throw new ConfigError({
        where: path,
        message: 'there is something here already that is no compression.',
        fix: 'Choose another --out.',
      });
    }
  }
  await assertWritable(path);
}

export class DistillFolder {
  private constructor(
    readonly path: string,
    readonly results: ResultsFile<StudentResult>,
    private readonly lock: RunLock,
    private readonly isNew: boolean,
  ) {}

  /** @throws as {@link assertUsable}, and when another process is at work there. */
  static async take(path: string): Promise<DistillFolder> {
    await assertUsable(path);
    const isNew = !(await files.exists(path));
    await files.makeDir(path);
    const lock = await RunLock.take(path);
    try {
      return new DistillFolder(
        path,
        await ResultsFile.openAs(joinPath(path, RESULTS), studentResultSchema),
        lock,
        isNew,
      );
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Writes down what was asked for last. */
  async describe(about: Readonly<Record<string, unknown>>): Promise<void> {
    await files.write(joinPath(this.path, ABOUT), `${JSON.stringify(about, null, 2)}\n`);
  }

  async saveStudent(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await files.write(joinPath(this.path, STUDENT), bytes);
  }

  get hasStudent(): Promise<boolean> {
    return files.exists(joinPath(this.path, STUDENT));
  }

  async savePage(text: string): Promise<void> {
    await files.write(joinPath(this.path, PAGE), text);
  }

  /** Gives the folder back; one that nothing came of is taken away where it was made for this. */
  async close(): Promise<void> {
    const isVain = this.isNew && this.results.all.length === 0;
    if (isVain) await rm(joinPath(this.path, ABOUT), { force: true });
    this.lock.release();
    if (isVain) await rmdir(this.path).catch(() => undefined);
  }
}
