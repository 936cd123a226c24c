/** The forms of the convolution kernels: how a pass is cut into workgroups. */
import blocksSource from '../../shaders/conv2d_blocks.wgsl';
import lanesSource from '../../shaders/conv2d_lanes.wgsl';
import tiledSource from '../../shaders/conv2d_tiled.wgsl';
import weightBlocksSource from '../../shaders/conv2d_weight_blocks.wgsl';
import weightLanesSource from '../../shaders/conv2d_weight_lanes.wgsl';
import weightTiledSource from '../../shaders/conv2d_weight_tiled.wgsl';
import type { Storage } from '../gpu/buffer-pool.ts';
import type { Engine } from '../gpu/engine.ts';
import type { Geometry, TapPass } from './conv2d-geometry.ts';
import { type KernelForm, lanesOf, splitSum, tileFor } from './kernel-forms.ts';
import { plane } from './reduce.ts';

export interface TapBuffers {
  readonly source: Storage;
  readonly weight: Storage;
  readonly bias?: Storage | undefined;
  readonly result: Storage;
  /** Add to what the result holds. */
  readonly accumulate?: boolean;
}

/** The rows of dy in the whole batch, cut into splits of `chunk` rows. */
export interface LineSplit {
  readonly splits: number;
  readonly chunk: number;
}

export interface Conv2dForm extends KernelForm {
  /** Forward, or one phase of the input gradient. */
  taps(engine: Engine, pass: TapPass, buffers: TapBuffers): void;
  splitLines(engine: Engine, g: Geometry): LineSplit;
  /** The weight gradient of every split: [splits, kernelY, kernelX, in, out]. */
  weights(engine: Engine, g: Geometry, split: LineSplit, x: Storage, dy: Storage, parts: Storage): void;
}

function tapParams(p: TapPass, { bias, accumulate = false }: TapBuffers): number[] {
  return [
    ...[p.batch, p.rows, p.columns, p.targetHeight, p.targetWidth, p.targetStepY, p.targetStepX, p.targetY, p.targetX],
    ...[p.targetChannels, p.height, p.width, p.channels, p.stepY, p.stepX, p.originY, p.originX],
    ...[p.tapRows, p.tapColumns, p.weightOrigin, p.weightY, p.weightX, p.weightSource, p.weightTarget],
    bias ? 1 : 0,
    accumulate ? 1 : 0,
  ];
}

function weightParams(g: Geometry, { chunk, splits }: LineSplit): number[] {
  return [
    ...[g.batch * g.outHeight, chunk, splits, g.outHeight, g.outWidth, g.outChannels, g.height, g.width, g.inChannels],
    ...[g.strideY, g.strideX, -g.padY, -g.padX, g.kernelY, g.kernelX],
  ];
}

const tapFlops = (p: TapPass): number =>
  2 * p.batch * p.rows * p.columns * p.tapRows * p.tapColumns * p.channels * p.targetChannels;

const weightFlops = (g: Geometry): number =>
  2 * g.batch * g.outHeight * g.outWidth * g.kernelY * g.kernelX * g.inChannels * g.outChannels;

const tapBuffers = ({ source, weight, bias, result }: TapBuffers): Storage[] => [
  source,
  weight,
  bias ?? weight,
  result,
];

/** Partial weight gradients never take more elements than this. */
const MOST_PARTS = 2 ** 24;

function splitLinesFor(g: Geometry, groups: number, wanted: number): LineSplit {
  const lines = g.batch * g.outHeight;
  const weights = g.kernelY * g.kernelX * g.inChannels * g.outChannels;
  const affordable = Math.max(1, Math.floor(MOST_PARTS / weights));
  return splitSum(lines, groups, { wanted: Math.min(wanted, groups * affordable), least: 1, unit: 1 });
}

/** Whether the kernel for three taps a row pays: few of its runs of eight columns are empty. */
const isRow3 = (lanes: number, taps: number, step: number, channels: number, columns: number): boolean =>
  taps === 3 && step === 1 && channels >= lanes && Math.ceil(columns / 8) * 8 <= 1.2 * columns;

function weightGroups(engine: Engine, g: Geometry): { entry: 'row3' | 'main'; groups: number } {
  const width = lanesOf(engine);
  const targets = Math.ceil(g.outChannels / width);
  if (g.kernelX === 3 && g.strideX === 1 && g.inChannels >= width) {
    return { entry: 'row3', groups: g.kernelY * Math.ceil(g.inChannels / width) * targets };
  }
  return { entry: 'main', groups: Math.ceil((g.kernelY * g.kernelX * g.inChannels) / (3 * width)) * targets };
}

