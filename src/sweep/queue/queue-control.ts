/** What is on a queue, and what can be done with all of it. */
import type { Queue } from 'bullmq';
import type { Connection } from './connection.ts';
import { CANCELLED_KEY, QUEUE, type QueuedRun, VERSION_KEY } from './names.ts';

const STATES = ['waiting', 'active', 'delayed', 'completed', 'failed'] as const;

export interface QueueStatus {
  readonly isPaused: boolean;
  readonly workers: number;
  /** Runs of each sweep by their state. */
  readonly sweeps: ReadonlyMap<string, Readonly<Record<(typeof STATES)[number], number>>>;
}

async function withQueue<T>(connection: Connection, use: (queue: Queue<QueuedRun>) => Promise<T>): Promise<T> {
  const queue = new connection.bullmq.Queue<QueuedRun>(QUEUE, { connection: connection.another() });
  queue.on('error', () => {});
  try {
    return await use(queue);
  } finally {
    await queue.close();
  }
}

export const queueStatus = (connection: Connection): Promise<QueueStatus> =>
  withQueue(connection, async (queue) => {
    const sweeps = new Map<string, Record<(typeof STATES)[number], number>>();
    for (const state of STATES) {
      const jobs = await queue.getJobs(state, 0, -1);
      for (const job of jobs) {
        const counts = sweeps.get(job.data.sweep) ?? { waiting: 0, active: 0, delayed: 0, completed: 0, failed: 0 };
        counts[state]++;
        sweeps.set(job.data.sweep, counts);
      }
    }
    return { isPaused: await queue.isPaused(), workers: await queue.getWorkersCount(), sweeps };
  });

/** No worker takes another run; those under way go on. */
export const pauseQueue = (connection: Connection): Promise<void> => withQueue(connection, (queue) => queue.pause());

export const resumeQueue = (connection: Connection): Promise<void> => withQueue(connection, (queue) => queue.resume());

/**
 * Takes a sweep's runs off the queue, and stops those under way.
 * @returns how many were waiting, and how many under way.
 */
export const cancelSweep = (connection: Connection, sweep: string): Promise<{ waiting: number; active: number }> =>
  withQueue(connection, async (queue) => {
    await connection.redis.sadd(CANCELLED_KEY, sweep);
    const isOwn = (job: { data: QueuedRun } | undefined) => job?.data.sweep === sweep;
    const waiting = (await queue.getJobs(['waiting', 'delayed'], 0, -1)).filter(isOwn);
    const active = (await queue.getJobs('active', 0, -1)).filter(isOwn);
    for (const job of waiting) await job.remove();
    return { waiting: waiting.length, active: active.length };
  });

/** Takes everything off the queue, results that nobody has taken yet too. */
export const clearQueue = (connection: Connection): Promise<void> =>
  withQueue(connection, async (queue) => {
    await queue.obliterate({ force: true });
    const own = await connection.redis.keys('engram:*');
    if (own.length > 0) await connection.redis.del(...own);
    await connection.redis.del(VERSION_KEY);
  });
