/** What optimizers share: their parameters, rates that live on the device, and state that can be saved. */

import gateSource from '../../shaders/optim/gate.wgsl';
import { ArgumentError } from '../errors.ts';
import type { Runtime } from '../gpu/runtime.ts';
import type { NamedTensor } from '../nn/module.ts';
import { tensorFrom, zeros } from '../tensor/create.ts';
import { letUsingDispose } from '../tensor/dispose.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkRate } from './check-rate.ts';
import { type ParameterGroup, type Trained, trainedGroups } from './parameter-groups.ts';
import { launchSlots, type SlotKernel } from './slots.ts';

/** What an optimizer counts; see {@link Optimizer.counters}. */
export interface OptimizerCounters {
  /** Calls of `step`. */
  readonly steps: number;
  /** Those of each parameter, in which it had a gradient. What was saved before these were counted has none: all had one in every call. */
  readonly taken?: readonly number[];
  /** What the device remembers of the steps that each parameter took, where some may be skipped. */
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
  private calls = 0;
  /** Steps of each parameter: those without a gradient are left out of a step, which does not count for them, as in PyTorch. */
  private readonly taken: number[];

  /**
   * Trains what requires a gradient now, each tensor once: what is unfrozen later needs an optimizer made later.
   * @param lr learning rate, where a group has none of its own; may be set before any step.
   * @param rateCounts numbers that kernels read: those that all parameters of a group have, and those of each.
   * @throws {ArgumentError} when there is nothing to train, a tensor requires no gradient or is there twice, or a rate is out of range.
   * @throws {FreedTensorError} when one of them was freed.
   * @throws {DTypeError} when a trained parameter is not f32.
   * @throws {EngineMismatchError} when they belong to several engines.
   */
  constructor(
    trained: Trained,
    public lr: number,
    private readonly rateCounts: { readonly common: number; readonly own: number },
  ) {
    checkRate(new.target.name, 'the learning rate', lr);
    const groups = trainedGroups(trained, new.target.name);
    for (const { group } of groups) {
      checkRate(new.target.name, 'the learning rate of a group', group.lr ?? lr);
      checkRate(new.target.name, 'the weight decay of a group', group.weightDecay ?? 0);
    }
    this.named = groups.flatMap(({ named }) => named);
    this.checkLive(new.target.name);
    this.engine = (this.named[0] as NamedTensor).tensor.engine;
    this.groups = groups.map(({ group }) => group);
    this.taken = this.named.map(() => 0);
    let first = 0;
    this.states = groups.map(({ group, named }) => {
      const rates = this.engine.keep(zeros(this.engine, [rateCounts.common + 1 + rateCounts.own * named.length]));
      first += named.length;
      return { group, first: first - named.length, count: named.length, rates, uploaded: [], gate: null };
    });
  }

  /** Steps taken, those that were skipped on the device included. */
  get steps(): number {
    return this.calls;
  }

  /** Makes it the count of every parameter too. */
  set steps(steps: number) {
    this.calls = steps;
    this.taken.fill(steps);
  }

  /** What kernels read first, for all parameters of a group. */
  protected abstract commonRates(group: GroupRates): number[];
  /** What kernels read of a parameter, for its step of this number, the first one being 1. */
  protected abstract ownRates(step: number): number[];
  /** What `optim/gate.wgsl` remembers of a parameter after so many steps. */
  protected abstract progressAfter(steps: number): number[];
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
   * @throws {FreedTensorError} when a parameter or its gradient was freed. Nothing is moved then.
   * @throws {ArgumentError} when a rate that was set is out of range; nothing is updated, and in a captured step nothing else is done.
   */
  step(skip?: Tensor): void {
    skip?.assertLive(`${this.constructor.name}.step`, 'skip');
    this.checkLive(`${this.constructor.name}.step`);
    // All before the step counts: each begins with the steps that were taken.
    const gates = skip ? this.states.map((state) => state.gate ?? this.makeGate(state, this.progressOf(state))) : [];
    for (const [i, state] of this.states.entries()) {
      const { first, count } = state;
      const moving = Array.from({ length: count }, (_, k) => first + k).filter((k) => this.tensorAt(k).grad);
      const gate = gates[i];
      if (skip && gate) this.passGate(skip, state, gate, moving);
      else this.feedRates(state, moving);
      const slots = moving.map((k) => {
        const tensor = this.tensorAt(k);
        return { size: tensor.size, tensors: [tensor.grad as Tensor, tensor, ...this.stateOf(k)] };
      });
      launchSlots(this.engine, this.updates, [state.rates], slots);
    }
  }

  /** @throws {FreedTensorError} for what was freed of a parameter, before any of them is moved. */
  private checkLive(where: string): void {
    for (const { name, tensor } of this.named) {
      tensor.assertLive(where, `the parameter "${name}"`);
      tensor.grad?.assertLive(where, `the gradient of "${name}"`);
    }
  }

  /** Rates may be set, by a schedule that goes wrong too. */
  private checkRates(): void {
    for (const { lr = this.lr, weightDecay = this.weightDecay } of this.groups) {
      checkRate(this.constructor.name, 'the learning rate', lr);
      checkRate(this.constructor.name, 'the weight decay', weightDecay);
    }
  }

