/** The records of a run as they lie in its folder, of one that is not finished too. */
import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import * as v from 'valibot';
import { files } from '#files';
import type { MetricsLine } from '../continual/benchmark/benchmark-state.ts';
import { CONFIG, METRICS, RECORD } from '../continual/benchmark/run-files.ts';
import { logOf, parseMetrics } from '../continual/benchmark/run-log.ts';
import { parseRunRecord, type RunRecord } from '../continual/benchmark/run-record.ts';
import { joinPath } from '../data/files.ts';
import { DataError } from '../errors.ts';
import { namesApart } from './run-names.ts';
import { runFolders } from './sweep-runs.ts';

/** A run that was read. */
export interface ReadRun {
  readonly path: string;
  /** With the epochs of a task under way; its matrix has no row, and its figures are NaN, where no task is finished. */
  readonly record: RunRecord;
}

/** What an unfinished first task has of a configuration. */
const configSchema = v.looseObject({ method: v.string(), data: v.string() });

const textOf = async (path: string): Promise<string | null> =>
  (await files.exists(path)) ? files.readText(path) : null;

/** @throws {DataError} */
async function configIn(path: string, folder: string): Promise<v.InferOutput<typeof configSchema>> {
  const text = await textOf(path);
  if (text === null) {
    const isThere = await files.exists(folder);
    throw new DataError({
      where: folder,
      message: isThere ? `there is no run here (no ${CONFIG}).` : 'there is no such folder.',
      fix: 'Give the folder of a run, such as runs/NAME.',
    });
  }
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), configSchema), text);
  if (parsed.success) return parsed.output;
  throw new DataError({
    where: path,
    message: 'this is no configuration of a run: it may be cut off.',
    fix: 'Put back a copy of it that is whole.',
  });
}

/** A record of what is there before the first task is finished. */
async function begun(folder: string, lines: readonly MetricsLine[]): Promise<RunRecord> {
  const path = joinPath(folder, CONFIG);
  const config = await configIn(path, folder);
  return {
    name: basename(resolve(folder)),
    method: config.method,
    dataset: config.data,
    config,
    classesPerTask: [],
    classOrder: [],
    matrix: [],
    average: Number.NaN,
    last: Number.NaN,
    forgetting: Number.NaN,
    losses: logOf(lines).losses,
    adapter: '',
    date: (await stat(path)).mtime.toISOString(),
    seconds: lines.reduce((total, { seconds }) => total + seconds, 0),
  };
}

/** The record with its log, which goes on where the record ends, at the last finished task. */
function withLog(record: RunRecord, lines: readonly MetricsLine[]): RunRecord {
  const { losses, tasks } = logOf(lines);
  const done = record.matrix.length;
  // A log that was lost or cut: the record has its own.
  if (tasks.length < done) return record;
  return { ...record, losses, tasks: tasks.slice(0, done) };
}

/**
 * The records in a run's folder.
 * @throws {DataError} where there is no run, or its records are damaged.
 */
export async function readRun(folder: string): Promise<ReadRun> {
  const [recordPath, metricsPath] = [joinPath(folder, RECORD), joinPath(folder, METRICS)];
  const text = await textOf(recordPath);
  const lines = parseMetrics((await textOf(metricsPath)) ?? '', metricsPath);
  const record = text === null ? await begun(folder, lines) : withLog(parseRunRecord(text, recordPath), lines);
  return { path: folder, record };
}

/**
 * Several runs, in this order, by names that tell them apart.
 * @param paths folders of runs, or of sweeps, which stand for all their finished runs, by the sweep's names for them.
 * @throws {DataError} as {@link readRun}, and for a sweep without a finished run.
 */
export async function readRuns(paths: readonly string[]): Promise<ReadRun[]> {
  const runs: ReadRun[] = [];
  for (const { path, name } of await runFolders(paths)) {
    const run = await readRun(path);
    runs.push(name === undefined ? run : { ...run, record: { ...run.record, name } });
  }
  const names = namesApart(
    runs.map(({ record }) => record.name),
    runs.map(({ path }) => path),
  );
  return runs.map(({ path, record }, at) => ({ path, record: { ...record, name: names[at]! } }));
}
