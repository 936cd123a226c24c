/** What is in Redis, and under which names: the queue's own keys are BullMQ's. */
import type { Job } from 'bullmq';
import type { Config } from '../../continual/benchmark/config.ts';
import type { RunFigures } from '../messages.ts';
import type { EarlyStop } from '../sweep-file.ts';

/** The queue that all sweeps share: workers take whatever is in it. */
export const QUEUE = 'engram-runs';
/** Grows when what is in Redis changes its meaning. */
export const PROTOCOL = 2;

/** Which version of the library the queue is of: runs of two would be no comparison. */
export const VERSION_KEY = 'engram:version';
/** Sweeps that were cancelled, a set. */
export const CANCELLED_KEY = 'engram:cancelled';
/** Why a run of theirs failed. */
export const CANCELLED = 'it was cancelled.';
/** A run's last saved state, a hash. */
export const stateKey = (job: string): string => `engram:state:${job}`;
/** Accuracies after each task, a field a run: what hopeless runs are told by. */
export const curvesKey = (sweep: string): string => `engram:curves:${sweep}`;

/** Seconds that a state is kept of which nobody hears any more. */
export const STATE_LIFE = 30 * 24 * 3600;

/** A run on the queue. */
export interface QueuedRun {
  readonly sweep: string;
  readonly run: string;
  readonly config: Config;
  readonly saveEvery: number;
  readonly earlyStop?: EarlyStop;
}

/** What a finished run leaves on the queue. */
export interface QueuedResult {
  readonly figures: RunFigures;
  /** Tasks after which it was stopped for being hopeless. */
  readonly stopped: number | null;
  /** Which try it was: the first is 1. */
  readonly attempt: number;
  readonly worker: string;
}

/** How far a run is, as its worker tells. */
export interface QueuedProgress {
  readonly share: number;
  readonly seconds: number;
  readonly text: string;
  readonly worker: string;
  readonly attempt: number;
}

/** It, as BullMQ has it. */
export type QueuedJob = Job<QueuedRun, QueuedResult>;

/** A run's name on the queue: adding it again is no second run. */
export const jobId = ({ sweep, run }: Pick<QueuedRun, 'sweep' | 'run'>): string => `${sweep}~${run}`;
