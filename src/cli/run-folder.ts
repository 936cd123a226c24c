/**
 * A run's folder: config.json, metrics.jsonl, checkpoint.safetensors, run.json, report.html. What is replaced is written
 * beside and renamed, so that a run may be killed at any moment.
 */
import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import * as v from 'valibot';
import { files } from '#files';
import { type Config, parseConfig, type RunConfig } from '../continual/config.ts';
import type { EpochEvent, TaskEvent } from '../continual/events.ts';
import { joinPath } from '../data/files.ts';
import { ConfigError } from '../errors.ts';
import { parseRunRecord, type RunRecord } from '../report/run-record.ts';
import { assertWritable } from './writable.ts';

/** A line of metrics.jsonl. */
export type MetricsLine = EpochEvent | TaskEvent;

const lineSchema = v.variant('type', [
  v.object({
    type: v.literal('epoch'),
    task: v.number(),
    epoch: v.number(),
    loss: v.number(),
    lr: v.number(),
    images: v.number(),
    seconds: v.number(),
  }),
  v.object({
    type: v.literal('task'),
    task: v.number(),
    accuracies: v.array(v.number()),
    accuracy: v.number(),
    gamma: v.number(),
    exemplars: v.number(),
    skippedSteps: v.optional(v.number(), 0),
    seconds: v.number(),
  }),
]);

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
  private constructor(
    readonly path: string,
    /** Complete. */
    readonly config: Config,
    /** When the run began, ISO 8601. */
    readonly date: string,
    private lines: MetricsLine[],
    /** What this process made, to be taken away again if nothing comes of it: the run's files, the folder too, or none. */
    private readonly made: 'files' | 'folder' | 'nothing' = 'nothing',
  ) {}

  get name(): string {
    return basename(this.path);
  }

  /**
   * Makes the folder and writes the configuration.
   * @throws {ConfigError} when there is anything already, or for a method of one's own.
   */
  static async create(path: string, complete: RunConfig): Promise<RunFolder> {
    const config = parseConfig(complete, path);
    await assertUnused(path);
    await files.makeDir(dirname(path));
    const made = await mkdir(path).then(
      () => 'folder' as const,
      () => 'files' as const,
    );
    const folder = new RunFolder(path, config, new Date().toISOString(), [], made);
    await files.write(folder.file('config.json'), `${JSON.stringify(config, null, 2)}\n`);
    return folder;
  }

  /**
   * The folder of a run that was begun before.
   * @throws {ConfigError} when there is none, or its configuration is damaged.
   */
  static async open(path: string): Promise<RunFolder> {
    const configFile = joinPath(path, 'config.json');
    if (!(await files.exists(configFile))) {
      throw new ConfigError({
        where: path,
        message: 'no run to resume here (no config.json).',
        fix: 'Check --out, or leave --resume out to start a run there.',
      });
    }
    const config = parseConfig(parseJson(await files.readText(configFile), configFile), configFile);
    const record = await readRecord(path);
    return new RunFolder(path, config, record?.date ?? new Date().toISOString(), await readMetrics(path));
  }

  /** The state after the last finished task; nothing before the first. */
  async checkpoint(): Promise<{ bytes: Uint8Array<ArrayBuffer>; where: string } | null> {
    const where = this.file('checkpoint.safetensors');
    return (await files.exists(where)) ? { bytes: await files.read(where), where } : null;
  }

  get metrics(): readonly MetricsLine[] {
    return this.lines;
  }

  async add(line: MetricsLine): Promise<void> {
    this.lines.push(line);
    await files.append(this.file('metrics.jsonl'), `${JSON.stringify(line)}\n`);
  }

  /** Forgets what was measured in tasks from this one on: a run that was killed did not finish them. */
  async cutBack(tasks: number): Promise<void> {
    this.lines = this.lines.filter((line) => line.task < tasks);
    await files.write(this.file('metrics.jsonl'), this.lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }

  saveCheckpoint(bytes: Uint8Array): Promise<void> {
    return files.write(this.file('checkpoint.safetensors'), bytes);
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

/** The lines that are whole: the last one may be cut off. */
async function readMetrics(path: string): Promise<MetricsLine[]> {
  const file = joinPath(path, 'metrics.jsonl');
  const text = (await files.exists(file)) ? await files.readText(file) : '';
  return text.split('\n').flatMap((line) => {
    const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), lineSchema), line);
    return parsed.success ? [parsed.output] : [];
  });
}
