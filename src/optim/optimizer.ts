/** What optimizers share: their parameters, rates that live on the device, and state that can be saved. */

import gateSource from '../../shaders/optim/gate.wgsl';
import { ArgumentError } from '../errors.ts';
import type { Runtime } from '../gpu/runtime.ts';
import type { NamedTensor } from '../nn/module.ts';
import { tensorFrom, zeros } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type ParameterGroup, type Trained, trainedGroups } from './parameter-groups.ts';
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

/** The rates that may differ from group to group. */
export interface GroupRates {
  readonly lr: number;
  readonly weightDecay: number;
}

/** A group on the device: where its parameters stand among all, and the rates that their kernels read. */
interface GroupState {
  readonly group: ParameterGroup;
  readonly first: number;
  readonly count: number;
  readonly rates: Tensor;
  uploaded: readonly number[];
  gate: Gate | null;
}

/**
 * What {@link SGD}, {@link Adam} and {@link AdamW} share: in-place updates of parameters, and state that can be saved.
 */
export abstract class Optimizer {
  readonly engine: Runtime;
  /** What is trained, in groups: one, without rates of its own, unless several were given. */
  readonly groups: readonly ParameterGroup[];
  /** Times the parameters, where a group has no rate of its own. */
  abstract readonly weightDecay: number;
  protected readonly named: readonly NamedTensor[];
  private readonly states: readonly GroupState[];
  /** Steps taken, those that were skipped on the device included. */
  steps = 0;

  /**
   * Trains what requires a gradient now, each tensor once: what is unfrozen later needs an optimizer made later.
   * @param lr learning rate, where a group has none of its own; may be set before any step.
   * @throws {ArgumentError} when there is nothing to train, a tensor requires no gradient or is there twice, or a rate is out of range.
   * @throws {DTypeError} when a trained parameter is not f32.
   * @throws {EngineMismatchError} when they belong to several engines.
   */
  constructor(
    trained: Trained,
    public lr: number,
    rateCount: number,
  ) {
    checkRate(new.target.name, 'the learning rate', lr);
    const groups = trainedGroups(trained, new.target.name);
    for (const { group } of groups) {
      checkRate(new.target.name, 'the learning rate of a group', group.lr ?? lr);
      checkRate(new.target.name, 'the weight decay of a group', group.weightDecay ?? 0);
    }
    this.named = groups.flatMap(({ named }) => named);
    this.engine = (this.named[0] as NamedTensor).tensor.engine;
    this.groups = groups.map(({ group }) => group);
    let first = 0;
    this.states = groups.map(({ group, named }) => {
      const rates = this.engine.keep(zeros(this.engine, [rateCount]));
      first += named.length;
      return { group, first: first - named.length, count: named.length, rates, uploaded: [], gate: null };
    });
  }

  /** The rates as the kernel reads them, for step number `steps`. */
  protected abstract currentRates(own: GroupRates): number[];
  /** The same for any step, as `optim/gate.wgsl` reads them. */
  protected abstract configuredRates(own: GroupRates): number[];
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
    // All before the step counts: each begins with the steps that were taken.
    const gates = skip ? this.states.map((state) => state.gate ?? this.makeGate(state, this.progress())) : [];
    for (const [i, state] of this.states.entries()) {
      const gate = gates[i];
      if (skip && gate) this.passGate(skip, state, gate);
      else this.feedRates(state);
      const { first, count } = state;
      const slots = this.named
        .slice(first, first + count)
        .flatMap(({ tensor }, i) =>
          tensor.grad ? [{ size: tensor.size, tensors: [tensor.grad, tensor, ...this.stateOf(first + i)] }] : [],
        );
      launchSlots(this.engine, this.updates, [state.rates], slots);
    }
  }

  private ratesOf({ lr = this.lr, weightDecay = this.weightDecay }: ParameterGroup): GroupRates {
    return { lr, weightDecay };
  }

  /** Counts the step, once for all groups. */
  private count(state: GroupState): void {
    if (state === this.states[0]) this.steps++;
  }

  private feedRates(state: GroupState): void {
    this.engine.feed(state.rates.storage, () => {
      this.count(state);
      const rates = this.currentRates(this.ratesOf(state.group));
      if (sameNumbers(rates, state.uploaded)) return null;
      state.uploaded = rates;
      return Float32Array.from(rates);
    });
  }

  /**
   * What {@link state} does not hold of where an optimizer is: to go on later, {@link restore} it. Read as of the call.
   */
  async counters(): Promise<OptimizerCounters> {
    const { steps } = this;
    const gate = this.states[0]?.gate;
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
    for (const state of this.states) {
      state.uploaded = [];
      if (progress) this.makeGate(state, progress);
    }
  }

  private makeGate(state: GroupState, progress: readonly number[]): Gate {
    closeGate(state);
    const gate = {
      given: this.engine.keep(zeros(this.engine, state.rates.shape)),
      progress: this.engine.keep(tensorFrom(this.engine, progress)),
      uploaded: [],
    };
    state.gate = gate;
    return gate;
  }

  private passGate(skip: Tensor, state: GroupState, gate: Gate): void {
    this.engine.feed(gate.given.storage, () => {
      this.count(state);
      state.uploaded = [];
      const rates = this.configuredRates(this.ratesOf(state.group));
      if (sameNumbers(rates, gate.uploaded)) return null;
      gate.uploaded = rates;
      return Float32Array.from(rates);
    });
    this.engine.dispatch({
      kernel: { name: 'gate', source: gateSource, entry: this.gateEntry },
      buffers: [skip, gate.given, gate.progress, state.rates].map((t) => t.storage),
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
    for (const state of this.states) {
      state.rates.dispose();
      closeGate(state);
    }
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

function closeGate({ gate }: GroupState): void {
  gate?.given.dispose();
  gate?.progress.dispose();
}

const sameNumbers = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);
