/** Averages of weights over training, which often test better than the last ones. */

import { ArgumentError } from '../errors.ts';
import type { AnyModule, NamedTensor } from '../nn/module.ts';
import { copyInto, copyOf } from '../tensor/copy-into.ts';
import { letUsingDispose } from '../tensor/dispose.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkRate } from './check-rate.ts';
import { launchRunning } from './running.ts';

/**
 * Exponential moving averages of a model's trained parameters (Polyak & Juditsky 1992; Tarvainen & Valpola 2017): after each {@link update}
 * average = decay · average + (1 − decay) · parameter, beginning with the parameters as they are. Running statistics stay the model's.
 * @example
 * const average = new MovingAverage(model, { decay: 0.99 });
 * const train = capture(engine, (x, y) => {
 *   …
 *   optimizer.step();
 *   average.update();
 * });
 * average.swap(); // the model has the averages
 * await test(model);
 * average.swap(); // and goes on training
 */
export class MovingAverage {
  readonly decay: number;
  /** The averages by the parameters' names, in their layouts: what a file holds of them. */
  readonly state: readonly NamedTensor[];
  private readonly parameters: readonly Tensor[];

  /**
   * @param options `decay`: in [0, 1), 0.999 by default.
   * @throws {ArgumentError} when the model has nothing to train in f32, or the decay is out of range.
   */
  constructor(model: AnyModule, { decay = 0.999 }: { decay?: number } = {}) {
    checkRate('MovingAverage', 'the decay', decay, 0, 1);
    const named = model.namedParameters();
    if (named.length === 0 || named.some(({ tensor }) => tensor.dtype !== 'f32')) {
      throw new ArgumentError({
        where: 'MovingAverage',
        message: `${model.constructor.name} has ${named.length === 0 ? 'nothing to train' : 'parameters that are not f32'}.`,
      });
    }
    this.decay = decay;
    this.parameters = named.map(({ tensor }) => tensor);
    this.state = named.map(({ name, tensor, layout }) => ({ name, layout, tensor: kept(tensor) }));
  }

  /** Moves the averages towards the parameters; after the optimizer's step, within a captured step too. */
  update(): void {
    const pairs = this.parameters.map((parameter, i) => [this.averageOf(i), parameter] as const);
    launchRunning('follow', pairs, 1 - this.decay);
  }

  /** Exchanges the model's parameters and the averages: once to test with the averages, and once more to go on. */
  swap(): void {
    this.parameters.forEach((parameter, i) => {
      const before = kept(parameter);
      copyInto(this.averageOf(i), parameter);
      copyInto(before, this.averageOf(i));
      before.dispose();
    });
  }

  private averageOf(i: number): Tensor {
    return (this.state[i] as NamedTensor).tensor;
  }

  /** Frees the averages. */
  dispose(): void {
    for (const { tensor } of this.state) tensor.dispose();
  }

  /** {@link dispose}, for `using`. */
  declare [Symbol.dispose]: () => void;
}

letUsingDispose(MovingAverage);

const kept = (tensor: Tensor): Tensor => tensor.engine.keep(copyOf(tensor, 'MovingAverage'));
