/** What a person sees while students are trained: a live bar on a terminal, a line an epoch elsewhere. */
import { SingleBar } from 'cli-progress';
import picocolors from 'picocolors';
import type { EpochEvent, StepEvent } from '../../continual/events.ts';
import type { StudentResult } from '../../report/compression-results.ts';
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
    this.bar = process.stdout.isTTY
      ? new SingleBar({
          format: () => this.draw(),
          stream: process.stdout,
          fps: 8,
          clearOnComplete: true,
          gracefulExit: false,
          hideCursor: false,
          forceRedraw: true,
          emptyOnZero: true,
        })
      : null;
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
    const said = [`loss ${loss.toFixed(4)}`, this.speed, this.left].filter(Boolean).join(', ');
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
    this.bar?.start(this.planned * this.each, this.done);
  }

  private get left(): string {
    const { rate } = this.pace;
    return rate > 0 ? `${remaining(Math.max(0, this.planned * this.each - this.done) / rate)} left` : '';
  }

  private get speed(): string {
    const { rate } = this.pace;
    return rate > 0 ? `${rate.toFixed(rate < 10 ? 1 : 0)} images/s` : '';
  }

  private draw(): string {
    const at = this.current;
    if (!at) return `${this.name}  compiling the kernels…`;
    const size = Math.min(40, Math.max(4, (process.stdout.columns || 80) - AROUND));
    const full = Math.min(size, Math.round((size * this.done) / (this.planned * this.each)));
    const bar = picocolors.cyan('━'.repeat(full)) + picocolors.dim('─'.repeat(size - full));
    const where = `${this.name.padEnd(18)} epoch ${`${at.epoch + 1}`.padStart(`${at.epochs}`.length)}/${at.epochs}`;
    return `${where}  ${bar} ${this.speed.padStart(13)}  loss ${at.loss.toFixed(3)}  ${this.left}`;
  }
}