  private tensorAt(index: number): Tensor {
    return (this.named[index] as NamedTensor).tensor;
  }

  private ratesOf({ lr = this.lr, weightDecay = this.weightDecay }: ParameterGroup): number[] {
    return this.commonRates({ lr, weightDecay });
  }

  /** What the device would remember of a group's parameters, had it counted their steps. */
  private progressOf({ first, count }: GroupState): number[] {
    return this.taken.slice(first, first + count).flatMap((steps) => this.progressAfter(steps));
  }

  /** Counts the step, once for all groups, and for the parameters that take it. */
  private count(state: GroupState, moving: readonly number[]): void {
    if (state === this.states[0]) {
      this.checkRates();
      this.calls++;
    }
    for (const k of moving) this.taken[k] = (this.taken[k] ?? 0) + 1;
  }

  private feedRates(state: GroupState, moving: readonly number[]): void {
    this.engine.feed(state.rates.storage, () => {
      this.count(state, moving);
      const own = moving.flatMap((k) => this.ownRates(this.taken[k] as number));
      const rates = [...this.ratesOf(state.group), 0, ...own];
      if (sameNumbers(rates, state.uploaded)) return null;
      state.uploaded = rates;
      return Float32Array.from(rates);
    });
  }

  /**
   * What {@link state} does not hold of where an optimizer is: to go on later, {@link restore} it. Read as of the call.
   */
  async counters(): Promise<OptimizerCounters> {
    const counted = { steps: this.steps, taken: [...this.taken] };
    const gates = this.states.flatMap(({ gate }) => gate ?? []);
    if (gates.length === 0) return counted;
    const progress = await Promise.all(gates.map((gate) => gate.progress.data()));
    return { ...counted, progress: progress.flatMap((values) => [...values]) };
  }

  /**
   * @throws {ArgumentError} when they are of an optimizer of another kind, or of other parameters.
   * @internal
   */
  checkCounters({ taken, progress }: OptimizerCounters): void {
    const { length } = this.named;
    const each = this.progressAfter(0).length;
    const wanted = taken ? each * length : each;
    if (progress && progress.length !== wanted) {
      throw new ArgumentError({
        where: this.constructor.name,
        message: `${progress.length} numbers of progress are of an optimizer of another kind; ${wanted} were expected.`,
      });
    }
    if (taken && taken.length !== length) {
      throw new ArgumentError({
        where: this.constructor.name,
        message: `the steps of ${taken.length} parameters are of another optimizer; this one has ${length}.`,
      });
    }
  }

  /**
   * Goes on where {@link counters} were read; the tensors of {@link state} are loaded apart, by `writeState`. `loadTraining` does both.
   * @throws {ArgumentError} when they are of an optimizer of another kind, or of other parameters.
   */
  restore(counters: OptimizerCounters): void {
    this.checkCounters(counters);
    const { steps, taken, progress } = counters;
    const each = this.progressAfter(0).length;
    this.steps = steps;
    taken?.forEach((count, k) => {
      this.taken[k] = count;
    });
    const all = taken ? progress : progress && this.named.flatMap(() => progress);
    for (const state of this.states) {
      const { first, count, gate } = state;
      state.uploaded = [];
      if (all || gate)
        this.setProgress(state, all?.slice(each * first, each * (first + count)) ?? this.progressOf(state));
    }
  }

  /** Into the gate that is there: steps that were captured read it. */
  private setProgress(state: GroupState, progress: readonly number[]): void {
    const { gate } = state;
    if (!gate) return void this.makeGate(state, progress);
    gate.uploaded = [];
    this.engine.write(gate.progress.storage, Float32Array.from(progress));
  }

  private makeGate(state: GroupState, progress: readonly number[]): Gate {
    const gate = {
      given: this.engine.keep(zeros(this.engine, [this.rateCounts.common + 1 + state.count])),
      progress: this.engine.keep(tensorFrom(this.engine, progress)),
      uploaded: [],
    };
    state.gate = gate;
    return gate;
  }

  private passGate(skip: Tensor, state: GroupState, gate: Gate, moving: readonly number[]): void {
    this.engine.feed(gate.given.storage, () => {
      this.count(state, moving);
      state.uploaded = [];
      const given = [...this.ratesOf(state.group), 0, ...moving.map((k) => k - state.first)];
      if (sameNumbers(given, gate.uploaded)) return null;
      gate.uploaded = given;
      return Float32Array.from(given);
    });
    this.engine.dispatch({
      kernel: { name: 'gate', source: gateSource, entry: this.gateEntry },
      buffers: [skip, gate.given, gate.progress, state.rates].map((t) => t.storage),
      params: { count: moving.length },
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

  /** {@link dispose}, for `using`. */
  declare [Symbol.dispose]: () => void;

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

letUsingDispose(Optimizer);

function closeGate({ gate }: GroupState): void {
  gate?.given.dispose();
  gate?.progress.dispose();
}

const sameNumbers = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);
