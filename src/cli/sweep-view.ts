/** What a person sees of a sweep under way: a live table on a terminal, a line a run elsewhere. */
import { createLogUpdate } from 'log-update';
import picocolors from 'picocolors';
import { printable } from '../gpu/printable.ts';
import { counted } from '../report/counted.ts';
import type { ConfigurationResult } from '../sweep/comparison.ts';
import { type PlannedRun, plannedCounts } from '../sweep/plan.ts';
import type { ResultsFile, SweepResult } from '../sweep/results.ts';
import type { RunState, SweepState } from '../sweep/state.ts';
import { sweepTable } from '../sweep/sweep-table.ts';
import { drawnBar } from './live-bar.ts';
import { remaining } from './pace.ts';

/** Milliseconds between two drawings. */
const DRAW_MS = 500;
/** Seconds between two lines on what is under way, where there is no terminal. */
const SPARSE_S = 30;

export interface ViewOptions {
  readonly state: SweepState;
  readonly results: ResultsFile;
  /** The table's lines as they are now. */
  readonly compared: () => readonly ConfigurationResult[];
  /** Runs at once, as far as is known. */
  readonly atOnce: () => number;
  /** What a person should know, such as a queue that does not answer; empty where all is well. */
  readonly notice: () => string;
}

const nameOf = ({ label, pair }: PlannedRun): string => printable([label, pair].filter(Boolean).join(', '));

/** What a run came to, in words. */
export const outcomeText = ({ average, last, stopped }: SweepResult): string =>
  `average ${average.toFixed(1)} %, last ${last.toFixed(1)} %` +
  (stopped === undefined ? '' : `, stopped after ${counted(stopped, 'task')}`);

export class SweepView {
  private readonly draw = process.stdout.isTTY ? createLogUpdate(process.stdout) : null;
  private readonly timer: NodeJS.Timeout;
  private readonly planned: ReadonlyMap<string, number>;
  private spoken = performance.now();
  private noticed = '';

  constructor(private readonly options: ViewOptions) {
    this.planned = plannedCounts(options.state.runs.map(({ run }) => run));
    this.timer = setInterval(() => this.tick(), DRAW_MS);
  }

  /** A run is done, or has failed for good. */
  ended(run: PlannedRun): void {
    const { status, error } = this.options.state.get(run.id);
    const result = this.options.results.get(run.id);
    const said =
      status === 'failed' || !result
        ? picocolors.red(`failed: ${printable(error)}`)
        : outcomeText(result) + picocolors.dim(` (${remaining(result.seconds)})`);
    const line = `${picocolors.green(run.id)}  ${nameOf(run)}: ${said}`;
    this.draw?.clear();
    console.log(line);
    if (!this.draw) console.log(this.footer());
    this.spoken = performance.now();
  }

  /** The table as it is now. */
  table(): string {
    return sweepTable(this.options.compared(), this.planned);
  }

  /** Takes the live table away. */
  stop(): void {
    clearInterval(this.timer);
    this.draw?.clear();
  }

  private tick(): void {
    if (this.draw) {
      this.draw(this.picture());
      return;
    }
    const notice = this.options.notice();
    if (notice !== this.noticed && notice !== '') console.log(picocolors.yellow(notice));
    this.noticed = notice;
    if (performance.now() - this.spoken < SPARSE_S * 1000) return;
    this.spoken = performance.now();
    for (const line of this.running()) console.log(line);
    console.log(this.footer());
  }

  /** As much of it as the terminal has room for. */
  private picture(): string {
    const notice = this.options.notice();
    const below = [...this.running(), ...(notice === '' ? [] : [picocolors.yellow(notice)]), this.footer()];
    const room = (process.stdout.rows || 24) - below.length - 1;
    const table = this.table().split('\n');
    const above = table.length <= room ? table : [...table.slice(0, Math.max(0, room - 1)), picocolors.dim('…')];
    return [...above, ...below].join('\n');
  }

  private running(): string[] {
    return this.options.state.of('running').map((one) => this.line(one));
  }

  private line({ run, share, text, lost }: RunState): string {
    const size = 12;
    const bar = drawnBar(size, share);
    const again = lost > 0 ? picocolors.yellow(` (try ${lost + 1})`) : '';
    const said = `${nameOf(run)}: ${printable(text)}`;
    const room = process.stdout.isTTY ? (process.stdout.columns || 80) - size - 12 : said.length;
    return `${bar} ${said.slice(0, Math.max(0, room))}${again}`;
  }

  private footer(): string {
    const { state, atOnce } = this.options;
    const [done, failed] = [state.of('done').length, state.of('failed').length];
    const left = state.secondsLeft(atOnce());
    const parts = [
      `${done} of ${state.runs.length} runs done`,
      ...(failed > 0 ? [picocolors.red(`${failed} failed`)] : []),
      ...(left === null || left === 0 ? [] : [`about ${remaining(left)} left`]),
    ];
    return picocolors.bold(parts.join(', '));
  }
}
