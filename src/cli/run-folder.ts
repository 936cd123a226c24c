/**
 * A run's folder. The run is `checkpoint.safetensors`, its state after the last finished task, and `progress.safetensors`, that
 * of the task under way; `config.json`, `metrics.jsonl`, `run.json` and `report.html` are made from them again when a run is
 * gone on with. What is replaced is written beside and renamed, so that a run may be killed at any moment.
 */
import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { files } from '#files';
import type { SavedRun } from '../continual/benchmark/benchmark.ts';
import type { MetricsLine } from '../continual/benchmark/benchmark-state.ts';
import { type Config, parseConfig } from '../continual/benchmark/config.ts';
import type { AnyMethod } from '../continual/method.ts';
import { joinPath } from '../data/files.ts';
import { ConfigError } from '../errors.ts';
import { parseRunRecord, type RunRecord } from '../report/run-record.ts';
import { assertWritable } from './writable.ts';

const CHECKPOINT = 'checkpoint.safetensors';
const PROGRESS = 'progress.safetensors';

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
 * @throws {ConfigError} when there is anything at this path but an empty folder.
 * @throws {DataError} when nothing can be made there.
 */
export async function assertUnused(path: string): Promise<void> {
  if ((await contents(path)).length > 0) throw occupied(path);
  await assertWritable(path);
}

export class RunFolder {
  /** Whether there is something to go on from. */
  hasState = false;

  private constructor(
    readonly path: string,
    /** Complete. */
    readonly config: Config,
    /** When the run began, ISO 8601. */
    readonly date: string,
    /** What this process made, to be taken away again if nothing comes of it: the run's files, the folder too, or none. */
    private readonly made: 'files' | 'folder' | 'nothing' = 'nothing',
  ) {}

  get name(): string {
    return basename(this.path);
  }

  /**
   * Makes the folder and writes the configuration.
   * @param own the method, where it is not a built-in one.
   * @throws {ConfigError} when there is anything already.
   */
  static async create(path: string, complete: Config, own?: AnyMethod): Promise<RunFolder> {
    const config = parseConfig(complete, path, own);
    await assertUnused(path);
    await files.makeDir(dirname(path));
    const made = await mkdir(path).then(
      () => 'folder' as const,
      () => 'files' as const,
    );
    const folder = new RunFolder(path, config, new Date().toISOString(), made);
    await folder.saveConfig(config);
    return folder;
  }

  /**
   * The folder of a run that was begun before.
   * @param own its method, where it is not a built-in one.
   * @throws {ConfigError} when there is none, or its configuration is damaged.
   */
  static async open(path: string, own?: AnyMethod): Promise<RunFolder> {
    const configFile = joinPath(path, 'config.json');
    if (!(await files.exists(configFile))) {
      throw new ConfigError({
        where: path,
        message: 'no run to resume here (no config.json).',
        fix: 'Check --out, or leave --resume out to start a run there.',
      });
    }
    const config = parseConfig(parseJson(await files.readText(configFile), configFile), configFile, own);
    const record = await readRecord(path);
    return new RunFolder(path, config, record?.date ?? new Date().toISOString());
  }

  saveConfig(config: Config): Promise<void> {
    return files.write(this.file('config.json'), `${JSON.stringify(config, null, 2)}\n`);
  }

  /** What the run goes on from. */
  async saved(): Promise<SavedRun> {
    const read = async (name: string) => {
      const where = this.file(name);
      return (await files.exists(where)) ? { bytes: await files.read(where), where } : null;
    };
    const saved = { checkpoint: await read(CHECKPOINT), progress: await read(PROGRESS) };
    this.hasState = saved.checkpoint !== null || saved.progress !== null;
    return saved;
  }

  /** Writes all lines anew: those that a killed run left beyond its state are not there any more, those it lost are. */
  writeMetrics(lines: readonly MetricsLine[]): Promise<void> {
    return files.write(this.file('metrics.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }

  addMetrics(line: MetricsLine): Promise<void> {
    return files.append(this.file('metrics.jsonl'), `${JSON.stringify(line)}\n`);
  }

  /** The state of the task under way. */
  async saveProgress(bytes: Uint8Array): Promise<void> {
    await files.write(this.file(PROGRESS), bytes);
    this.hasState = true;
  }

  /** The state after a task, for which that within it is of no use any more. */
  async saveCheckpoint(bytes: Uint8Array): Promise<void> {
    await files.write(this.file(CHECKPOINT), bytes);
    this.hasState = true;
    await rm(this.file(PROGRESS), { force: true });
  }

  saveRecord(record: RunRecord): Promise<void> {
    return files.write(this.file('run.json'), `${JSON.stringify(record)}\n`);
  }

  /** Takes away what {@link create} and this run's first task left, so that nothing is in the way of another try. */
  async discard(): Promise<void> {
    if (this.made === 'nothing') return;
    for (const name of ['config.json', 'metrics.jsonl']) await rm(this.file(name), { force: true });
    if (this.made === 'folder') await rmdir(this.path).catch(() => undefined);
  }

  file(name: string): string {
    return joinPath(this.path, name);
  }
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ConfigError({
      where,
      message: 'this is not JSON: it may be cut off.',
      fix: 'Start the run again.',
      cause,
    });
  }
}

/**
 * A run's record; nothing before its first task is done.
 * @throws {DataError} when it is damaged.
 */
export async function readRecord(path: string): Promise<RunRecord | null> {
  const file = joinPath(path, 'run.json');
  return (await files.exists(file)) ? parseRunRecord(await files.readText(file), file) : null;
}
