/** What a variant of the kernels is that sum taps over a source image. */
import type { Plan } from '../../../gpu/launch.ts';
import type { Runtime } from '../../../gpu/runtime.ts';
import type { Params } from '../../../gpu/wgsl/params.ts';
import type { KernelVariant } from '../../variants/kernel-variants.ts';
import type { TapPass } from './pass.ts';

/** How the sums are written. */
export interface TapOutput {
  readonly hasBias: boolean;
  /** Whether to add to what the result holds. */
  readonly accumulate: boolean;
}

export interface TapVariant extends KernelVariant<TapPass> {
  /** Whether it reads the source with zeros behind channels that do not come in fours. */
  readonly padsChannels?: boolean;
  /** Phases of an input gradient that one launch makes; 1 by default. */
  readonly mostPhases?: number;
  /** @param more Further phases that the launch makes, up to `mostPhases` with the first. */
  plan(engine: Runtime, pass: TapPass, output: TapOutput, more?: readonly TapPass[]): Plan;
}

/**
 * See `conv2d/params.wgsl`.
 * @param channels Of the source as it is read: more than have weights where zeros stand behind them.
 */
export function paramsOf(pass: TapPass, output: TapOutput, channels = pass.channels): Params {
  const { isGradient, stored, ...places } = pass;
  return { ...places, ...output, channels, weighted: pass.channels };
}

export const flopsOf = (p: TapPass): number =>
  2 * p.batch * p.rows * p.columns * p.tapRows * p.tapColumns * p.channels * p.targetChannels;
