/** Takes runs from the queue, some at once, and hands their results in. */
import { readdir, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { Worker } from 'bullmq';
import { joinPath } from '../../data/files.ts';
import type { RunProgram } from '../run-process.ts';
import type { Connection } from './connection.ts';
import { CANCELLED, QUEUE, type QueuedJob, type QueuedResult, type QueuedRun } from './names.ts';
import { QueuedTry } from './queued-try.ts';
import { SavedState } from './saved-state.ts';

export interface QueueWorkerOptions {
  readonly connection: Connection;
  /** Where runs have their folders. */
  readonly folder: string;
  readonly program: RunProgram;
  /** Runs at once. */
  readonly jobs: number;
  /** Seconds without a sign of life after which others take a run over. */
  readonly patience: number;
  /** Times that a run may be taken over from workers that were lost before it counts as failed. */
  readonly losses: number;
  /** Called with what a person may want to know. */
  readonly onEvent: (event: WorkerEvent) => void;
}

/** What a worker does: takes runs, and ends them in some way. */
export interface WorkerEvent {
  readonly type: 'taken' | 'done' | 'failed' | 'returned' | 'lost' | 'queue';
  readonly run: QueuedRun | null;
  readonly text: string;
}

/** Another worker has the run. */
const LOST = 'another worker has it';

/** Takes away what tries before this one left in the folder, whose workers are gone or have lost the run. */
async function removeTries(folder: string, run: string, { token }: SavedState): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const tries = names.filter((name) => name.startsWith(`${run}.`));
  const before = tries.filter((name) => Number(name.slice(run.length + 1)) < token);
  for (const name of before) await rm(joinPath(folder, name), { recursive: true, force: true });
}

export class QueueWorker {
  private readonly worker: Worker<QueuedRun, QueuedResult>;
  private readonly tries = new Set<QueuedTry>();
  private isStopping = false;
  private readonly name = `${hostname()} ${process.pid}`;

  constructor(private readonly options: QueueWorkerOptions) {
    const { connection, jobs, patience, losses, onEvent } = options;
    this.worker = new connection.bullmq.Worker(
      QUEUE,
      (job: QueuedJob, token?: string, signal?: AbortSignal) => this.process(job, token, signal),
      {
        connection: connection.another(),
        autorun: false,
        concurrency: jobs,
        lockDuration: patience * 1000,
        stalledInterval: Math.min(30_000, (patience * 1000) / 2),
        maxStalledCount: losses,
      },
    );
    // Runs that others may have by now: their results would be refused.
    this.worker.on('lockRenewalFailed', (lost) => {
      for (const job of lost) this.worker.cancelJob(job);
    });
    this.worker.on('error', ({ message }) => onEvent({ type: 'queue', run: null, text: message }));
  }

  /** Takes runs until {@link stop}. */
  async run(): Promise<void> {
    await this.worker.run();
  }

  /** Takes no more runs, and gives those under way back once they are saved. */
  async stop(): Promise<void> {
    this.isStopping = true;
    for (const one of this.tries) one.stop();
    await this.worker.close();
  }

  private async process(job: QueuedJob, token?: string, signal?: AbortSignal): Promise<QueuedResult> {
    const { connection, program } = this.options;
    const { sweep, run } = job.data;
    const folder = joinPath(this.options.folder, sweep);
    const saved = await SavedState.takeOver(connection.redis, job.id ?? '');
    const path = joinPath(folder, `${run}.${saved.token}`);
    const onTrouble = (message: string) => this.say('queue', job.data, message);
    const one = new QueuedTry(job, { connection, program, path, saved, worker: this.name, onTrouble });
    this.tries.add(one);
    signal?.addEventListener('abort', () => one.giveUp('lost'));
    if (signal?.aborted) one.giveUp('lost');
    if (this.isStopping) one.stop();
    try {
      await removeTries(folder, run, saved);
      const isRestored = await saved.restore(path);
      const attempt = job.attemptsStarted;
      this.say('taken', job.data, `${isRestored ? 'goes on, ' : ''}try ${attempt}`);
      return { ...(await this.result(one, path, job, token)), attempt, worker: this.name };
    } finally {
      this.tries.delete(one);
      await rm(path, { recursive: true, force: true });
    }
  }

  /** What the try came to, as the queue wants it: a result, or an error that says what becomes of the run. */
  private async result(one: QueuedTry, path: string, job: QueuedJob, token: string | undefined) {
    const { UnrecoverableError, WaitingError } = this.options.connection.bullmq;
    const end = await one.run();
    if (end.type === 'done') {
      const { figures, stopped } = end;
      await this.keep(path, job);
      this.say('done', job.data, `average ${figures.average.toFixed(1)} %, last ${figures.last.toFixed(1)} %`);
      return { figures, stopped };
    }
    if (end.type === 'failed') {
      this.say('failed', job.data, end.message);
      throw end.again ? new Error(end.message) : new UnrecoverableError(end.message);
    }
    if (end.type === 'cancelled') throw new UnrecoverableError(CANCELLED);
    if (end.type === 'lost') throw this.lost(job);
    this.say('returned', job.data, 'saved, for others to go on with');
    await job.moveToWait(token);
    throw new WaitingError();
  }

  private lost({ data }: QueuedJob): Error {
    this.say('lost', data, LOST);
    return new Error(LOST);
  }

  /** A finished run's folder stays, under the run's own name. */
  private async keep(path: string, { data }: QueuedJob): Promise<void> {
    const place = joinPath(joinPath(this.options.folder, data.sweep), data.run);
    await rm(place, { recursive: true, force: true });
    await rename(path, place);
  }

  private say(type: WorkerEvent['type'], run: QueuedRun, text: string): void {
    this.options.onEvent({ type, run, text });
  }
}
