/** A sweep whose runs are learnt by workers: puts them on the queue, follows them, and takes their results from it. */
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import { ConfigError } from '../../errors.ts';
import type { PlannedRun } from '../plan.ts';
import { resultOf } from '../results.ts';
import type { SweepState, SweepWork } from '../state.ts';
import type { Connection } from './connection.ts';
import {
  CANCELLED,
  CANCELLED_KEY,
  curvesKey,
  jobId,
  QUEUE,
  type QueuedJob,
  type QueuedProgress,
  type QueuedResult,
  type QueuedRun,
  stateKey,
} from './names.ts';

/** Milliseconds between two looks at the queue. */
const LOOK_MS = 1000;
/** Looks between two for runs that are not on the queue any more. */
const LOOKS_FOR_MISSING = 10;
/** Milliseconds for which a sweep counts as followed after its follower was heard of last. */
const FOLLOWED_MS = 10_000;

export interface QueueSweepOptions extends SweepWork {
  readonly connection: Connection;
  /** Its name on the queue. */
  readonly sweep: string;
}

const followedKey = (sweep: string): string => `engram:followed:${sweep}`;

export class QueueSweep {
  private readonly queue: Queue<QueuedRun, QueuedResult>;
  private readonly own = randomUUID();
  private isStopping = false;

  constructor(private readonly options: QueueSweepOptions) {
    const { connection } = options;
    this.queue = new connection.bullmq.Queue(QUEUE, { connection: connection.another() });
    this.queue.on('error', () => {});
  }

  /**
   * Follows the sweep until all runs are done or have failed, or until {@link stop}: the runs go on without.
   * @throws {ConfigError} when another process follows it.
   */
  async run(): Promise<void> {
    const { state, results, connection, sweep } = this.options;
    state.takeUp(results);
    await this.follow();
    try {
      await connection.redis.srem(CANCELLED_KEY, sweep);
      await this.putOnQueue(state.of('waiting').map(({ run }) => run));
      for (let looks = 0; !this.isStopping && !state.isOver; looks++) {
        await this.look();
        if (looks % LOOKS_FOR_MISSING === LOOKS_FOR_MISSING - 1) await this.lookForMissing();
        if (!state.isOver) await setTimeout(LOOK_MS);
      }
      if (state.isOver) await connection.redis.del(curvesKey(sweep));
    } finally {
      if (connection.redis.status === 'ready') await this.leave();
      await this.queue.close().catch(() => undefined);
    }
  }

  /** Leaves the runs to their workers. */
  stop(): void {
    this.isStopping = true;
  }

  private async putOnQueue(runs: readonly PlannedRun[]): Promise<void> {
    const { sweep, saveEvery, retries, earlyStop } = this.options;
    // What failed before, or was cancelled, is tried again.
    for (const job of await this.ofSweep('failed')) if (job) await job.remove();
    await this.queue.addBulk(
      runs.map(({ id, config, label, pair }) => ({
        name: [label, pair].filter(Boolean).join(', '),
        data: { sweep, run: id, config, saveEvery, ...(earlyStop ? { earlyStop } : {}) },
        opts: {
          jobId: jobId({ sweep, run: id }),
          attempts: retries + 1,
          backoff: { type: 'fixed', delay: 1000 },
        },
      })),
    );
  }

  /** This sweep's runs of a state. */
  private async ofSweep(type: 'active' | 'completed' | 'failed'): Promise<QueuedJob[]> {
    const jobs = await this.queue.getJobs(type, 0, -1);
    // One that was taken away meanwhile is listed as nothing.
    return jobs.filter((job) => job?.data?.sweep === this.options.sweep);
  }

  private async look(): Promise<void> {
    await this.keepFollowing();
    for (const job of await this.ofSweep('completed')) await this.take(job);
    for (const job of await this.ofSweep('failed')) {
      if (this.isOpen(job)) this.end(job, { status: 'failed', error: job.failedReason ?? 'for no known reason' });
    }
    const active = new Map((await this.ofSweep('active')).map((job) => [job.data.run, job]));
    for (const { run, status } of this.options.state.runs) {
      const job = active.get(run.id);
      if (status === 'running' && !job) this.options.state.update(run.id, { status: 'waiting', text: '' });
      if (!job || status === 'done' || status === 'failed') continue;
      const {
        share = 0,
        seconds = 0,
        text = 'starting',
        worker = '',
      } = (job.progress || {}) as Partial<QueuedProgress>;
      const where = worker === '' ? text : `${text} (${worker})`;
      const lost = Math.max(0, job.attemptsStarted - 1);
      this.options.state.update(run.id, { status: 'running', share, seconds, text: where, lost });
    }
  }

  private isOpen(job: QueuedJob): boolean {
    const { status } = this.options.state.runs.find(({ run }) => run.id === job.data.run) ?? {};
    return status === 'waiting' || status === 'running';
  }

  /** Records a result, and only then takes it from the queue. */
  private async take(job: QueuedJob): Promise<void> {
    const { state, results, connection } = this.options;
    if (this.isOpen(job)) {
      const { figures, stopped } = job.returnvalue;
      await results.add(resultOf(state.get(job.data.run).run, figures, stopped));
      this.end(job, { status: 'done', share: 1, seconds: figures.seconds });
    }
    await job.remove();
    await connection.redis.del(stateKey(jobId(job.data)));
  }

  private end({ data }: QueuedJob, known: Parameters<SweepState['update']>[1]): void {
    const { state, onEnd } = this.options;
    state.update(data.run, { ...known, text: '' });
    onEnd?.(state.get(data.run).run);
  }

  /** Runs that somebody took from the queue. */
  private async lookForMissing(): Promise<void> {
    const { state, sweep, connection, onEnd } = this.options;
    const isCancelled = await connection.redis.sismember(CANCELLED_KEY, sweep);
    const error = isCancelled ? CANCELLED : 'it is not on the queue any more.';
    for (const { run, status } of state.runs) {
      if (status !== 'waiting' && status !== 'running') continue;
      if (await this.queue.getJob(jobId({ sweep, run: run.id }))) continue;
      state.update(run.id, { status: 'failed', error, text: '' });
      onEnd?.(run);
    }
  }

  /** @throws {ConfigError} when somebody else follows the sweep: of two, one would find results gone that the other took. */
  private async follow(): Promise<void> {
    const { connection, sweep } = this.options;
    // One that was killed is forgotten within this time.
    for (const until = performance.now() + 1.2 * FOLLOWED_MS; performance.now() < until && !this.isStopping; ) {
      const isFirst = await connection.redis.set(followedKey(sweep), this.own, 'PX', FOLLOWED_MS, 'NX');
      if (isFirst !== null) return;
      await setTimeout(LOOK_MS);
    }
    throw new ConfigError({
      where: connection.url,
      message: `a sweep "${sweep}" is followed by another process already.`,
      fix: 'Wait for it or stop it, or give this sweep another "name".',
    });
  }

  private async keepFollowing(): Promise<void> {
    const { connection, sweep } = this.options;
    // After the server was away nobody may be known to follow it.
    await connection.redis.set(followedKey(sweep), this.own, 'PX', FOLLOWED_MS);
  }

  private async leave(): Promise<void> {
    const { connection, sweep } = this.options;
    await connection.redis.del(followedKey(sweep));
  }
}
