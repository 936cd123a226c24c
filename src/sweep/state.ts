/** Where the runs of a sweep stand: what tables are drawn from. */
import type { PlannedRun } from './plan.ts';
import { secondsLeft } from './remaining-time.ts';
import type { ResultsFile } from './results.ts';
import type { EarlyStop } from './sweep-file.ts';

export type RunStatus = 'waiting' | 'running' | 'done' | 'failed';

export interface RunState {
  readonly run: PlannedRun;
  status: RunStatus;
  /** Of its images, from 0 to 1. */
  share: number;
  /** What it took, or takes as yet. */
  seconds: number;
  /** Where it is: task, epoch, loss; who works on it. */
  text: string;
  /** Tries that failed or were lost. */
  lost: number;
  /** Why it failed. */
  error: string;
}

/** What is to be done, wherever it is. */
export interface SweepWork {
  readonly results: ResultsFile;
  readonly state: SweepState;
  /** Epochs after which a run's state is saved. */
  readonly saveEvery: number;
  /** Tries after the first one that failed. */
  readonly retries: number;
  readonly earlyStop?: EarlyStop | undefined;
  /** Called when a run is done or has failed for good. */
  readonly onEnd?: (run: PlannedRun) => void;
}

export class SweepState {
  private readonly states: Map<string, RunState>;

  constructor(runs: readonly PlannedRun[]) {
    this.states = new Map(
      runs.map((run) => [
        run.id,
        { run, status: 'waiting', share: 0, seconds: 0, text: '', lost: 0, error: '' } satisfies RunState,
      ]),
    );
  }

  /** Takes up the results that are there: their runs are done. */
  takeUp(results: ResultsFile): void {
    for (const { run } of this.runs) {
      const known = results.get(run.id);
      if (known) this.update(run.id, { status: 'done', share: 1, seconds: known.seconds });
    }
  }

  get runs(): readonly RunState[] {
    return [...this.states.values()];
  }

  /** Those of a status. */
  of(status: RunStatus): RunState[] {
    return this.runs.filter((one) => one.status === status);
  }

  /** @throws {RangeError} for a run that is none of the sweep's. */
  get(id: string): RunState {
    const found = this.states.get(id);
    if (found) return found;
    throw new RangeError(`There is no run ${id} in this sweep.`);
  }

  /** Takes up what is known of a run. */
  update(id: string, known: Partial<Omit<RunState, 'run'>>): void {
    Object.assign(this.get(id), known);
  }

  /** Whether nothing is left to be done. */
  get isOver(): boolean {
    return this.runs.every(({ status }) => status === 'done' || status === 'failed');
  }

  /** Seconds until all is done, so many at once; `null` before anything is known. */
  secondsLeft(atOnce: number): number | null {
    const wanted = this.runs.filter(({ status }) => status !== 'failed');
    const left = secondsLeft(wanted.map(({ run, share, seconds }) => ({ label: run.label, done: share, seconds })));
    const open = wanted.filter(({ status }) => status !== 'done').length;
    return left === null ? null : left / Math.max(1, Math.min(atOnce, open));
  }
}
