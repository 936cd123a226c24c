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
  /** @param phases Passes that the launch makes, up to `mostPhases`, the given one first; by default that alone. */
  plan(engine: Runtime, pass: TapPass, output: TapOutput, phases?: readonly TapPass[]): Plan;
}

/**
 * See `conv2d/params.wgsl`. Name by name: a rest of the pass, spread, takes ten times as long.
 * @param channels Of the source as it is read: more than have weights where zeros stand behind them.
 */
export const paramsOf = (p: TapPass, { hasBias, accumulate }: TapOutput, channels = p.channels): Params => ({
  batch: p.batch,
  rows: p.rows,
  columns: p.columns,
  targetHeight: p.targetHeight,
  targetWidth: p.targetWidth,
  targetStepY: p.targetStepY,
  targetStepX: p.targetStepX,
  targetY: p.targetY,
  targetX: p.targetX,
  targetChannels: p.targetChannels,
  groupTargets: p.targetChannels / p.groups,
  height: p.height,
  width: p.width,
  channels,
  groupChannels: channels / p.groups,
  stepY: p.stepY,
  stepX: p.stepX,
  originY: p.originY,
  originX: p.originX,
  tapRows: p.tapRows,
  tapColumns: p.tapColumns,
  tapStepY: p.tapStepY,
  tapStepX: p.tapStepX,
  weightOrigin: p.weightOrigin,
  weightY: p.weightY,
  weightX: p.weightX,
  weightGroup: p.weightGroup,
  weightSource: p.weightSource,
  weightTarget: p.weightTarget,
  hasBias,
  accumulate,
  weighted: p.channels,
});

export const flopsOf = (p: TapPass): number =>
  (2 * p.batch * p.rows * p.columns * p.tapRows * p.tapColumns * p.channels * p.targetChannels) / p.groups;
