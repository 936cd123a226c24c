/** What a variant of the kernels of a convolution's weight gradient is. */
import type { Plan } from '../../../gpu/launch.ts';
import type { Runtime } from '../../../gpu/runtime.ts';
import type { Params } from '../../../gpu/wgsl/params.ts';
import type { KernelVariant } from '../../variants/kernel-variants.ts';
import { type Split, splitSum } from '../../variants/split.ts';
import type { Geometry } from '../geometry.ts';

export interface WeightVariant extends KernelVariant<Geometry> {
  /** Whether it reads the images with zeros behind channels that do not come in fours. */
  readonly padsChannels?: boolean;
  /** How the rows of dy in the whole batch are split. */
  split(engine: Runtime, g: Geometry): Split;
  plan(engine: Runtime, g: Geometry, split: Split): Plan;
}

/**
 * See `conv2d-weight/params.wgsl`.
 * @param channels Of the images as they are read: more than have weights where zeros stand behind them.
 */
export const paramsOf = (g: Geometry, { chunk, splits }: Split, channels = g.inChannels): Params => ({
  lines: g.batch * g.outHeight,
  splitSize: chunk,
  splits,
  rows: g.outHeight,
  columns: g.outWidth,
  targetChannels: g.outChannels,
  groupTargets: g.outChannels / g.groups,
  height: g.height,
  width: g.width,
  channels,
  groupChannels: channels / g.groups,
  stepY: g.strideY,
  stepX: g.strideX,
  originY: -g.padY,
  originX: -g.padX,
  tapRows: g.kernelY,
  tapColumns: g.kernelX,
  tapStepY: g.dilationY,
  tapStepX: g.dilationX,
  weighted: g.inChannels,
});

export const flopsOf = (g: Geometry): number => 2 * g.batch * g.outHeight * g.outWidth * placesOf(g) * g.outChannels;

/** The rows of the weight gradient as a matrix: a tap's source channel of a group each. */
export const placesOf = (g: Geometry): number => (g.kernelY * g.kernelX * g.inChannels) / g.groups;

/** Partial weight gradients never take more elements than this. */
const MOST_PARTS = 2 ** 24;

/**
 * The rows of dy, split so that about `wanted` workgroups have work.
 * @param groups Workgroups without splits.
 */
export function splitLines(g: Geometry, groups: number, wanted: number): Split {
  const affordable = Math.max(1, Math.floor(MOST_PARTS / (placesOf(g) * g.outChannels)));
  const most = Math.min(wanted, groups * affordable);
  return splitSum(g.batch * g.outHeight, groups, { wanted: most, least: 1, unit: 1 });
}
