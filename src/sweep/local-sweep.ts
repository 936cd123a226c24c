/** The runs of a sweep on this machine, each in a process of its own, some at once. */
import { joinPath } from '../data/files.ts';
import { isHopeless } from './early-stop.ts';
import type { RunFigures } from './messages.ts';
import type { PlannedRun } from './plan.ts';
import { secondsSoFar } from './remaining-time.ts';
import { resultOf } from './results.ts';
import { type RunEnd, RunProcess, type RunProgram } from './run-process.ts';
import type { SweepWork } from './state.ts';

export interface LocalSweepOptions extends SweepWork {
  /** Where each run has a folder by its id. */
  readonly folder: string;
  readonly program: RunProgram;
  /** Runs at once. */
  readonly jobs: number;
  /** Keep each run's model after each task too. */
  readonly keepStages: boolean;
}

export class LocalSweep {
  private readonly processes = new Set<RunProcess>();
  private readonly curves = new Map<string, readonly number[]>();
  private isStopping = false;

  constructor(private readonly options: LocalSweepOptions) {
    // A file of results also has those of runs that were the sweep's before it was changed.
    for (const { run } of options.state.runs) {
      const known = options.results.get(run.id);
      if (known) this.curves.set(run.id, known.curve);
    }
  }

  /** Runs what has no result yet, in order; ends early where {@link stop} was called. */
  async run(): Promise<void> {
    const { state, results, jobs } = this.options;
    state.takeUp(results);
    const waiting = state.of('waiting').map(({ run }) => run);
    await Promise.all(
      Array.from({ length: jobs }, async () => {
        for (let next = waiting.shift(); next && !this.isStopping; next = waiting.shift()) await this.tryRun(next);
      }),
    );
  }

  /** Lets no more runs begin, and asks those under way to stop once all is saved; a second time, at once. */
  stop(): void {
    this.isStopping = true;
    for (const one of this.processes) one.stop();
  }

  private async tryRun(run: PlannedRun): Promise<void> {
    const { state, retries, onEnd } = this.options;
    for (let lost = 0; !this.isStopping; lost++) {
      const { end, isHopeless: isGivenUp } = await this.once(run);
      if (end.type === 'done') await this.record(run, end.figures, null);
      else if (end.type === 'stopped' && isGivenUp && end.figures)
        await this.record(run, end.figures, end.figures.curve.length);
      else if (end.type === 'stopped') {
        state.update(run.id, { status: 'waiting', text: 'stopped' });
        return;
      } else if (end.again && lost < retries) {
        state.update(run.id, { status: 'waiting', lost: lost + 1, error: end.message });
        continue;
      } else state.update(run.id, { status: 'failed', lost: lost + 1, error: end.message, text: '' });
      onEnd?.(run);
      return;
    }
  }

  /** One process's work on a run. */
  private async once(run: PlannedRun): Promise<{ end: RunEnd; isHopeless: boolean }> {
    const { folder, program, saveEvery, keepStages, state, earlyStop } = this.options;
    const began = performance.now();
    let hopeless = false;
    state.update(run.id, { status: 'running', text: 'starting' });
    const order = { config: run.config, folder: joinPath(folder, run.id), saveEvery, keepStages };
    const child = new RunProcess(program, order, (message) => {
      if (message.type === 'progress') {
        const { share, begun, text } = message;
        const seconds = secondsSoFar((performance.now() - began) / 1000, share, begun);
        state.update(run.id, { share, seconds, text });
      }
      if (message.type !== 'task') return;
      this.curves.set(run.id, message.curve);
      const others = [...this.curves].flatMap(([id, curve]) => (id === run.id ? [] : [curve]));
      if (!earlyStop || hopeless || !isHopeless(message.curve, message.planned, others, earlyStop)) return;
      hopeless = true;
      child.stop();
    });
    this.processes.add(child);
    const end = await child.ended;
    this.processes.delete(child);
    return { end, isHopeless: hopeless };
  }

  private async record(run: PlannedRun, figures: RunFigures, stopped: number | null): Promise<void> {
    await this.options.results.add(resultOf(run, figures, stopped));
    this.options.state.update(run.id, { status: 'done', share: 1, seconds: figures.seconds, text: '', error: '' });
  }
}
