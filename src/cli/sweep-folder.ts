/** A sweep's folder: what it is, its results, and a folder a run. One process at a time works in it. */
import * as v from 'valibot';
import { files } from '#files';
import { joinPath } from '../data/files.ts';
import { ConfigError } from '../errors.ts';
import { ResultsFile } from '../sweep/results.ts';
import { isOwnFolder } from './own-folder.ts';
import { RunLock } from './run-lock.ts';
import { assertWritable, assertWritableFile } from './writable.ts';

/** By which a sweep's folder is known. */
export const SWEEP = 'sweep.json';
const RESULTS = 'results.jsonl';

const aboutSchema = v.object({ name: v.string() });

export class SweepFolder {
  private constructor(
    readonly path: string,
    readonly results: ResultsFile,
    private readonly lock: RunLock,
  ) {}

  /** Where its runs have their folders. */
  get runs(): string {
    return SweepFolder.runsOf(this.path);
  }

  static runsOf(path: string): string {
    return joinPath(path, 'runs');
  }

  /** Where its results go unless something else is said. */
  static resultsOf(path: string): string {
    return joinPath(path, RESULTS);
  }

  /**
   * Takes a folder, new or of the sweep of this name, and writes down the sweep as it is now: what it lists anew is run, and what
   * is done stays.
   * @param text the sweep's file. @param results where results go; a file in the folder by default.
   * @throws {ConfigError} when something else is there, or another process is at work.
   * @throws {DataError} where nothing can be written.
   */
  static async take(
    path: string,
    name: string,
    text: string,
    results = SweepFolder.resultsOf(path),
  ): Promise<SweepFolder> {
    await assertOwn(path, name);
    await assertWritable(path);
    await assertWritableFile(results);
    await files.makeDir(path);
    const lock = await RunLock.take(path);
    try {
      await files.write(joinPath(path, SWEEP), `${JSON.stringify({ ...JSON.parse(text), name }, null, 2)}\n`);
      return new SweepFolder(path, await ResultsFile.open(results), lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** What is done in a folder that may be in use; nothing where there is none. @throws {ConfigError} as {@link take}. */
  static async resultsIn(path: string, name: string, results = SweepFolder.resultsOf(path)): Promise<ResultsFile> {
    await assertOwn(path, name);
    return ResultsFile.read(results);
  }

  close(): void {
    this.lock.release();
  }
}

async function assertOwn(path: string, name: string): Promise<void> {
  if (!(await isOwnFolder(path, SWEEP, 'sweep'))) return;
  const found = v.safeParse(
    v.pipe(v.string(), v.parseJson(), aboutSchema),
    await files.readText(joinPath(path, SWEEP)),
  );
  if (found.success && found.output.name === name) return;
  throw new ConfigError({
    where: path,
    message: found.success
      ? `the sweep "${found.output.name}" is in this folder, and this one is "${name}".`
      : `what sweep is in this folder cannot be read from its ${SWEEP}.`,
    fix: found.success
      ? 'Choose another --out, or give the file the same "name" if it is the same sweep.'
      : 'Choose another --out, or put the file back.',
  });
}
