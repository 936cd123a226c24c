/** Passes over a source image: a convolution's output is one, its input gradient one for each phase of the stride. */
import type { FloatType } from '../../../tensor/dtype.ts';
import type { Geometry } from '../geometry.ts';

/**
 * A grid of target positions, each a sum of taps over a source image: tap (i, j) of target position (r, c) looks at the
 * source at (r·stepY + originY + i, c·stepX + originX + j). See `conv2d/params.wgsl`.
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
  /** Where tap (0, 0) finds its weights, and the strides by tap row, tap column, source and target channel. */
  readonly weightOrigin: number;
  readonly weightY: number;
  readonly weightX: number;
  readonly weightSource: number;
  readonly weightTarget: number;
  /** Whether this is a phase of an input gradient: its taps come in reverse. */
  readonly isGradient: boolean;
  /** How images and weights are stored. */
  readonly stored: FloatType;
}

/** The output of a convolution. */
export function forwardPass(g: Geometry): TapPass {
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
    weightOrigin: 0,
    weightY: g.kernelX * g.inChannels * g.outChannels,
    weightX: g.inChannels * g.outChannels,
    weightSource: g.outChannels,
    weightTarget: 1,
    isGradient: false,
    stored: g.stored,
  };
}

/**
 * One axis of a phase: the input positions phase, phase + stride, … see every stride-th tap only, and in turning order
 * these taps lie side by side in the output.
 */
function phaseOf(phase: number, size: number, stride: number, pad: number, kernel: number) {
  const firstTap = (phase + pad) % stride;
  const taps = firstTap < kernel ? Math.ceil((kernel - firstTap) / stride) : 0;
  return {
    positions: Math.ceil((size - phase) / stride),
    taps,
    lastTap: firstTap + stride * Math.max(0, taps - 1),
    origin: (phase + pad - firstTap) / stride - Math.max(0, taps - 1),
  };
}

/** The input gradient of a convolution: one pass for each phase of the stride; together they write every input position once. */
export function inputGradientPasses(g: Geometry): TapPass[] {
  const passes: TapPass[] = [];
  const weightX = g.inChannels * g.outChannels;
  const weightY = g.kernelX * weightX;
  for (let phaseY = 0; phaseY < Math.min(g.strideY, g.height); phaseY++) {
    for (let phaseX = 0; phaseX < Math.min(g.strideX, g.width); phaseX++) {
      const vertical = phaseOf(phaseY, g.height, g.strideY, g.padY, g.kernelY);
      const horizontal = phaseOf(phaseX, g.width, g.strideX, g.padX, g.kernelX);
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
        weightOrigin: vertical.lastTap * weightY + horizontal.lastTap * weightX,
        weightY: -g.strideY * weightY,
        weightX: -g.strideX * weightX,
        weightSource: 1,
        weightTarget: g.outChannels,
        isGradient: true,
        stored: g.stored,
      });
    }
  }
  return passes;
}
