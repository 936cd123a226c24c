/** The folder of a compression: what it is, a line a student, the best one's weights, and a page. One process at a time works in it. */
import { rm, rmdir } from 'node:fs/promises';
import * as v from 'valibot';
import { files } from '#files';
import { joinPath } from '../../data/files.ts';
import { ConfigError } from '../../errors.ts';
import { type StudentResult, studentResultSchema } from '../../report/compression-results.ts';
import { ResultsFile } from '../../sweep/results.ts';
import { isOwnFolder } from '../own-folder.ts';
import { RunLock } from '../run-lock.ts';
import { assertWritable } from '../writable.ts';
import type { About } from './plan.ts';
import { aboutSchema, assertJoins, joined } from './same-comparison.ts';

const ABOUT = 'distillation.json';
const RESULTS = 'results.jsonl';
const TRIALS = 'trials.jsonl';
export const STUDENT = 'student.safetensors';
export const PAGE = 'report.html';

/**
 * Whether this folder may be written to, before any work.
 * @throws {ConfigError} when there is something else in it.
 * @throws {DataError} when nothing can be made there.
 */
export async function assertUsable(path: string): Promise<void> {
  await isOwnFolder(path, ABOUT, 'compression');
  await assertWritable(path);
}

export class DistillFolder {
  private constructor(
    readonly path: string,
    readonly results: ResultsFile<StudentResult>,
    /** Of students that weights are chosen by. */
    readonly trials: ResultsFile<StudentResult>,
    private readonly lock: RunLock,
    private readonly isNew: boolean,
    /** What is asked for, beside what was before. */
    readonly about: About,
  ) {}

  /**
   * @param about what is asked for: written down, beside what the folder has of the same comparison.
   * @throws as {@link assertUsable}, when another process is at work there, and for students that were trained otherwise.
   */
  static async take(path: string, about: About): Promise<DistillFolder> {
    await assertUsable(path);
    const whole = await joinedAbout(path, about);
    const isNew = !(await files.exists(path));
    await files.makeDir(path);
    const lock = await RunLock.take(path);
    try {
      const results = await ResultsFile.openAs(joinPath(path, RESULTS), studentResultSchema);
      const trials = await ResultsFile.openAs(joinPath(path, TRIALS), studentResultSchema);
      await files.write(joinPath(path, ABOUT), `${JSON.stringify(whole, null, 2)}\n`);
      return new DistillFolder(path, results, trials, lock, isNew, whole);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  async saveStudent(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await files.write(joinPath(this.path, STUDENT), bytes);
  }

  hasStudent(): Promise<boolean> {
    return files.exists(joinPath(this.path, STUDENT));
  }

  async savePage(text: string): Promise<void> {
    await files.write(joinPath(this.path, PAGE), text);
  }

  /** Gives the folder back; one that nothing came of is taken away where it was made for this. */
  async close(): Promise<void> {
    const isVain = this.isNew && this.results.all.length + this.trials.all.length === 0;
    if (isVain) await rm(joinPath(this.path, ABOUT), { force: true });
    this.lock.release();
    if (isVain) await rmdir(this.path).catch(() => undefined);
  }
}

/**
 * What a folder is to say of itself: what it said, and what is asked for beside it.
 * @throws {ConfigError} for students that were trained otherwise.
 */
async function joinedAbout(path: string, about: About): Promise<About> {
  const where = joinPath(path, ABOUT);
  if (!(await files.exists(where))) return about;
  const found = v.safeParse(v.pipe(v.string(), v.parseJson(), aboutSchema), await files.readText(where));
  const fix = 'Choose another --out.';
  if (!found.success) throw new ConfigError({ where, message: 'this does not say what was compressed here.', fix });
  assertJoins(path, found.output, about);
  return joined(found.output, about);
}
