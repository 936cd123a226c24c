/** Stochastic gradient descent, as PyTorch's. */
import source from '../../shaders/optim/sgd.wgsl';
import { ArgumentError } from '../errors.ts';
import type { NamedTensor } from '../nn/module.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkRate } from './check-rate.ts';
import { type GroupRates, Optimizer } from './optimizer.ts';
import type { Trained } from './parameter-groups.ts';
import type { SlotKernel } from './slots.ts';

/** Rates of {@link SGD}. */
export interface SGDOptions {
  /** Learning rate. */
  lr: number;
  /** Share of the velocity that is kept from step to step; 0, the default, for none. */
  momentum?: number;
  /** Share of the gradient that does not join the velocity; 0 by default. */
  dampening?: number;
  /** Times the parameters, added to the gradient; 0 by default. */
  weightDecay?: number;
  /** Sutskever et al. 2013; needs momentum, and no dampening. */
  nesterov?: boolean;
}

/** Stochastic gradient descent, with momentum where asked for, as PyTorch's. */
export class SGD extends Optimizer {
  readonly momentum: number;
  readonly dampening: number;
  override readonly weightDecay: number;
  readonly nesterov: boolean;
  protected override readonly updates: SlotKernel;
  protected override readonly gateEntry = 'sgd';
  private readonly velocity: readonly Tensor[];

  /**
   * @param trained a module, tensors, or groups with rates of their own: `[{ parameters: backbone, lr: 0.01 }, { parameters: head }]`.
   * @throws {ArgumentError} when there is nothing to train, a rate is out of range, or Nesterov's variant has no momentum or has
   * dampening.
   * @throws {DTypeError} when a trained parameter is not f32.
   */
  constructor(trained: Trained, { lr, momentum = 0, dampening = 0, weightDecay = 0, nesterov = false }: SGDOptions) {
    super(trained, lr, { common: 4, own: 1 });
    checkRate('SGD', 'momentum', momentum, 0, 1);
    checkRate('SGD', 'dampening', dampening, 0, 1);
    checkRate('SGD', 'weight decay', weightDecay);
    if (nesterov && (momentum === 0 || dampening > 0)) {
      throw new ArgumentError({
        where: 'SGD',
        message: `Nesterov's variant needs a momentum above 0 and no dampening, not ${momentum} and ${dampening}.`,
      });
    }
    this.momentum = momentum;
    this.dampening = dampening;
    this.weightDecay = weightDecay;
    this.nesterov = nesterov;
    this.velocity = momentum > 0 ? this.zeros() : [];
    this.updates = {
      kernel: { name: 'sgd', source, entry: momentum > 0 ? 'momentum' : 'plain' },
      constants: { NESTEROV: nesterov },
      slotCounts: [5, 2, 1],
    };
  }

  protected override commonRates({ lr, weightDecay }: GroupRates): number[] {
    return [lr, weightDecay, this.momentum, this.dampening];
  }

  protected override ownRates(step: number): number[] {
    // PyTorch's first step takes the gradient undampened.
    return [step === 1 ? 0 : this.dampening];
  }

  protected override progressAfter(steps: number): number[] {
    return [steps > 0 ? 1 : 0];
  }

  protected override stateOf(index: number): readonly Tensor[] {
    return this.velocity.slice(index, index + 1);
  }

  override state(): NamedTensor[] {
    return this.nameState('momentum_buffer', this.velocity);
  }
}
