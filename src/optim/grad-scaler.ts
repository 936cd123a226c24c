/**
 * Dynamic loss scaling (Micikevicius et al. 2018, section 3.2), as PyTorch's GradScaler. f16 has no room for small gradients:
 * the loss is multiplied by a scale before the backward pass, the gradients are divided by it before the step. A scale that
 * is too large makes some of them infinite; then the step is skipped and the scale falls. All of that on the device.
 */

import gradScalerSource from '../../shaders/optim/grad-scaler.wgsl';
import unscaleSource from '../../shaders/optim/unscale.wgsl';
import { ArgumentError } from '../errors.ts';
import type { Runtime } from '../gpu/runtime.ts';
import { tensorFrom, zeros } from '../tensor/create.ts';
import { letUsingDispose } from '../tensor/dispose.ts';
import { watchOf } from '../tensor/step-watch.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { Optimizer } from './optimizer.ts';
import { launchSlots, type SlotKernel } from './slots.ts';

/** How the scale begins and moves. */
export interface GradScalerOptions {
  /** The first scale; 65536 by default. */
  initScale?: number;
  /** What the scale is multiplied by after `growthInterval` good steps in a row; 2 by default. */
  growthFactor?: number;
  /** What the scale is multiplied by after a skipped step; 0.5 by default. */
  backoffFactor?: number;
  /** Good steps in a row before the scale grows; 2000 by default. */
  growthInterval?: number;
}

/** What a scaler has to remember, to go on with later. */
export interface GradScalerState {
  /** What the loss is multiplied by. */
  scale: number;
  /** Steps taken since the scale last changed. */
  goodSteps: number;
  /** Steps skipped since the scaler was made. */
  skippedSteps: number;
}

const UNSCALE: SlotKernel = {
  kernel: { name: 'unscale', source: unscaleSource },
  slotCounts: [7, 3, 1],
};

/**
 * Scales the loss for f16, so that small gradients are not lost: as PyTorch's GradScaler (Micikevicius et al. 2018, section 3.2). A
 * step whose gradients are not all finite is skipped on the device, and the scale falls.
 * @example
 * scaler.scale(loss).backward();
 * scaler.unscale(optimizer); // only where gradients are to be clipped
 * clipGradNorm(optimizer.parameters, 1);
 * scaler.step(optimizer);
 * scaler.update();
 */
export class GradScaler {
  private readonly factor: Tensor;
  /** u32 [3]: whether a gradient was not finite, good steps in a row, skipped steps. */
  private readonly counts: Tensor;
  private readonly params: { readonly growth: number; readonly backoff: number; readonly interval: number };
  private readonly unscaled = new Set<Optimizer>();

  /** @throws {ArgumentError} when a factor or the interval is out of its range. */
  constructor(
    readonly engine: Runtime,
    { initScale = 65536, growthFactor = 2, backoffFactor = 0.5, growthInterval = 2000 }: GradScalerOptions = {},
  ) {
    const ranges: [string, number, boolean, string][] = [
      ['initScale', initScale, initScale > 0 && Number.isFinite(initScale), 'a number above 0'],
      ['growthFactor', growthFactor, growthFactor >= 1 && Number.isFinite(growthFactor), 'a number of at least 1'],
      ['backoffFactor', backoffFactor, backoffFactor > 0 && backoffFactor <= 1, 'a number in (0, 1]'],
      [
        'growthInterval',
        growthInterval,
        Number.isInteger(growthInterval) && growthInterval >= 1,
        'a whole number of at least 1',
      ],
    ];
    for (const [name, value, fits, expected] of ranges) {
      if (!fits)
        throw new ArgumentError({ where: 'GradScaler', message: `${name} must be ${expected}, not ${value}.` });
    }
    this.params = { growth: growthFactor, backoff: backoffFactor, interval: growthInterval };
    this.factor = engine.keep(tensorFrom(engine, initScale));
    this.counts = engine.keep(zeros(engine, [3], 'u32'));
  }

  /** The loss (f32), scaled: what `backward()` is called on. */
  scale(loss: Tensor): Tensor {
    return loss.mul(this.factor);
  }

  /**
   * Divides the gradients of the optimizer's parameters by the scale. `step` does it by itself; call this before anything that
   * uses the gradients in between, such as clipping.
   * @throws {ArgumentError} when it was called since the last `update`.
   */
  unscale(optimizer: Optimizer): void {
    if (this.unscaled.has(optimizer)) {
      throw new ArgumentError({
        where: 'GradScaler',
        message: 'the gradients of this optimizer were unscaled already.',
        fix: 'Call update() once a step, after step().',
      });
    }
    this.unscaled.add(optimizer);
    watchOf(this.engine)?.whenFailed(() => this.unscaled.delete(optimizer));
    const leaves = optimizer.parameters.filter(({ grad }) => grad !== null);
    const results = leaves.map(({ shape }) => Tensor.empty(this.engine, shape, 'f32', 'GradScaler').moveTo(null));
    const slots = leaves.map(({ size, grad }, i) => ({ size, tensors: [grad as Tensor, results[i] as Tensor] }));
    launchSlots(this.engine, UNSCALE, [this.factor, this.counts], slots);
    leaves.forEach((leaf, i) => {
      leaf.grad?.dispose();
      leaf.grad = results[i] as Tensor;
    });
  }

  /** The optimizer's step, skipped on the device if some gradient since the last `update` is not finite. */
  step(optimizer: Optimizer): void {
    if (!this.unscaled.has(optimizer)) this.unscale(optimizer);
    optimizer.step(this.counts);
  }

  /** Adapts the scale; once a step, after every optimizer's. */
  update(): void {
    this.unscaled.clear();
    this.engine.dispatch({
      kernel: { name: 'grad_scaler', source: gradScalerSource },
      buffers: [this.factor.storage, this.counts.storage],
      params: this.params,
      workgroups: [1],
    });
  }

  /** Waits for the GPU and reads the scale and the counts as they are now. */
  async state(): Promise<GradScalerState> {
    const [factor, counts] = await Promise.all([this.factor.data(), this.counts.data()]);
    return { scale: factor[0] as number, goodSteps: counts[1] as number, skippedSteps: counts[2] as number };
  }

  /** Goes on from what {@link state} returned. */
  load({ scale, goodSteps, skippedSteps }: GradScalerState): void {
    this.engine.write(this.factor.storage, Float32Array.of(scale));
    this.engine.write(this.counts.storage, Uint32Array.of(0, goodSteps, skippedSteps));
  }

  /** Frees the scale and the counts. */
  dispose(): void {
    this.factor.dispose();
    this.counts.dispose();
  }

  /** {@link dispose}, for `using`. */
  declare [Symbol.dispose]: () => void;
}

letUsingDispose(GradScaler);
