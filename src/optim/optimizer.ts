/** What optimizers share: their parameters, rates that live on the device, and state that can be saved. */
import type { Engine } from '../gpu/engine.ts';
import { ArgumentError } from '../gpu/errors.ts';
import type { Constants, Kernel } from '../gpu/kernel.ts';
import type { Module, NamedTensor } from '../nn/module.ts';
import { plane } from '../ops/reduce.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** @throws ArgumentError unless the number lies in [low, high). */
export function checkRate(where: string, name: string, value: number, low = 0, high = Number.POSITIVE_INFINITY): void {
  if (!(value >= low && value < high)) {
    throw new ArgumentError({
      where,
      message: `${name} must be in [${low}, ${high === Number.POSITIVE_INFINITY ? '∞' : high}), not ${value}.`,
    });
  }
}

export abstract class Optimizer {
  readonly engine: Engine;
  protected readonly named: readonly NamedTensor[];
  private readonly rates: Tensor;
  private uploaded: readonly number[] = [];
  /** Steps taken. */
  steps = 0;

  /** @param lr learning rate; may be set before any step. */
  constructor(
    module: Module,
    public lr: number,
    rateCount: number,
  ) {
    checkRate(new.target.name, 'the learning rate', lr);
    this.engine = module.engine;
    this.named = module.namedParameters();
    this.rates = this.engine.keep(this.engine.zeros([rateCount]));
  }

  /** The rates as the kernel reads them. */
  protected abstract currentRates(): number[];
  /** Launches the update of one parameter; `index` finds its state. */
  protected abstract update(parameter: Tensor, gradient: Tensor, index: number): void;
  /** State tensors, named `<parameter>.<kind>`. */
  abstract state(): NamedTensor[];

  /** Updates every parameter that has a gradient, in place. */
  step(): void {
    this.engine.feed(this.rates.storage, () => this.nextRates());
    this.named.forEach(({ tensor }, i) => {
      if (tensor.grad) this.update(tensor, tensor.grad, i);
    });
  }

  /** Counts a step; the rates if they have changed. */
  private nextRates(): Float32Array<ArrayBuffer> | null {
    this.steps++;
    const rates = this.currentRates();
    if (rates.every((rate, i) => rate === this.uploaded[i])) return null;
    this.uploaded = rates;
    return Float32Array.from(rates);
  }

  /** Frees the gradients. */
  zeroGrad(): void {
    for (const { tensor } of this.named) {
      tensor.grad?.dispose();
      tensor.grad = null;
    }
  }

  /** Frees the optimizer's state, not the parameters. */
  dispose(): void {
    this.rates.dispose();
    for (const { tensor } of this.state()) tensor.dispose();
  }

  /** Zeros for every parameter, kept. */
  protected zeros(): Tensor[] {
    return this.named.map(({ tensor }) => this.engine.keep(this.engine.zeros(tensor.shape)));
  }

  protected nameState(kind: string, tensors: readonly Tensor[]): NamedTensor[] {
    return tensors.map((tensor, i) => {
      const { name, layout } = this.named[i] as NamedTensor;
      return { name: `${name}.${kind}`, tensor, layout };
    });
  }

  protected launch(
    kernel: Kernel,
    constants: Constants,
    gradient: Tensor,
    parameter: Tensor,
    ...state: Tensor[]
  ): void {
    const [x, y] = plane(this.engine, Math.ceil(parameter.size / 64));
    this.engine.dispatch({
      kernel,
      constants,
      buffers: [this.rates, gradient, parameter, ...state].map((t) => t.storage),
      params: [parameter.size, x * 64],
      workgroups: [x, y],
    });
  }
}
