/**
 * The process of one run of a sweep: it is sent its order, learns, and tells how far it is. Without the sweep, which may be
 * killed at any moment, it has nothing to live for.
 */
import { setTimeout } from 'node:timers/promises';
import { files } from '#files';
import { version } from '../../package.json';
import type { BenchmarkEvent } from '../continual/benchmark/benchmark.ts';
import type { Config } from '../continual/benchmark/config.ts';
import { CHECKPOINT, CONFIG } from '../continual/benchmark/run-files.ts';
import { type RunRecord, summaryOf } from '../continual/benchmark/run-record.ts';
import { joinPath } from '../data/files.ts';
import { ArgumentError, CheckpointError, ConfigError, DataError } from '../errors.ts';
import { Engine } from '../tensor/engine.ts';
import '../ops/methods.ts';
import type { RunFigures, RunMessage, RunOrder } from '../sweep/messages.ts';
import { environmentOptions } from './environment.ts';
import { exit, Interrupted } from './exit.ts';
import { type Follower, learn } from './learn.ts';
import { loadMethod } from './method-file.ts';
import { openRunData } from './run-data.ts';
import { PROGRESS } from './run-files.ts';
import { RunFolder, readRecord } from './run-folder.ts';
import { assertNotRunning } from './run-lock.ts';

/** Milliseconds between two words on how far it is. */
const SPEAK_MS = 500;

const tell = (message: RunMessage): Promise<void> =>
  new Promise((done) => {
    if (process.send?.(message, () => done()) === undefined) done();
  });

/** Tells the sweep instead of a person. */
class Telling implements Follower {
  private readonly total: number;
  private readonly begun: number;
  private done: number;
  private spoken = 0;

  constructor(
    private readonly planned: readonly number[],
    tasksDone: number,
    begun: number,
  ) {
    this.total = sum(planned);
    this.done = sum(planned.slice(0, tasksDone)) + begun;
    this.begun = this.done / this.total;
    this.say('compiling');
  }

  report(event: BenchmarkEvent): void {
    if (event.type === 'step') {
      this.done += event.images;
      const { task, epoch, epochs, loss } = event;
      if (performance.now() - this.spoken > SPEAK_MS)
        this.say(`task ${task + 1}/${this.planned.length}, epoch ${epoch + 1}/${epochs}, loss ${loss.toFixed(3)}`);
    } else if (event.type === 'task') {
      this.done = sum(this.planned.slice(0, event.task + 1));
      this.say(`task ${event.task + 1}/${this.planned.length}, ${event.accuracy.toFixed(1)} %`);
    }
  }

  stop(): void {}

  private say(text: string): void {
    this.spoken = performance.now();
    void tell({ type: 'progress', share: Math.min(1, this.done / this.total), begun: this.begun, text });
  }
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** @param cpuSeconds `null` where only a part of the run was learnt here. */
function figuresOf(record: RunRecord, cpuSeconds: number | null): RunFigures {
  const { average, last, forgetting, matrix, seconds, adapter } = record;
  const curve = [...summaryOf(record).curve];
  const date = new Date().toISOString().slice(0, 10);
  return { average, last, forgetting, matrix, curve, seconds, cpuSeconds, adapter, date, version };
}

/** A method of the user's own, which is that of the sweep or none. */
async function methodOf({ methodFile, methodFingerprint }: Config) {
  if (methodFile === undefined) return undefined;
  const file = await loadMethod(methodFile, (fingerprint) => {
    if (fingerprint === methodFingerprint) return;
    throw new ConfigError({
      where: methodFile,
      message: 'this is not the method file that the sweep was planned with: it holds something else.',
      fix: 'Give it back its content of then, or plan the sweep again.',
    });
  });
  return file.method;
}

/**
 * Waits for the process of a sweep that was killed, which ends within moments of it.
 * @throws {ConfigError} when it does not.
 */
async function othersGone(path: string): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    const isFree = await assertNotRunning(path).then(
      () => true,
      () => false,
    );
    if (isFree) return;
    await setTimeout(500);
  }
  await assertNotRunning(path);
}

/** What the settings, the data or what was saved are to blame for is so the next time, too. */
const FINAL = [ArgumentError, CheckpointError, ConfigError, DataError];

async function work({ config, folder: path, saveEvery, keepStages }: RunOrder): Promise<RunMessage> {
  const method = await methodOf(config);
  await othersGone(path);
  // What came from another machine is its state alone.
  const isBegun = await Promise.all([CONFIG, CHECKPOINT, PROGRESS].map((name) => files.exists(joinPath(path, name))));
  const begun = isBegun.includes(true) ? await RunFolder.open(path, method) : null;
  const split = await openRunData(config);
  const engine = await Engine.create(environmentOptions());
  const before = process.cpuUsage();
  const cpuSeconds = () => {
    const { user, system } = process.cpuUsage(before);
    return begun ? null : (user + system) / 1e6;
  };
  const folderOf = async (complete: Config) => begun ?? RunFolder.create(path, complete, method);
  try {
    const record = await learn(engine, split, begun?.config ?? config, folderOf, {
      quiet: true,
      saveEvery,
      keepStages,
      method,
      follow: (...plan) => new Telling(...plan),
      onSaved: async ({ tasks, epochs }) => {
        await tell({ type: 'saved', tasks, epochs });
        const soFar = epochs === 0 ? await readRecord(path) : null;
        if (!soFar) return;
        await tell({ type: 'task', curve: summaryOf(soFar).curve, planned: soFar.classesPerTask.length });
      },
    });
    return { type: 'done', figures: figuresOf(record, cpuSeconds()) };
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    const soFar = await readRecord(path);
    return { type: 'stopped', figures: soFar && figuresOf(soFar, cpuSeconds()) };
  } finally {
    await engine.destroy();
  }
}

/** Learns the run that the sweep sends. */
export async function sweepRun(): Promise<void> {
  if (!process.send) {
    throw new ConfigError({
      where: 'sweep-run',
      message: 'this is the part of `engram sweep` that learns one run.',
      fix: 'Use `engram sweep FILE`.',
    });
  }
  process.on('disconnect', () => process.exit(1));
  const order = await new Promise<RunOrder>((resolve) => {
    process.once('message', (message) => resolve(message as RunOrder));
    void tell({ type: 'ready' });
  });
  const end = await work(order).catch(
    (error: unknown): RunMessage => ({
      type: 'failed',
      message: error instanceof Error ? error.message : String(error),
      again: !FINAL.some((kind) => error instanceof kind),
    }),
  );
  await tell(end);
  exit(0);
}