const lanes: Conv2dForm = {
  name: 'lanes',
  supports: (engine) => lanesOf(engine) > 0,
  taps(engine, pass, buffers) {
    const width = lanesOf(engine);
    const row3 = isRow3(width, pass.tapColumns, pass.stepX, pass.channels, pass.columns);
    const [length, together] = row3 ? [8, 2] : [4, 4];
    const runs = pass.batch * pass.rows * Math.ceil(pass.columns / length);
    const tapColumns = Math.max(1, pass.tapColumns);
    const advance = [
      Math.floor(width / pass.channels / tapColumns),
      Math.floor(width / pass.channels) % tapColumns,
      width % pass.channels,
    ];
    engine.dispatch({
      kernel: { name: 'conv2d_lanes', source: lanesSource, entry: row3 ? 'row3' : 'main' },
      constants: { LANES: width },
      buffers: tapBuffers(buffers),
      flops: tapFlops(pass),
      params: [...tapParams(pass, buffers), ...advance],
      workgroups: plane(engine, Math.ceil(runs / together) * Math.ceil(pass.targetChannels / width)),
    });
  },
  splitLines: (engine, g) => splitLinesFor(g, weightGroups(engine, g).groups, 256),
  weights(engine, g, split, x, dy, parts) {
    const { entry, groups } = weightGroups(engine, g);
    engine.dispatch({
      kernel: { name: 'conv2d_weight_lanes', source: weightLanesSource, entry },
      constants: { LANES: lanesOf(engine) },
      buffers: [x, dy, parts],
      flops: weightFlops(g),
      params: weightParams(g, split),
      workgroups: plane(engine, groups * split.splits),
    });
  },
};

const BLOCK_THREADS = 4;

const blockThreads = (g: Geometry): number =>
  g.kernelY * g.kernelX * Math.ceil(g.inChannels / 4) * Math.ceil(g.outChannels / 8);

const blocks: Conv2dForm = {
  name: 'blocks',
  supports: (engine) => engine.adapterKind === 'software',
  taps(engine, pass, buffers) {
    const threads = pass.batch * pass.rows * Math.ceil(pass.columns / 8) * Math.ceil(pass.targetChannels / 4);
    engine.dispatch({
      kernel: { name: 'conv2d_blocks', source: blocksSource },
      buffers: tapBuffers(buffers),
      flops: tapFlops(pass),
      params: tapParams(pass, buffers),
      workgroups: plane(engine, Math.ceil(threads / BLOCK_THREADS)),
    });
  },
  splitLines: (_engine, g) => splitLinesFor(g, blockThreads(g) / BLOCK_THREADS, 256),
  weights(engine, g, split, x, dy, parts) {
    engine.dispatch({
      kernel: { name: 'conv2d_weight_blocks', source: weightBlocksSource },
      buffers: [x, dy, parts],
      flops: weightFlops(g),
      params: weightParams(g, split),
      workgroups: plane(engine, Math.ceil((blockThreads(g) * split.splits) / BLOCK_THREADS)),
    });
  },
};

const DEPTH = 16;

const tileConstants = ({ x, y }: { x: number; y: number }) => ({ THREADS_Y: y, THREADS_X: x, DEPTH });

const tileGroups = (rows: number, columns: number, { x, y }: { x: number; y: number }): number =>
  Math.ceil(rows / (4 * y)) * Math.ceil(columns / (4 * x));

const placesOf = (g: Geometry): number => g.kernelY * g.kernelX * g.inChannels;

const tiled: Conv2dForm = {
  name: 'tiled',
  supports: () => true,
  taps(engine, pass, buffers) {
    const positions = pass.batch * pass.rows * pass.columns;
    const tile = tileFor(positions, pass.targetChannels);
    engine.dispatch({
      kernel: { name: 'conv2d_tiled', source: tiledSource },
      constants: tileConstants(tile),
      buffers: tapBuffers(buffers),
      flops: tapFlops(pass),
      params: tapParams(pass, buffers),
      workgroups: plane(engine, tileGroups(positions, pass.targetChannels, tile)),
    });
  },
  splitLines: (_engine, g) =>
    splitLinesFor(g, tileGroups(placesOf(g), g.outChannels, tileFor(placesOf(g), g.outChannels)), 512),
  weights(engine, g, split, x, dy, parts) {
    const tile = tileFor(placesOf(g), g.outChannels);
    engine.dispatch({
      kernel: { name: 'conv2d_weight_tiled', source: weightTiledSource },
      constants: tileConstants(tile),
      buffers: [x, dy, parts],
      flops: weightFlops(g),
      params: weightParams(g, split),
      workgroups: plane(engine, tileGroups(placesOf(g), g.outChannels, tile) * split.splits),
    });
  },
};

/** Best first. */
export const conv2dForms: readonly Conv2dForm[] = [lanes, blocks, tiled];
