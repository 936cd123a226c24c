/** What a person sees while students are trained: a live bar on a terminal, a line an epoch elsewhere. */
import type { SingleBar } from 'cli-progress';
import picocolors from 'picocolors';
import type { EpochEvent, StepEvent } from '../../continual/events.ts';
import type { StudentResult } from '../../report/compression-results.ts';
import { barColumns, drawnBar, liveBar } from '../live-bar.ts';
import { Pace, remaining } from '../pace.ts';

/** Columns of the line around the bar. */
const AROUND = 72;

export class DistillView {
  private readonly bar: SingleBar | null;
  private readonly pace = new Pace();
  private done = 0;
  private current: StepEvent | null = null;
  private name = '';
  private students = 0;

  /**
   * @param planned students to be trained.
   * @param each images that each learns on, over all its epochs.
   */
  constructor(
    private readonly planned: number,
    private readonly each: number,
  ) {
    this.bar = liveBar(() => this.draw());
    this.start();
  }

  /** A student's training begins. */
  begin(name: string): void {
    this.name = name;
    this.current = null;
  }

  step(event: StepEvent): void {
    this.current = event;
    this.done += event.images;
    this.pace.add(this.done);
    this.bar?.update(this.done);
  }

  epoch({ epoch, loss }: EpochEvent): void {
    if (this.bar) return;
    const epochs = this.current?.epochs ?? epoch + 1;
    const said = [`loss ${loss.toFixed(4)}`, this.pace.speed, this.left].filter(Boolean).join(', ');
    console.log(`${this.name}, epoch ${epoch + 1}/${epochs}: ${said}`);
  }

  /** A student is tested. */
  ended({ accuracy, seconds }: StudentResult): void {
    this.students++;
    // What was planned may have been a little off.
    this.done = this.students * this.each;
    this.bar?.stop();
    console.log(
      `${picocolors.green(this.name.padEnd(18))}${accuracy.toFixed(1).padStart(5)} %` +
        picocolors.dim(` (${remaining(seconds)})`),
    );
    if (this.students < this.planned) this.start();
  }

  /** Takes the bar away. */
  stop(): void {
    this.bar?.stop();
  }

  private start(): void {
    this.bar?.start(this.total, this.done);
  }

  private get total(): number {
    return this.planned * this.each;
  }

  private get left(): string {
    return this.pace.left(this.total - this.done);
  }

  private draw(): string {
    const at = this.current;
    if (!at) return `${this.name}  compiling the kernels…`;
    const bar = drawnBar(barColumns(AROUND), this.done / this.total);
    const where = `${this.name.padEnd(18)} epoch ${`${at.epoch + 1}`.padStart(`${at.epochs}`.length)}/${at.epochs}`;
    return `${where}  ${bar} ${this.pace.speed.padStart(13)}  loss ${at.loss.toFixed(3)}  ${this.left}`;
  }
}
