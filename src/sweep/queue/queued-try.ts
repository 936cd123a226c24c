/** One try at a run from the queue: a process that learns it from where the tries before had come to, and keeps the queue told. */
import { isHopeless } from '../early-stop.ts';
import type { RunFigures, RunMessage } from '../messages.ts';
import { secondsSoFar } from '../remaining-time.ts';
import { RunProcess, type RunProgram } from '../run-process.ts';
import type { Connection } from './connection.ts';
import { CANCELLED_KEY, curvesKey, type QueuedJob, type QueuedProgress } from './names.ts';
import type { SavedState } from './saved-state.ts';

/** Milliseconds between two words to the queue on how far a run is. */
const SPEAK_MS = 1000;

export interface QueuedTryOptions {
  readonly connection: Connection;
  readonly program: RunProgram;
  /** Where the run has its folder for this try; what tries before saved is there. */
  readonly path: string;
  /** Taken over by this try. */
  readonly saved: SavedState;
  /** Who works. */
  readonly worker: string;
  /** Called with trouble in telling the queue. */
  readonly onTrouble: (message: string) => void;
}

/** How a try ended. `lost`: others have the run. `stopped`: saved, for others to go on with. */
export type TryEnd =
  | { readonly type: 'done'; readonly figures: RunFigures; readonly stopped: number | null }
  | { readonly type: 'failed'; readonly message: string; readonly again: boolean }
  | { readonly type: 'stopped' | 'lost' | 'cancelled' };

export class QueuedTry {
  private child: RunProcess | null = null;
  private readonly began = performance.now();
  private progress: QueuedProgress;
  private isTold = false;
  /** What is sent is sent in order, and all of it before the try ends. */
  private sending: Promise<unknown> = Promise.resolve();
  /** Why its process was ended from here. */
  private ended: 'stopped' | 'lost' | 'cancelled' | 'hopeless' | null = null;

  constructor(
    private readonly job: QueuedJob,
    private readonly options: QueuedTryOptions,
  ) {
    this.progress = { share: 0, seconds: 0, text: 'starting', worker: options.worker, attempt: job.attemptsStarted };
  }

  /** Learns. */
  async run(): Promise<TryEnd> {
    const { program, path } = this.options;
    const { config, saveEvery } = this.job.data;
    if (this.ended === null) {
      const order = { config, folder: path, saveEvery, keepStages: false };
      this.child = new RunProcess(program, order, (message) => this.hear(message));
    }
    const timer = setInterval(() => {
      this.speak().catch(({ message }: Error) => {
        // The job is gone where somebody cleared the queue.
        if (/Missing key/.test(message)) this.giveUp('lost');
        else this.options.onTrouble(message);
      });
    }, SPEAK_MS);
    const end = await this.child?.ended;
    clearInterval(timer);
    await this.sending;
    if (this.ended === 'lost' || this.ended === 'cancelled' || end === undefined)
      return { type: this.ended === 'hopeless' ? 'stopped' : (this.ended ?? 'stopped') };
    if (end.type === 'done') return { ...end, stopped: null };
    if (end.type === 'failed') return end;
    return this.ended === 'hopeless' && end.figures
      ? { type: 'done', figures: end.figures, stopped: end.figures.curve.length }
      : { type: 'stopped' };
  }

  /** Asks it to stop once all is saved. */
  stop(): void {
    this.ended ??= 'stopped';
    this.child?.stop();
  }

  /** Ends it at once: what it came to is of no use any more. */
  giveUp(why: 'lost' | 'cancelled'): void {
    this.ended = why;
    this.child?.kill();
  }

  private hear(message: RunMessage): void {
    if (message.type === 'progress') {
      const { share, begun, text } = message;
      const seconds = secondsSoFar((performance.now() - this.began) / 1000, share, begun);
      this.progress = { ...this.progress, share, seconds, text };
      this.isTold = false;
    } else if (message.type === 'saved') {
      this.inOrder(async () => {
        if (!(await this.options.saved.send(this.options.path, message))) this.giveUp('lost');
      });
    } else if (message.type === 'task') {
      this.inOrder(async () => {
        if (this.ended !== null || !(await this.isHopeless(message.curve, message.planned))) return;
        this.ended = 'hopeless';
        this.child?.stop();
      });
    }
  }

  private inOrder(send: () => Promise<unknown>): void {
    this.sending = this.sending.then(send).catch(({ message }: Error) => this.options.onTrouble(message));
  }

  /** Tells how far it is, and asks whether it is to go on. */
  private async speak(): Promise<void> {
    if (this.isTold) return;
    this.isTold = true;
    await this.job.updateProgress({ ...this.progress });
    const { redis } = this.options.connection;
    if (await redis.sismember(CANCELLED_KEY, this.job.data.sweep)) this.giveUp('cancelled');
  }

  /** Tells the others how the run is doing, and looks whether it is far below them. */
  private async isHopeless(curve: readonly number[], planned: number): Promise<boolean> {
    const { sweep, run, earlyStop } = this.job.data;
    if (!earlyStop) return false;
    const { redis } = this.options.connection;
    await redis.hset(curvesKey(sweep), run, JSON.stringify(curve));
    const all = await redis.hgetall(curvesKey(sweep));
    const others = Object.entries(all).flatMap(([id, text]) => (id === run ? [] : [JSON.parse(text) as number[]]));
    return isHopeless(curve, planned, others, earlyStop);
  }
}
