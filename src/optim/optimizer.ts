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

/** A parameter with its gradient ahead of it and its state behind. */
interface Slot {
  readonly size: number;
  readonly tensors: readonly Tensor[];
}

export interface Updates {
  /** The entry for so many parameters. */
  kernel(slots: number): Kernel;
  readonly constants: Constants;
  /** Parameters a launch that there are entries for, most first; 1 is among them. */
  readonly slotCounts: readonly number[];
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
    const named = module.namedParameters();
    // Fields may share a parameter.
    this.named = named.filter(({ tensor }, i) => named.findIndex((other) => other.tensor === tensor) === i);
    this.rates = this.engine.keep(this.engine.zeros([rateCount]));
  }

  /** The rates as the kernel reads them. */
  protected abstract currentRates(): number[];
  /** The kernels that update several parameters at once. */
  protected abstract readonly updates: Updates;
  /** The state of parameter `index`, in the order of the kernel's bindings. */
  protected abstract stateOf(index: number): readonly Tensor[];
  /** State tensors, named `<parameter>.<kind>`. */
  abstract state(): NamedTensor[];

  /** Updates every parameter that has a gradient, in place. */
  step(): void {
    this.engine.feed(this.rates.storage, () => this.nextRates());
    const slots = this.named.flatMap(({ tensor }, i) =>
      tensor.grad ? [{ size: tensor.size, tensors: [tensor.grad, tensor, ...this.stateOf(i)] }] : [],
    );
    const { slotCounts } = this.updates;
    const most = this.engine.device.limits.maxStorageBuffersPerShaderStage - 1;
    const each = slots[0]?.tensors.length ?? 1;
    // One kernel for many, one for the rest: compiling a third takes longer than it would save.
    const many = slotCounts.find((n) => n * each <= most) ?? 1;
    for (let first = 0; first < slots.length; ) {
      const count = first + many <= slots.length ? many : 1;
      this.launch(slots.slice(first, first + count));
      first += count;
    }
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

  private launch(slots: readonly Slot[]): void {
    const { kernel, constants } = this.updates;
    let groups = 0;
    const firsts = slots.map(({ size }) => {
      const first = groups;
      groups += Math.ceil(size / 64);
      return first;
    });
    const [x, y] = plane(this.engine, groups);
    const eight = (values: readonly number[]) => Array.from({ length: 8 }, (_, i) => values[i] ?? 0);
    this.engine.dispatch({
      kernel: kernel(slots.length),
      constants,
      buffers: [this.rates, ...slots.flatMap(({ tensors }) => tensors)].map((t) => t.storage),
      params: [...eight(slots.map(({ size }) => size)), ...eight(firsts), x, 0, 0, 0],
      workgroups: [x, y],
    });
  }
}
