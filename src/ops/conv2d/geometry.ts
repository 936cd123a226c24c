/** Convolution arithmetic: sizes, and the passes over a source image that give an output or an input gradient. */
import { ShapeError } from '../../errors.ts';
import type { FloatType } from '../../tensor/dtype.ts';
import { type Shape, show } from '../../tensor/shape.ts';
import { type Pair, pairOf } from '../pair.ts';

export interface Geometry {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly inChannels: number;
  readonly kernelY: number;
  readonly kernelX: number;
  readonly outChannels: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly padY: number;
  readonly padX: number;
  readonly outHeight: number;
  readonly outWidth: number;
  /** How images and weights are stored. */
  readonly stored: FloatType;
}

/** @throws ShapeError, ArgumentError for what does not make a convolution. */
export function geometryOf(x: Shape, weight: Shape, stride: Pair, padding: Pair, stored: FloatType): Geometry {
  const [strideY, strideX] = pairOf('conv2d', 'stride', stride, 1);
  const [padY, padX] = pairOf('conv2d', 'padding', padding, 0);
  const [batch = 0, height = 0, width = 0, inChannels = 0] = x;
  const [kernelY = 0, kernelX = 0, weightChannels = 0, outChannels = 0] = weight;
  const told = `x ${show(x)} with weight ${show(weight)}`;
  if (x.length !== 4 || weight.length !== 4) {
    throw new ShapeError({
      where: 'conv2d',
      message: `${told}: takes images [n, height, width, in] and weights [kernel height, kernel width, in, out].`,
    });
  }
  if (inChannels !== weightChannels) {
    throw new ShapeError({
      where: 'conv2d',
      message: `${told}: the images have ${inChannels} channels, the weights take ${weightChannels}.`,
      fix: "Images are [n, height, width, channels] and weights [height, width, in, out]; PyTorch's orders must be transposed.",
    });
  }
  const outHeight = Math.floor((height + 2 * padY - kernelY) / strideY) + 1;
  const outWidth = Math.floor((width + 2 * padX - kernelX) / strideX) + 1;
  if (outHeight < 1 || outWidth < 1) {
    throw new ShapeError({
      where: 'conv2d',
      message: `${told}: the kernel is larger than the image padded by ${show([padY, padX])}.`,
      fix: 'Pad more, or use a smaller kernel.',
    });
  }
  return {
    batch,
    height,
    width,
    inChannels,
    kernelY,
    kernelX,
    outChannels,
    strideY,
    strideX,
    padY,
    padX,
    outHeight,
    outWidth,
    stored,
  };
}

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
  /** How images and weights are stored. */
  readonly stored: FloatType;
}

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

/** The input gradient: one pass for each phase of the stride; together they write every input position once. */
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
        stored: g.stored,
      });
    }
  }
  return passes;
}
