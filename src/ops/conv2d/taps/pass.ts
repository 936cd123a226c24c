/** Passes over a source image: a convolution's output is one, its input gradient one for each phase of the stride. */
import type { FloatType } from '../../../tensor/dtype.ts';
import type { Geometry } from '../geometry.ts';

/**
 * A grid of target positions, each a sum of taps over a source image: tap (i, j) of target position (r, c) looks at the
 * source at (r·stepY + originY + i·tapStepY, c·stepX + originX + j·tapStepX), at the channels of its group. See
 * `conv2d/params.wgsl`.
 */
export interface TapPass {
  readonly batch: number;
  readonly rows: number;
  readonly columns: number;
  /** The target image, and the place of position (r, c) in it: (r·targetStepY + targetY, c·targetStepX + targetX). */
  readonly targetHeight: number;
  readonly targetWidth: number;
  readonly targetStepY: number;
  readonly targetStepX: number;
  readonly targetY: number;
  readonly targetX: number;
  readonly targetChannels: number;
  /** The source image. */
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly stepY: number;
  readonly stepX: number;
  readonly originY: number;
  readonly originX: number;
  readonly tapRows: number;
  readonly tapColumns: number;
  readonly tapStepY: number;
  readonly tapStepX: number;
  /** Of source and target channels alike. */
  readonly groups: number;
  /** Where tap (0, 0) finds its weights, and the strides by tap row, tap column, group, and source and target channel of it. */
  readonly weightOrigin: number;
  readonly weightY: number;
  readonly weightX: number;
  readonly weightGroup: number;
  readonly weightSource: number;
  readonly weightTarget: number;
  /** Whether this is a phase of an input gradient: its taps come in reverse. */
  readonly isGradient: boolean;
  /** How images and weights are stored. */
  readonly stored: FloatType;
}

/** The strides of the weights by kernel row and column, and by group. */
function weightStrides(g: Geometry) {
  const x = (g.inChannels / g.groups) * g.outChannels;
  return { y: g.kernelX * x, x, group: g.outChannels / g.groups };
}

/** The output of a convolution. */
export function forwardPass(g: Geometry): TapPass {
  const weight = weightStrides(g);
  return {
    batch: g.batch,
    rows: g.outHeight,
    columns: g.outWidth,
    targetHeight: g.outHeight,
    targetWidth: g.outWidth,
    targetStepY: 1,
    targetStepX: 1,
    targetY: 0,
    targetX: 0,
    targetChannels: g.outChannels,
    height: g.height,
    width: g.width,
    channels: g.inChannels,
    stepY: g.strideY,
    stepX: g.strideX,
    originY: -g.padY,
    originX: -g.padX,
    tapRows: g.kernelY,
    tapColumns: g.kernelX,
    tapStepY: g.dilationY,
    tapStepX: g.dilationX,
    groups: g.groups,
    weightOrigin: 0,
    weightY: weight.y,
    weightX: weight.x,
    weightGroup: weight.group,
    weightSource: g.outChannels,
    weightTarget: 1,
    isGradient: false,
    stored: g.stored,
  };
}

/** The greatest common divisor. */
export const commonDivisor = (a: number, b: number): number => (b === 0 ? a : commonDivisor(b, a % b));

/**
 * One axis of a phase. The input positions phase, phase + stride, … see the same taps only: a where a·dilation ≡ phase + pad
 * (mod stride), every `every`-th one. In turning order these look at outputs `step` apart.
 */
function phaseOf(phase: number, size: number, stride: number, dilation: number, pad: number, kernel: number) {
  const common = commonDivisor(stride, dilation);
  const every = stride / common;
  const step = dilation / common;
  let firstTap = 0;
  while (firstTap < every && (phase + pad - firstTap * dilation) % stride !== 0) firstTap++;
  const taps = firstTap < Math.min(every, kernel) ? Math.ceil((kernel - firstTap) / every) : 0;
  const further = Math.max(0, taps - 1);
  return {
    positions: Math.ceil((size - phase) / stride),
    taps,
    every,
    step,
    lastTap: taps > 0 ? firstTap + every * further : 0,
    origin: taps > 0 ? (phase + pad - firstTap * dilation) / stride - step * further : 0,
  };
}

/** The input gradient of a convolution: one pass for each phase of the stride; together they write every input position once. */
export function inputGradientPasses(g: Geometry): TapPass[] {
  const passes: TapPass[] = [];
  const weight = weightStrides(g);
  for (let phaseY = 0; phaseY < Math.min(g.strideY, g.height); phaseY++) {
    for (let phaseX = 0; phaseX < Math.min(g.strideX, g.width); phaseX++) {
      const vertical = phaseOf(phaseY, g.height, g.strideY, g.dilationY, g.padY, g.kernelY);
      const horizontal = phaseOf(phaseX, g.width, g.strideX, g.dilationX, g.padX, g.kernelX);
      passes.push({
        batch: g.batch,
        rows: vertical.positions,
        columns: horizontal.positions,
        targetHeight: g.height,
        targetWidth: g.width,
        targetStepY: g.strideY,
        targetStepX: g.strideX,
        targetY: phaseY,
        targetX: phaseX,
        targetChannels: g.inChannels,
        height: g.outHeight,
        width: g.outWidth,
        channels: g.outChannels,
        stepY: 1,
        stepX: 1,
        originY: vertical.origin,
        originX: horizontal.origin,
        tapRows: vertical.taps,
        tapColumns: horizontal.taps,
        tapStepY: vertical.step,
        tapStepX: horizontal.step,
        groups: g.groups,
        weightOrigin: vertical.lastTap * weight.y + horizontal.lastTap * weight.x,
        weightY: -vertical.every * weight.y,
        weightX: -horizontal.every * weight.x,
        weightGroup: weight.group,
        weightSource: 1,
        weightTarget: g.outChannels,
        isGradient: true,
        stored: g.stored,
      });
    }
  }
  return passes;
}
