/**
 * A run's folder. The run is `checkpoint.safetensors`, its state after the last finished task, and `progress.safetensors`, that
 * of the task under way; `config.json`, `metrics.jsonl`, `run.json` and `report.html` are made from them again when a run is
 * gone on with. `stage-N.safetensors`, the model after each task, are kept where they are asked for. What is replaced is written beside and renamed, so that a run may be killed at any moment, and one process at
 * a time works in a folder.
 */
import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { files } from '#files';
import type { AnalysisRecord } from '../analysis/run/analysis-record.ts';
import type { Benchmark, SavedRun } from '../continual/benchmark/benchmark.ts';
import type { MetricsLine } from '../continual/benchmark/benchmark-state.ts';
import { type Config, parseConfig } from '../continual/benchmark/config.ts';
import {
  CHECKPOINT,
  CONFIG,
  configText,
  METRICS,
  metricsText,
  RECORD,
  recordText,
} from '../continual/benchmark/run-files.ts';
import { parseRunRecord, type RunRecord } from '../continual/benchmark/run-record.ts';
import type { AnyMethod } from '../continual/method.ts';
import { joinPath } from '../data/files.ts';
import { ConfigError, DataError } from '../errors.ts';
import { type FoundRun, findRun, metricsNotice } from './found-run.ts';
import { ANALYSIS, EVENTS, isHalfWritten, isLeftover, PROGRESS, REPORT, stageFile, stageOf } from './run-files.ts';
import { assertNotRunning, RunLock } from './run-lock.ts';
import { assertWritable } from './writable.ts';

const occupied = (path: string) =>
  new ConfigError({
    where: path,
    message: 'there is something here already, and a run never writes over another.',
    fix: 'Go on with it by --resume, choose another --out, or delete it first.',
  });

/** What is in a folder; nothing if it is missing. */
async function contents(path: string): Promise<string[]> {
  if (!(await files.exists(path))) return [];
  return readdir(path).catch(() => {
    throw occupied(path);
  });
}

/** The first of `path`, `path-2`, `path-3`, … that is not there. */
export async function unusedName(path: string): Promise<string> {
  for (let n = 2, name = path; ; name = `${path}-${n++}`) if (!(await files.exists(name))) return name;
}

/**
 * @throws {ConfigError} when there is anything at this path but an empty folder, or what a run left that was killed before it
 * wrote down what it is.
 * @throws {DataError} when nothing can be made there.
 */
export async function assertUnused(path: string): Promise<void> {
  const names = await contents(path);
  await assertNotRunning(path);
  if (!names.every(isLeftover)) throw occupied(path);
  await assertWritable(path);
}

/** What a run would go on from. */
export interface Saved {
  readonly tasks: number;
  /** Of the task after them. */
  readonly epochs: number;
}

export class RunFolder {
  /** As it lies in the folder. */
  saved: Saved = { tasks: 0, epochs: 0 };
  private writing: Promise<void> = Promise.resolve();

  private constructor(
    readonly path: string,
    /** Complete. */
    readonly config: Config,
    private readonly lock: RunLock,
    /** What this process made, to be taken away again if nothing comes of it: the run's files, the folder too, or none. */
    private readonly made: 'files' | 'folder' | 'nothing',
    private readonly found: FoundRun | null,
  ) {}

  get name(): string {
    return basename(this.path);
  }

  /**
   * Makes the folder and writes the configuration.
   * @param own the method, where it is not a built-in one.
   * @throws {ConfigError} when there is anything already, or another process is at work there.
   */
  static async create(path: string, complete: Config, own?: AnyMethod): Promise<RunFolder> {
    const config = parseConfig(complete, path, own);
    await assertUnused(path);
    await files.makeDir(dirname(path));
    const made = await mkdir(path).then(
      () => 'folder' as const,
      () => 'files' as const,
    );
    const lock = await RunLock.take(path);
    const folder = new RunFolder(path, config, lock, made, null);
    try {
      // Another one may have begun, and ended, since that was looked at.
      if (!(await contents(path)).every(isLeftover)) throw occupied(path);
      await folder.clear();
      await folder.saveConfig(config);
    } catch (error) {
      lock.release();
      throw error;
    }
    return folder;
  }

