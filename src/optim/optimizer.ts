/** What optimizers share: their parameters, rates that live on the device, and state that can be saved. */

import gateSource from '../../shaders/optim/gate.wgsl';
import { ArgumentError, DTypeError } from '../errors.ts';
import type { Runtime } from '../gpu/runtime.ts';
import type { AnyModule, NamedTensor } from '../nn/module.ts';
import { tensorFrom, zeros } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { launchSlots, type SlotKernel } from './slots.ts';

/** @throws {ArgumentError} unless the number lies in [low, high). */
export function checkRate(where: string, name: string, value: number, low = 0, high = Number.POSITIVE_INFINITY): void {
  if (!(value >= low && value < high)) {
    throw new ArgumentError({
      where,
      message: `${name} must be in [${low}, ${high === Number.POSITIVE_INFINITY ? '∞' : high}), not ${value}.`,
    });
  }
}

/**
 * What is trained.
 * @throws {ArgumentError} when that is nothing.
 * @throws {DTypeError} when one of them is not f32.
 */
function trainedIn(module: AnyModule, where: string): NamedTensor[] {
  const named = module.namedParameters();
  if (named.length === 0) {
    const { length } = [...module.namedTensors()];
    throw new ArgumentError({
      where,
      message: `there is nothing to train: ${module.constructor.name} has ${length > 0 ? `${length} tensors, and none of them requires a gradient` : 'no parameters'}.`,
      fix:
        length > 0
          ? 'Call unfreeze() on what is to be trained, before the optimizer is made.'
          : 'Keep parameters and layers in fields of the module, or in arrays, maps and plain objects there.',
    });
  }
  const other = named.find(({ tensor }) => tensor.dtype !== 'f32');
  if (other) {
    throw new DTypeError({
      where,
      message: `the parameter "${other.name}" is ${other.tensor.dtype}; optimizers update f32.`,
      fix: 'Keep parameters in f32: convolutions and linear layers round them for f16 images by themselves.',
    });
  }
  return named;
}

/** What an optimizer counts; see {@link Optimizer.counters}. */
export interface OptimizerCounters {
  /** Calls of `step`. */
  readonly steps: number;
  /** What the device remembers of the steps that were taken, where some may be skipped. */
  readonly progress?: readonly number[];
}

/** Rates that the device adapts to the steps really taken; see `shaders/optim/gate.wgsl`. */
interface Gate {
  readonly given: Tensor;
  readonly progress: Tensor;
  uploaded: readonly number[];
}

/**
 * What {@link SGD}, {@link Adam} and {@link AdamW} share: in-place updates of a module's parameters, and state that can be saved.
 */
export abstract class Optimizer {
  readonly engine: Runtime;
  protected readonly named: readonly NamedTensor[];
  private readonly rates: Tensor;
  private uploaded: readonly number[] = [];
  private gate: Gate | null = null;
  /** Steps taken, those that were skipped on the device included. */
  steps = 0;

  /**
   * Trains what requires a gradient now, each tensor once: what is unfrozen later needs an optimizer made later.
   * @param lr learning rate; may be set before any step.
   * @throws {ArgumentError} when the module has nothing to train, or the rate is out of range.
   * @throws {DTypeError} when a trained parameter is not f32.
   */
  constructor(
    module: AnyModule,
    public lr: number,
    rateCount: number,
  ) {
    checkRate(new.target.name, 'the learning rate', lr);
    this.engine = module.engine;
    this.named = trainedIn(module, new.target.name);
    this.rates = this.engine.keep(zeros(this.engine, [rateCount]));
  }

