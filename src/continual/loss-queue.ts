/** The losses of steps under way: gathered on the device, read in batches, and reported with their steps in order. */
import type { Engine } from '../tensor/engine.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { LossTerms } from './loss-terms.ts';

/** A step with the names of its loss's terms. */
interface Queued<Step> {
  readonly step: Step;
  readonly names: readonly string[];
}

/** A step with its loss, and the terms of it by name. */
export interface StepLoss<Step> {
  readonly step: Step;
  readonly loss: number;
  readonly terms: Readonly<Record<string, number>>;
}

export class LossQueue<Step> {
  /** f32 [size, columns]: losses and their terms since the last read. */
  private window: Tensor | null = null;
  private columns = 0;
  private steps: Queued<Step>[] = [];
  private readonly reads: {
    readonly steps: readonly Queued<Step>[];
    readonly columns: number;
    readonly losses: Promise<ArrayBuffer>;
  }[] = [];

  /** @param size steps whose losses are read together. */
  constructor(
    private readonly engine: Engine,
    private readonly size: number,
  ) {}

  /** Takes in a step, its loss and the terms of it, f32 of one element each, which may be overwritten or freed afterwards. */
  add(step: Step, loss: Tensor, terms: LossTerms = {}): void {
    const all = [loss, ...Object.values(terms)];
    if (all.length > this.columns) this.widen(all.length);
    const { storage } = this.window as Tensor;
    for (const [column, value] of all.entries())
      this.engine.copy(value.storage, storage, 4, 4 * (this.columns * this.steps.length + column));
    this.steps.push({ step, names: Object.keys(terms) });
    if (this.steps.length === this.size) this.read();
  }

  /** Begins to read what was gathered, without waiting for it. */
  read(): void {
    const { steps, columns, window } = this;
    if (steps.length === 0 || !window) return;
    this.steps = [];
    const losses = this.engine.read(window.storage, 4 * columns * steps.length);
    // Thrown where it is awaited, unless an earlier one was.
    losses.catch(() => {});
    this.reads.push({ steps, columns, losses });
  }

  /**
   * The steps whose losses are there, waiting until no more than `left` reads are under way.
   * @throws the device's errors.
   */
  async *settle(left: number): AsyncGenerator<StepLoss<Step>> {
    while (this.reads.length > left) {
      const { steps, columns, losses } = this.reads.shift() as (typeof this.reads)[number];
      const values = new Float32Array(await losses);
      for (const [row, { step, names }] of steps.entries()) {
        const terms = names.map((name, term) => [name, values[row * columns + 1 + term] as number] as const);
        yield { step, loss: values[row * columns] as number, terms: Object.fromEntries(terms) };
      }
    }
  }

  dispose(): void {
    this.window?.dispose();
  }

  /** Makes room for more terms than any step had so far. */
  private widen(columns: number): void {
    this.read();
    this.window?.dispose();
    this.window = this.engine.keep(Tensor.empty(this.engine, [this.size, columns], 'f32', 'LossQueue'));
    this.columns = columns;
  }
}