  /**
   * The folder of a run that was begun before; nothing in it is changed before {@link mend}.
   * @param own its method, where it is not a built-in one.
   * @throws {ConfigError} when there is none, another process is at work there, or its configuration is damaged.
   * @throws {CheckpointError} when the state that it would go on from is damaged or missing.
   */
  static async open(path: string, own?: AnyMethod): Promise<RunFolder> {
    // Where nothing is, nothing can be locked, and it says so.
    if ((await readdir(path).catch(() => [])).length === 0) await findRun(path, own);
    const lock = await RunLock.take(path);
    try {
      const found = await findRun(path, own);
      return new RunFolder(path, found.config, lock, 'nothing', found);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** What the run goes on from. */
  get state(): SavedRun {
    return this.found?.saved ?? {};
  }

  /**
   * Brings everything into the state that the run goes on from, and takes away what killed processes left.
   * @param run its configuration, which may lie elsewhere now, and the metrics of that state.
   * @returns what was not as it should be.
   */
  async mend({ config, lines }: Pick<Benchmark, 'config' | 'lines'>): Promise<string[]> {
    const { found } = this;
    if (!found) return [];
    await this.clear();
    if (!found.saved.progress) await rm(this.file(PROGRESS), { force: true });
    // Those after it are learnt again.
    const later = (await this.stages()).filter((task) => task > this.saved.tasks);
    await Promise.all(later.map((task) => rm(this.file(stageFile(task)), { force: true })));
    await this.saveConfig(config);
    const before = await this.read(METRICS);
    const after = metricsText(lines);
    if (before !== after) await this.put(METRICS, after);
    const notice = metricsNotice(before, after);
    return notice === null ? [...found.notices] : [...found.notices, notice];
  }

  addMetrics(line: MetricsLine): Promise<void> {
    return this.whole(async () => {
      await this.written();
      await files.append(this.file(METRICS), metricsText([line]), { makeFolder: false });
    });
  }

  /**
   * Begins to save the state of the task under way, once the one before it is saved: the device need not wait for the disk.
   * {@link written} tells when it is.
   * @throws what the one before failed with.
   */
  async saveProgress(bytes: Uint8Array, saved: Saved): Promise<void> {
    await this.written();
    this.writing = this.put(PROGRESS, bytes).then(() => {
      this.saved = saved;
    });
    // Thrown where it is waited for.
    this.writing.catch(() => {});
  }

  /** Waits until what was begun is in the folder. @throws {DataError} when it could not be written. */
  async written(): Promise<void> {
    await this.writing;
  }

  /** The state after a task, for which that within it is of no use any more. */
  async saveCheckpoint(bytes: Uint8Array, tasks: number): Promise<void> {
    await this.written();
    await this.put(CHECKPOINT, bytes);
    this.saved = { tasks, epochs: 0 };
    await rm(this.file(PROGRESS), { force: true });
  }

  /** Tasks after which the model is kept, ascending. */
  async stages(): Promise<number[]> {
    const tasks = (await contents(this.path)).map(stageOf).filter((task) => task !== null);
    return tasks.sort((a, b) => a - b);
  }

  /**
   * The model after a task, beside the state: it is written after the checkpoint of the same task, which it can be made from
   * again for as long as no other one took its place.
   */
  saveStage(bytes: Uint8Array, task: number): Promise<void> {
    return this.put(stageFile(task), bytes);
  }

  /** Where the model after a task is kept. */
  stagePath(task: number): string {
    return this.file(stageFile(task));
  }

  /** What was measured of the run; `null` where nothing was. */
  analysis(): Promise<string | null> {
    return this.read(ANALYSIS);
  }

  saveAnalysis(record: AnalysisRecord): Promise<void> {
    return this.put(ANALYSIS, `${JSON.stringify(record)}\n`);
  }

  saveRecord(record: RunRecord): Promise<void> {
    return this.replace(RECORD, recordText(record));
  }

  savePage(page: string): Promise<void> {
    return this.put(REPORT, page);
  }

  /** Lets other processes work in the folder. */
  async close(): Promise<void> {
    await this.writing.catch(() => undefined);
    this.lock.release();
  }

  /** Whether there is something to go on from. */
  get hasState(): boolean {
    return this.saved.tasks + this.saved.epochs > 0;
  }

  /** Takes away what {@link create} and this run's first task left, so that nothing is in the way of another try. */
  async discard(): Promise<void> {
    if (this.made === 'nothing' || !(await this.lock.isHeld())) return;
    // The configuration last: without it the others would be in the way.
    await rm(this.eventFolder, { recursive: true, force: true });
    for (const name of [PROGRESS, METRICS, CONFIG]) await rm(this.file(name), { force: true });
    await this.close();
    if (this.made === 'folder') await rmdir(this.path).catch(() => undefined);
  }

  /** Where TensorBoard's events are. */
  get eventFolder(): string {
    return this.file(EVENTS);
  }

  private file(name: string): string {
    return joinPath(this.path, name);
  }

  private saveConfig(config: Config): Promise<void> {
    return this.replace(CONFIG, configText(config));
  }

  /** What killed processes were writing. */
  private async clear(): Promise<void> {
    const names = (await contents(this.path)).filter(isHalfWritten);
    await Promise.all(names.map((name) => rm(this.file(name), { recursive: true, force: true })));
  }

  private async read(name: string): Promise<string | null> {
    return (await files.exists(this.file(name))) ? files.readText(this.file(name)) : null;
  }

  /** Leaves a file alone that holds this already. */
  private async replace(name: string, content: string): Promise<void> {
    if ((await this.read(name)) !== content) await this.put(name, content);
  }

  private put(name: string, content: Uint8Array | string): Promise<void> {
    return this.whole(() => files.write(this.file(name), content, { makeFolder: false }));
  }

  /** Writes where the folder is still this run's: it may be removed while the run learns, and be another run's since. */
  private async whole(write: () => Promise<void>): Promise<void> {
    await this.assertThere();
    try {
      await write();
    } catch (error) {
      await this.assertThere();
      throw error;
    }
  }

  private async assertThere(): Promise<void> {
    if (await this.lock.isHeld()) return;
    this.saved = { tasks: 0, epochs: 0 };
    const isGone = !(await files.exists(this.path));
    throw new DataError({
      where: this.path,
      message: isGone
        ? 'this folder was removed while its run was learning.'
        : 'what was in this folder was removed or replaced while its run was learning.',
      fix: isGone
        ? 'Nothing is left of the run: start it again.'
        : 'Look at what is there: the run goes on by --resume if its files are.',
    });
  }
}

/**
 * A run's record; nothing before its first task is done.
 * @throws {DataError} when it is damaged.
 */
export async function readRecord(path: string): Promise<RunRecord | null> {
  const file = joinPath(path, RECORD);
  return (await files.exists(file)) ? parseRunRecord(await files.readText(file), file) : null;
}
