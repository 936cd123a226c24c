/** What a person sees while runs are analysed: a live line on a terminal, now and then one elsewhere. */
import { SingleBar } from 'cli-progress';
import picocolors from 'picocolors';
import type { AnalysisName } from '../analysis/run/analysis-record.ts';
import { printable } from '../gpu/printable.ts';
import { remaining } from './pace.ts';

/** Seconds between two lines where there is no terminal. */
const SPARSE = 10;

export class AnalysisProgress {
  private bar: SingleBar | null = null;
  private name: AnalysisName | null = null;
  private began = performance.now();
  private spoken = performance.now();

  /** @param run its name. */
  constructor(
    private readonly run: string,
    private readonly quiet: boolean,
  ) {}

  /** How much of a measure is done. */
  report(name: AnalysisName, done: number, of: number): void {
    if (this.quiet) return;
    if (this.name !== name) {
      this.name = name;
      this.spoken = this.began;
      if (process.stdout.isTTY) this.bar = this.startBar(name, of);
    }
    this.bar?.update(done);
    if (this.bar || performance.now() - this.spoken < SPARSE * 1000) return;
    this.spoken = performance.now();
    console.log(`${this.title(name)} ${Math.floor((100 * done) / of)} %`);
  }

  /** A measure is there. */
  done(name: AnalysisName): void {
    this.stop();
    const seconds = (performance.now() - this.began) / 1000;
    this.began = performance.now();
    if (!this.quiet) console.log(`${this.title(name)} ${picocolors.dim(remaining(seconds))}`);
  }

  /** Takes the bar away. */
  stop(): void {
    this.bar?.stop();
    this.bar = null;
  }

  private title(name: AnalysisName): string {
    return `${printable(this.run)}: ${picocolors.green(name)}`;
  }

  private startBar(name: AnalysisName, of: number): SingleBar {
    const bar = new SingleBar({
      format: `${this.title(name)} ${picocolors.cyan('{bar}')} {percentage} %`,
      stream: process.stdout,
      barsize: 24,
      barCompleteChar: '━',
      barIncompleteChar: '─',
      fps: 8,
      clearOnComplete: true,
      gracefulExit: false,
      hideCursor: false,
      emptyOnZero: true,
    });
    bar.start(of, 0);
    return bar;
  }
}
