/** Adam and AdamW, as PyTorch's. */
import source from '../../shaders/optim/adam.wgsl';
import type { NamedTensor } from '../nn/module.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkRate } from './check-rate.ts';
import { type GroupRates, Optimizer } from './optimizer.ts';
import type { Trained } from './parameter-groups.ts';
import type { SlotKernel } from './slots.ts';

/** Rates of {@link Adam} and {@link AdamW}. */
export interface AdamOptions {
  /** Learning rate; 1e-3 by default. */
  lr?: number;
  /** Decay of the running mean and of the running square; (0.9, 0.999) by default. */
  betas?: readonly [number, number];
  /** Added to the root of the running square; 1e-8 by default. */
  eps?: number;
  /** 0 by default for Adam, 0.01 for AdamW. */
  weightDecay?: number;
}

/** Kingma & Ba 2015, algorithm 1; weight decay is added to the gradient. */
export class Adam extends Optimizer {
  protected readonly decoupled: boolean = false;
  protected override readonly gateEntry = 'adam';
  readonly betas: readonly [number, number];
  readonly eps: number;
  override readonly weightDecay: number;
  private readonly mean: readonly Tensor[];
  private readonly square: readonly Tensor[];

  /**
   * @param trained a module, tensors, or groups with rates of their own: `[{ parameters: backbone, lr: 1e-4 }, { parameters: head }]`.
   * @throws {ArgumentError} when there is nothing to train, or a rate is out of range.
   * @throws {DTypeError} when a trained parameter is not f32.
   */
  constructor(trained: Trained, { lr = 1e-3, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0 }: AdamOptions = {}) {
    super(trained, lr, { common: 7, own: 2 });
    for (const beta of betas) checkRate('Adam', 'beta', beta, 0, 1);
    checkRate('Adam', 'eps', eps);
    checkRate('Adam', 'weight decay', weightDecay);
    this.betas = betas;
    this.eps = eps;
    this.weightDecay = weightDecay;
    this.mean = this.zeros();
    this.square = this.zeros();
  }

  protected override progressAfter(steps: number): number[] {
    return this.betas.map((beta) => 1 - beta ** steps);
  }

  protected override ownRates(step: number): number[] {
    const [c1 = 0, c2 = 0] = this.progressAfter(step);
    return [c1, Math.sqrt(c2)];
  }

  protected override commonRates({ lr, weightDecay }: GroupRates): number[] {
    const [b1, b2] = this.betas;
    return [lr, weightDecay, b1, b2, this.eps, 1 - b1, 1 - b2];
  }

  protected override get updates(): SlotKernel {
    return {
      kernel: { name: 'adam', source },
      constants: { DECOUPLED: this.decoupled },
      slotCounts: [3, 1],
    };
  }

  protected override stateOf(index: number): readonly Tensor[] {
    return [this.mean[index] as Tensor, this.square[index] as Tensor];
  }

  override state(): NamedTensor[] {
    return [...this.nameState('exp_avg', this.mean), ...this.nameState('exp_avg_sq', this.square)];
  }
}

/** Loshchilov & Hutter 2019, algorithm 2: the decay acts on the parameters; 0.01 by default. */
export class AdamW extends Adam {
  protected override readonly decoupled = true;

  constructor(trained: Trained, { weightDecay = 0.01, ...options }: AdamOptions = {}) {
    super(trained, { ...options, weightDecay });
  }
}
