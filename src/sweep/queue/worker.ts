/** Takes runs from the queue, learns each in a process of its own, and keeps the queue told. */
import { readdir, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { Job, Worker } from 'bullmq';
import { joinPath } from '../../data/files.ts';
import { isHopeless } from '../early-stop.ts';
import type { RunMessage } from '../messages.ts';
import { RunProcess, type RunProgram } from '../run-process.ts';
import type { Connection } from './connection.ts';
import {
  CANCELLED,
  CANCELLED_KEY,
  curvesKey,
  QUEUE,
  type QueuedProgress,
  type QueuedResult,
  type QueuedRun,
} from './names.ts';
import { SavedState } from './saved-state.ts';

/** Milliseconds between two words to the queue on how far a run is. */
const SPEAK_MS = 1000;

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

/** Takes away what tries of before left in the folder, whose workers are gone, or have lost the run. */
async function removeTries(folder: string, run: string, attempt: number): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const before = names.filter((name) => name.startsWith(`${run}.`) && Number(name.slice(run.length + 1)) < attempt);
  for (const name of before) await rm(joinPath(folder, name), { recursive: true, force: true });
}

type QueuedJob = Job<QueuedRun, QueuedResult>;

export class QueueWorker {
  private readonly worker: Worker<QueuedRun, QueuedResult>;
  private readonly processes = new Set<RunProcess>();
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
    this.worker.on('lockRenewalFailed', (jobs) => {
      for (const job of jobs) this.worker.cancelJob(job);
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
    for (const one of this.processes) one.stop();
    await this.worker.close();
  }

  private async process(job: QueuedJob, token?: string, signal?: AbortSignal): Promise<QueuedResult> {
    const { bullmq } = this.options.connection;
    const attempt = job.attemptsStarted;
    const folder = joinPath(this.options.folder, job.data.sweep);
    const path = joinPath(folder, `${job.data.run}.${attempt}`);
    try {
      await removeTries(folder, job.data.run, attempt);
      const end = await this.learn(job, attempt, path, signal);
      if (end.type === 'done') {
        await this.keep(path, job.data);
        const { figures, stopped } = end;
        this.say('done', job.data, `average ${figures.average.toFixed(1)} %, last ${figures.last.toFixed(1)} %`);
        return { figures, stopped, attempt, worker: this.name };
      }
      if (end.type === 'failed') {
        this.say('failed', job.data, end.message);
        throw end.again ? new Error(end.message) : new bullmq.UnrecoverableError(end.message);
      }
      if (end.type === 'cancelled') throw new bullmq.UnrecoverableError(CANCELLED);
      if (end.type === 'lost') {
        this.say('lost', job.data, 'another worker has it');
        throw new Error('another worker has it');
      }
      this.say('returned', job.data, 'saved, for others to go on with');
      await job.moveToWait(token);
      throw new bullmq.WaitingError();
    } finally {
      await rm(path, { recursive: true, force: true });
    }
  }

  /** A finished run's folder stays, under the run's own name. */
  private async keep(path: string, { sweep, run }: QueuedRun): Promise<void> {
    const place = joinPath(joinPath(this.options.folder, sweep), run);
    await rm(place, { recursive: true, force: true });
    await rename(path, place);
  }

  private async learn(job: QueuedJob, attempt: number, path: string, signal: AbortSignal | undefined) {
    const { connection, program } = this.options;
    const { redis } = connection;
    const { data, id = '' } = job;
    const saved = new SavedState(redis, id, attempt);
    const isRestored = await saved.restore(path);
    if (isRestored === null) return { type: 'lost' } as const;
    this.say('taken', data, isRestored ? `goes on, try ${attempt}` : `try ${attempt}`);
    const began = performance.now();
    const asked = { hopeless: false, cancelled: false, lost: false };
    let told = { progress: { share: 0, seconds: 0, text: 'starting', worker: this.name, attempt }, isNew: true };
    // What is sent is sent in order, and all of it before the run ends.
    let sending: Promise<unknown> = Promise.resolve();
    const inOrder = (send: () => Promise<unknown>) => {
      sending = sending.then(send).catch(({ message }: Error) => this.say('queue', data, message));
    };
    const heard = (message: RunMessage) => {
      if (message.type === 'progress') {
        const { share, begun, text } = message;
        const own = share - begun;
        const seconds = own > 0 ? ((performance.now() - began) / 1000) * (share / own) : 0;
        told = { progress: { share, seconds, text, worker: this.name, attempt }, isNew: true };
      } else if (message.type === 'saved') {
        inOrder(async () => {
          if (await saved.send(path, message)) return;
          asked.lost = true;
          child.kill();
        });
      } else if (message.type === 'task') {
        inOrder(async () => {
          if (asked.hopeless || !(await this.isHopeless(data, message.curve))) return;
          asked.hopeless = true;
          child.stop();
        });
      }
    };
    const child = new RunProcess(
      program,
      { config: data.config, folder: path, saveEvery: data.saveEvery, keepStages: false },
      heard,
    );
    this.processes.add(child);
    if (this.isStopping) child.stop();
    const onAbort = () => {
      asked.lost = true;
      child.kill();
    };
    signal?.addEventListener('abort', onAbort);
    const speak = async () => {
      if (!told.isNew) return;
      told.isNew = false;
      await job.updateProgress({ ...told.progress } satisfies QueuedProgress);
      if (asked.cancelled || !(await redis.sismember(CANCELLED_KEY, data.sweep))) return;
      asked.cancelled = true;
      child.kill();
    };
    const timer = setInterval(() => {
      // The job is gone where somebody cleared the queue.
      speak().catch(({ message }: Error) => {
        if (/Missing key/.test(message)) onAbort();
        else this.say('queue', data, message);
      });
    }, SPEAK_MS);
    const end = await child.ended;
    clearInterval(timer);
    signal?.removeEventListener('abort', onAbort);
    this.processes.delete(child);
    await sending;
    if (asked.lost) return { type: 'lost' } as const;
    if (asked.cancelled) return { type: 'cancelled' } as const;
    if (end.type === 'done') return { ...end, stopped: null };
    if (end.type === 'stopped' && asked.hopeless && end.figures)
      return { type: 'done', figures: end.figures, stopped: end.figures.curve.length } as const;
    return end;
  }

  /** Tells the others how the run is doing, and looks whether it is far below them. */
  private async isHopeless({ sweep, run, earlyStop }: QueuedRun, curve: readonly number[]): Promise<boolean> {
    if (!earlyStop) return false;
    const { redis } = this.options.connection;
    await redis.hset(curvesKey(sweep), run, JSON.stringify(curve));
    const all = await redis.hgetall(curvesKey(sweep));
    const others = Object.entries(all).flatMap(([id, text]) => (id === run ? [] : [JSON.parse(text) as number[]]));
    return isHopeless(curve, others, earlyStop);
  }

  private say(type: WorkerEvent['type'], run: QueuedRun, text: string): void {
    this.options.onEvent({ type, run, text });
  }
}
