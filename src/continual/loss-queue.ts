/** The losses of steps under way: gathered on the device, read in batches, and reported with their steps in order. */
import type { Engine } from '../tensor/engine.ts';
import { Tensor } from '../tensor/tensor.ts';

export class LossQueue<Step> {
  /** f32 [size]: the losses since the last read. */
  private readonly window: Tensor;
  private steps: Step[] = [];
  private readonly reads: { readonly steps: readonly Step[]; readonly losses: Promise<ArrayBuffer> }[] = [];

  /** @param size steps whose losses are read together. */
  constructor(
    private readonly engine: Engine,
    private readonly size: number,
  ) {
    this.window = engine.keep(Tensor.empty(engine, [size], 'f32', 'LossQueue'));
  }

  /** Takes in a step and its loss, f32 of one element, which may be overwritten or freed afterwards. */
  add(step: Step, loss: Tensor): void {
    this.engine.copy(loss.storage, this.window.storage, 4, 4 * this.steps.length);
    this.steps.push(step);
    if (this.steps.length === this.size) this.read();
  }

  /** Begins to read what was gathered, without waiting for it. */
  read(): void {
    const { steps } = this;
    if (steps.length === 0) return;
    this.steps = [];
    const losses = this.engine.read(this.window.storage, 4 * steps.length);
    // Thrown where it is awaited, unless an earlier one was.
    losses.catch(() => {});
    this.reads.push({ steps, losses });
  }

  /**
   * The steps whose losses are there, waiting until no more than `left` reads are under way.
   * @throws the device's errors.
   */
  async *settle(left: number): AsyncGenerator<{ step: Step; loss: number }> {
    while (this.reads.length > left) {
      const { steps, losses } = this.reads.shift() as (typeof this.reads)[number];
      const values = new Float32Array(await losses);
      for (const [i, step] of steps.entries()) yield { step, loss: values[i] as number };
    }
  }

  dispose(): void {
    this.window.dispose();
  }
}
