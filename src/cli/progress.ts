/** What a person sees while a run learns: a live bar on a terminal, now and then a line elsewhere. */
import type { SingleBar } from 'cli-progress';
import picocolors from 'picocolors';
import type { BenchmarkEvent, TestedTaskEvent } from '../continual/benchmark/benchmark.ts';
import type { NoticeEvent, StepEvent } from '../continual/events.ts';
import { clipped, printable } from '../gpu/printable.ts';
import { barColumns, drawnBar, liveBar } from './live-bar.ts';
import { Pace, remaining } from './pace.ts';

/** Seconds between two lines where there is no terminal. */
const SPARSE = 10;
/** Columns of the line around the bar. */
const AROUND = 66;

export class Progress {
  private readonly bar: SingleBar | null;
  private readonly pace = new Pace();
  private readonly total: number;
  private done: number;
  private spoken = performance.now();
  private current: StepEvent | null = null;
  private testing = false;

  /**
   * @param planned images to be learnt on in each task, over all its epochs.
   * @param tasksDone tasks that were learnt before.
   * @param begun images that the task after them was learnt on before.
   */
  constructor(
    private readonly planned: readonly number[],
    tasksDone: number,
    begun: number,
  ) {
    this.total = sum(planned);
    this.done = Math.min(sum(planned.slice(0, tasksDone)) + begun, sum(planned.slice(0, tasksDone + 1)));
    this.bar = liveBar(() => this.draw());
    this.bar?.start(this.total, this.done);
  }

  report(event: BenchmarkEvent): void {
    if (event.type === 'notice') this.notice(event);
    else if (event.type === 'step') this.step(event);
    else if (event.type === 'epoch') this.testing = event.epoch + 1 === this.current?.epochs;
    else if (event.type === 'task') this.task(event);
  }

  /** Takes the bar away. */
  stop(): void {
    this.bar?.stop();
  }

  private notice({ message }: NoticeEvent): void {
    this.bar?.stop();
    console.log(picocolors.yellow(message));
    this.bar?.start(this.total, this.done);
  }

  private step(event: StepEvent): void {
    this.current = event;
    this.testing = false;
    this.done += event.images;
    this.pace.add(this.done);
    if (this.bar) this.bar.update(this.done);
    else if (performance.now() - this.spoken > SPARSE * 1000) {
      this.spoken = performance.now();
      console.log(this.plainLine(event));
    }
  }

  private task({ task, accuracy, seconds, accuracies, skippedSteps }: TestedTaskEvent): void {
    this.bar?.stop();
    const worst = accuracies.length > 1 ? `, on the first task ${(accuracies[0] as number).toFixed(1)} %` : '';
    const number = `task ${task + 1}/${this.planned.length}`.padEnd(10);
    console.log(
      `${picocolors.green(number)}${accuracy.toFixed(1).padStart(5)} % on all classes seen${worst}` +
        picocolors.dim(` (${remaining(seconds)}${skippedSteps > 0 ? `, ${skippedSteps} steps left out` : ''})`),
    );
    this.spoken = performance.now();
    // What was planned may have been a little off.
    this.done = sum(this.planned.slice(0, task + 1));
    if (task + 1 < this.planned.length) this.bar?.start(this.total, this.done);
  }

  private get left(): string {
    return this.pace.left(this.total - this.done);
  }

  private plainLine(at: StepEvent): string {
    const { task, epoch, epochs, loss } = at;
    const parts = [`loss ${loss.toFixed(4)}`, this.pace.speed, this.left].filter(Boolean).join(', ');
    const phase = phaseOf(at);
    return `task ${task + 1}/${this.planned.length}, ${phase === '' ? '' : `${phase}, `}epoch ${epoch + 1}/${epochs}: ${parts}`;
  }

  private draw(): string {
    const at = this.current;
    if (!at) return 'compiling the kernels…';
    const tasks = this.planned.length;
    // Of eighty columns there is no more room.
    const name = this.testing ? '' : phaseOf(at, 7);
    const phase = name === '' ? '' : `${name}  `;
    const where = this.testing
      ? `task ${at.task + 1}/${tasks}  testing…   `
      : `task ${at.task + 1}/${tasks}  ${phase}epoch ${`${at.epoch + 1}`.padStart(`${at.epochs}`.length)}/${at.epochs}`;
    const bar = drawnBar(barColumns(AROUND + phase.length), this.done / this.total);
    return `${where}  ${bar} ${this.pace.speed.padStart(13)}  loss ${at.loss.toFixed(3)}  ${this.left}`;
  }
}

/** As its method calls it, or by its number behind the first; empty for a task's only one that has no name. */
const phaseOf = ({ phase, phaseName }: StepEvent, most = 40): string =>
  phaseName === undefined ? (phase > 0 ? `phase ${phase + 1}` : '') : printable(clipped(phaseName, most));

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