  /** The rates as the kernel reads them, for step number `steps`. */
  protected abstract currentRates(): number[];
  /** The same for any step, as `optim/gate.wgsl` reads them. */
  protected abstract configuredRates(): number[];
  /** What `optim/gate.wgsl` remembers, after `steps` steps. */
  protected abstract progress(): number[];
  protected abstract readonly gateEntry: string;
  /** The kernel that updates a parameter. */
  protected abstract readonly updates: SlotKernel;
  /** The state of parameter `index`, in the order of the kernel's bindings. */
  protected abstract stateOf(index: number): readonly Tensor[];
  /** State tensors, named `<parameter>.<kind>`. */
  abstract state(): NamedTensor[];

  /**
   * Updates every parameter that has a gradient, in place.
   * @param skip u32 [1] on the device: the step is skipped if it is not 0 by then. Parameters and state stay what they were,
   * and what depends on the number of steps counts those that were taken.
   */
  step(skip?: Tensor): void {
    if (skip) this.openGate(skip);
    else this.feedRates();
    const slots = this.named.flatMap(({ tensor }, i) =>
      tensor.grad ? [{ size: tensor.size, tensors: [tensor.grad, tensor, ...this.stateOf(i)] }] : [],
    );
    launchSlots(this.engine, this.updates, [this.rates], slots);
  }

  private feedRates(): void {
    this.engine.feed(this.rates.storage, () => {
      this.steps++;
      const rates = this.currentRates();
      if (sameNumbers(rates, this.uploaded)) return null;
      this.uploaded = rates;
      return Float32Array.from(rates);
    });
  }

  /**
   * What {@link state} does not hold of where an optimizer is: to go on later, {@link restore} it. Read as of the call.
   */
  async counters(): Promise<OptimizerCounters> {
    const { steps, gate } = this;
    return gate ? { steps, progress: [...(await gate.progress.data())] } : { steps };
  }

  /**
   * Goes on where {@link counters} were read; the tensors of {@link state} are loaded apart.
   * @throws {ArgumentError} when they are of an optimizer of another kind.
   */
  restore({ steps, progress }: OptimizerCounters): void {
    if (progress && progress.length !== this.progress().length) {
      throw new ArgumentError({
        where: this.constructor.name,
        message: `${progress.length} numbers of progress are of an optimizer of another kind; ${this.progress().length} were expected.`,
      });
    }
    this.steps = steps;
    this.uploaded = [];
    if (progress) this.gate = this.makeGate(progress);
  }

  private makeGate(progress: readonly number[]): Gate {
    this.gate?.given.dispose();
    this.gate?.progress.dispose();
    return {
      given: this.engine.keep(zeros(this.engine, this.rates.shape)),
      progress: this.engine.keep(tensorFrom(this.engine, progress)),
      uploaded: [],
    };
  }

  private openGate(skip: Tensor): void {
    this.gate ??= this.makeGate(this.progress());
    const { gate } = this;
    this.engine.feed(gate.given.storage, () => {
      this.steps++;
      this.uploaded = [];
      const rates = this.configuredRates();
      if (sameNumbers(rates, gate.uploaded)) return null;
      gate.uploaded = rates;
      return Float32Array.from(rates);
    });
    this.engine.dispatch({
      kernel: { name: 'gate', source: gateSource, entry: this.gateEntry },
      buffers: [skip, gate.given, gate.progress, this.rates].map((t) => t.storage),
      workgroups: [1],
    });
  }

  /** What is trained, each once. */
  get parameters(): readonly Tensor[] {
    return this.named.map(({ tensor }) => tensor);
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
    this.gate?.given.dispose();
    this.gate?.progress.dispose();
    for (const { tensor } of this.state()) tensor.dispose();
  }

  /** Zeros for every parameter, kept. */
  protected zeros(): Tensor[] {
    return this.named.map(({ tensor }) => this.engine.keep(zeros(this.engine, tensor.shape)));
  }

  protected nameState(kind: string, tensors: readonly Tensor[]): NamedTensor[] {
    return tensors.map((tensor, i) => {
      const { name, layout } = this.named[i] as NamedTensor;
      return { name: `${name}.${kind}`, tensor, layout };
    });
  }
}

const sameNumbers = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);
