/** Gradients added up over several steps before parameters move. */

import { ArgumentError } from '../errors.ts';
import type { Runtime } from '../gpu/runtime.ts';
import { zeros } from '../tensor/create.ts';
import { letUsingDispose } from '../tensor/dispose.ts';
import { commonEngine, Tensor } from '../tensor/tensor.ts';
import { clearTotals, launchRunning } from './running.ts';

/**
 * Adds up gradients over several steps, for batches larger than memory: both the steps and the update may be captured, since what
 * adds up lies in tensors of its own. Divide each loss by the number of steps for the mean of all.
 * @example
 * const accumulator = new GradientAccumulator(optimizer.parameters);
 * const gather = capture(engine, (x, y) => {
 *   const loss = crossEntropy(model.forward(x), y);
 *   loss.div(4).backward();
 *   accumulator.add();
 *   return loss;
 * });
 * const update = capture(engine, () => {
 *   accumulator.load();
 *   optimizer.step();
 *   accumulator.reset();
 * });
 * for (const [i, [x, y]] of batches.entries()) {
 *   gather(x, y);
 *   if (i % 4 === 3) update();
 * }
 */
export class GradientAccumulator {
  private readonly engine: Runtime;
  /** What gradients are added up of. */
  readonly parameters: readonly Tensor[];
  private readonly totals: readonly Tensor[];
  /** The places of those that had a gradient since the last {@link reset}. */
  private readonly added = new Set<number>();

  /**
   * @param parameters f32 leaves, such as an optimizer's.
   * @throws {ArgumentError} when there are none, or one of them is not an f32 leaf that requires a gradient.
   * @throws {EngineMismatchError} when they belong to several engines.
   */
  constructor(parameters: readonly Tensor[]) {
    this.engine = commonEngine('GradientAccumulator', parameters);
    const strange = parameters.find((t) => t.dtype !== 'f32' || !t.isLeaf || !t.requiresGrad);
    if (strange) {
      throw new ArgumentError({
        where: 'GradientAccumulator',
        message: `${strange} is not an f32 leaf that requires a gradient.`,
      });
    }
    this.parameters = [...new Set(parameters)];
    this.totals = this.parameters.map(({ shape }) => this.engine.keep(zeros(this.engine, shape)));
  }

  /** Adds the gradients there are to what was added before, and frees them. */
  add(): void {
    const pairs = new Map(
      this.parameters.flatMap(({ grad }, i) => (grad ? [[i, [this.totals[i] as Tensor, grad] as const] as const] : [])),
    );
    launchRunning('add', [...pairs.values()]);
    this.engine.eachTime(() => {
      for (const i of pairs.keys()) this.added.add(i);
    });
    this.freeGradients();
  }

  /**
   * Makes the sums the parameters' gradients, for clipping and for the optimizer's step; call {@link reset} behind it. A parameter that
   * had no gradient since the last reset has none then either: neither weight decay nor momentum moves it. A captured step goes by
   * which had some when it was recorded.
   */
  load(): void {
    this.freeGradients();
    for (const i of this.added) {
      const total = this.totals[i] as Tensor;
      (this.parameters[i] as Tensor).grad = Tensor.view(total, total.shape, 'grad').moveTo(null);
    }
  }

  /** Begins anew: frees the gradients, and sums are zeros again. */
  reset(): void {
    this.freeGradients();
    clearTotals(this.totals);
    this.engine.eachTime(() => this.added.clear());
  }

  private freeGradients(): void {
    for (const parameter of this.parameters) {
      parameter.grad?.dispose();
      parameter.grad = null;
    }
  }

  /** Frees the sums. */
  dispose(): void {
    for (const total of this.totals) total.dispose();
  }

  /** {@link dispose}, for `using`. */
  declare [Symbol.dispose]: () => void;
}

letUsingDispose(GradientAccumulator);
