/** What a run's folder holds when the run is gone on with: what can be relied on, what is made again, what is refused. */
import { files } from '#files';
import type { SavedRun } from '../continual/benchmark/benchmark.ts';
import { type BenchmarkState, readBenchmarkState } from '../continual/benchmark/benchmark-state.ts';
import { type Config, parseConfig } from '../continual/benchmark/config.ts';
import { CHECKPOINT, CONFIG, METRICS, RECORD } from '../continual/benchmark/run-files.ts';
import { parseRunRecord } from '../continual/benchmark/run-record.ts';
import { readLearner } from '../continual/learner-state.ts';
import type { AnyMethod } from '../continual/method.ts';
import { readProgress } from '../continual/task-progress.ts';
import { joinPath } from '../data/files.ts';
import { CheckpointError, ConfigError } from '../errors.ts';
import { PROGRESS } from './run-files.ts';

export interface FoundRun {
  readonly config: Config;
  readonly saved: SavedRun;
  /** What is not as a run leaves it, and is mended. */
  readonly notices: readonly string[];
}

const AGAIN = 'Put back a copy of it that is whole, or delete the folder and start the run again.';

/**
 * Looks through a run's folder, and changes nothing.
 * @param own the run's method, where it is not a built-in one.
 * @throws {ConfigError} when there is no run, or no configuration that can be used.
 * @throws {CheckpointError} when the state after a task is damaged or missing.
 */
export async function findRun(path: string, own?: AnyMethod): Promise<FoundRun> {
  const notices: string[] = [];
  const known = await recordedTasks(path, notices);
  const checkpoint = await readCheckpoint(path, known);
  const progress = await readBegun(path, notices);
  const done = checkpoint?.state.matrix.length ?? 0;
  if (!checkpoint && (known > 0 || (progress && progress.task > 0))) {
    throw new CheckpointError({
      where: joinPath(path, CHECKPOINT),
      message: `it is missing, though ${tasks(Math.max(known, progress?.task ?? 0))} were learnt here.`,
      fix: AGAIN,
    });
  }
  if (known > done) {
    notices.push(
      `${CHECKPOINT} is older than what was recorded: it knows ${tasks(done)} of ${known}. Those after it are learnt again.`,
    );
  }
  if (progress && progress.task > done)
    notices.push(`${PROGRESS} is of task ${progress.task + 1}, and no use without the state before it.`);
  const config = await readConfig(path, { state: (checkpoint ?? progress)?.state, own, notices });
  const begun = progress?.task === done ? progress : null;
  return { config, saved: { checkpoint, progress: begun }, notices };
}

const tasks = (count: number): string => (count === 1 ? '1 task' : `${count} tasks`);

/** What an error says, to go on within a sentence. */
const reasonOf = ({ reason }: CheckpointError): string => reason.replace(/\.$/, '');

const readIfThere = async (where: string) =>
  (await files.exists(where)) ? { where, bytes: await files.read(where) } : null;

/** @param known tasks that the records know of. */
async function readCheckpoint(path: string, known: number) {
  const found = await readIfThere(joinPath(path, CHECKPOINT));
  if (!found) return null;
  const { bytes, where } = found;
  try {
    return { ...found, state: readBenchmarkState(readLearner(bytes, where).metadata, where) };
  } catch (cause) {
    if (!(cause instanceof CheckpointError)) throw cause;
    const which = known > 0 ? `the state after task ${known}` : 'the state after the last finished task';
    throw new CheckpointError({
      where,
      message: `${which} cannot be used: ${reasonOf(cause)}.`,
      fix: AGAIN,
      cause,
    });
  }
}

/** The state within a task; without it no more than the task is lost. */
async function readBegun(path: string, notices: string[]) {
  const found = await readIfThere(joinPath(path, PROGRESS));
  if (!found) return null;
  const { bytes, where } = found;
  try {
    const { task, metadata } = readProgress(bytes, where);
    return { ...found, task, state: readBenchmarkState(metadata, where) };
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    notices.push(`${PROGRESS} cannot be used (${reasonOf(error)}): its task is learnt from the beginning.`);
    return null;
  }
}

/** The configuration; where it is damaged, that of the state. */
async function readConfig(
  path: string,
  { state, own, notices }: { state: BenchmarkState | undefined; own: AnyMethod | undefined; notices: string[] },
): Promise<Config> {
  const where = joinPath(path, CONFIG);
  const isThere = await files.exists(where);
  if (!isThere && !state) {
    throw new ConfigError({
      where: path,
      message: `no run to resume here (no ${CONFIG}).`,
      fix: 'Check --out, or leave --resume out to start a run there.',
    });
  }
  const text = isThere ? await files.readText(where) : '';
  try {
    return parseConfig(parseJson(text, where), where, own);
  } catch (error) {
    // What the state says too is no damage.
    if (!(error instanceof ConfigError) || !state || isSame(text, state.config)) throw error;
    const config = parseConfig(state.config, joinPath(path, CHECKPOINT), own);
    notices.push(`${CONFIG} was ${isThere ? 'damaged' : 'missing'}, and is made again from the saved state.`);
    return config;
  }
}

function isSame(text: string, config: unknown): boolean {
  try {
    return JSON.stringify(JSON.parse(text)) === JSON.stringify(config);
  } catch {
    return false;
  }
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ConfigError({
      where,
      message: 'this is not JSON: it may be cut off.',
      fix: 'Put back a copy of it that is whole, or delete the folder and start the run again.',
      cause,
    });
  }
}

/** Tasks that the records know to be finished. */
async function recordedTasks(path: string, notices: string[]): Promise<number> {
  const [metrics, record] = [joinPath(path, METRICS), joinPath(path, RECORD)];
  const lines = (await files.exists(metrics)) ? (await files.readText(metrics)).split('\n') : [];
  const finished = lines.filter((line) => line.startsWith('{"type":"task",')).length;
  if (!(await files.exists(record))) return finished;
  try {
    return Math.max(finished, parseRunRecord(await files.readText(record), record).matrix.length);
  } catch {
    notices.push(`${RECORD} was damaged, and is made again.`);
    // It is written when a task is finished, and not before.
    return Math.max(finished, 1);
  }
}

/**
 * What is to be known of a file of metrics that is made again; null where nothing is.
 * @param found its text as it was; null where there was none.
 * @param expected the text that belongs to the saved state.
 */
export function metricsNotice(found: string | null, expected: string): string | null {
  if (found === expected || (found === null && expected === '')) return null;
  if (found === null) return `${METRICS} was missing, and is made again from the saved state.`;
  const beyond = found.startsWith(expected) ? found.slice(expected.length).split('\n').filter(Boolean) : [];
  if (beyond.length > 0) {
    return beyond.every((line) => line.startsWith('{"type":"epoch",'))
      ? `${beyond.length === 1 ? '1 epoch was' : `${beyond.length} epochs were`} not saved, and ${beyond.length === 1 ? 'is' : 'are'} learnt again.`
      : `${beyond.length} lines of ${METRICS} are beyond the saved state, and are left out.`;
  }
  return expected.startsWith(found)
    ? `${METRICS} was cut short, and is made again from the saved state.`
    : `${METRICS} did not agree with the saved state, and is made again from it.`;
}
