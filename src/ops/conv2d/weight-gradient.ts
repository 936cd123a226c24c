/** The variants of a convolution's weight gradient. */

import blocksSource from '../../../shaders/conv2d-weight/blocks.wgsl';
import lanesSource from '../../../shaders/conv2d-weight/lanes.wgsl';
import weightQuadsSource from '../../../shaders/conv2d-weight/quads.wgsl';
import weightStemSource from '../../../shaders/conv2d-weight/stem.wgsl';
import weightSubgroupMatrixSource from '../../../shaders/conv2d-weight/subgroup-matrix.wgsl';
import tiledSource from '../../../shaders/conv2d-weight/tiled.wgsl';
import type { DeviceBuffer } from '../../gpu/device-buffer.ts';
import { plane } from '../../gpu/plane.ts';
import type { Runtime } from '../../gpu/runtime.ts';
import type { Kernel } from '../../gpu/wgsl/kernel.ts';
import {
  type KernelVariant,
  lanesOf,
  onHardware,
  QUAD_ROWS,
  quadConstants,
  splitSum,
  TILE_DEPTH,
  tileGroups,
  tilings,
} from '../variants/kernel-variants.ts';
import {
  hasSubgroupMatrix,
  layoutConstants,
  type MatrixBlock,
  matrixBlock,
  ORIGIN_BYTES,
} from '../variants/subgroup-matrix.ts';
import { forwardPass, type Geometry } from './geometry.ts';
import { inQuads, paddedChannels } from './quads.ts';
import { fitsStem, stemConstants } from './stem.ts';

/** The rows of dy in the whole batch, cut into splits of `chunk` rows. */
export interface LineSplit {
  readonly splits: number;
  readonly chunk: number;
}

export interface WeightBuffers {
  readonly x: DeviceBuffer;
  readonly dy: DeviceBuffer;
  /** f32 [splits, kernelY, kernelX, in, out], to be added up. */
  readonly parts: DeviceBuffer;
}

export interface WeightVariant extends KernelVariant<Geometry> {
  split(engine: Runtime, g: Geometry): LineSplit;
  dispatch(engine: Runtime, g: Geometry, split: LineSplit, buffers: WeightBuffers): void;
}

const kernels = {
  stem: { name: 'conv2d_weight_stem', source: weightStemSource },
  quads: { name: 'conv2d_weight_quads', source: weightQuadsSource },
  lanes: { name: 'conv2d_weight_lanes', source: lanesSource },
  blocks: { name: 'conv2d_weight_blocks', source: blocksSource },
  tiled: { name: 'conv2d_weight_tiled', source: tiledSource },
  subgroupMatrix: {
    name: 'conv2d_weight_subgroup_matrix',
    source: weightSubgroupMatrixSource,
  },
} satisfies Record<string, Kernel>;

/** @param weighted source channels that have weights. */
function params(g: Geometry, { chunk, splits }: LineSplit, weighted = g.inChannels): number[] {
  return [
    ...[g.batch * g.outHeight, chunk, splits, g.outHeight, g.outWidth, g.outChannels, g.height, g.width, g.inChannels],
    ...[g.strideY, g.strideX, -g.padY, -g.padX, g.kernelY, g.kernelX, weighted],
  ];
}

export const flopsOf = (g: Geometry): number =>
  2 * g.batch * g.outHeight * g.outWidth * g.kernelY * g.kernelX * g.inChannels * g.outChannels;

const buffersOf = ({ x, dy, parts }: WeightBuffers): DeviceBuffer[] => [x, dy, parts];

/** Partial weight gradients never take more elements than this. */
const MOST_PARTS = 2 ** 24;

function splitLines(g: Geometry, groups: number, wanted: number): LineSplit {
  const lines = g.batch * g.outHeight;
  const weights = g.kernelY * g.kernelX * g.inChannels * g.outChannels;
  const affordable = Math.max(1, Math.floor(MOST_PARTS / weights));
  return splitSum(lines, groups, { wanted: Math.min(wanted, groups * affordable), least: 1, unit: 1 });
}

/** The rows of the weight gradient as a matrix: a tap's source channel each. */
const placesOf = (g: Geometry): number => g.kernelY * g.kernelX * g.inChannels;

const stemGroups = (g: Geometry, width: number): number => Math.ceil(g.outChannels / (2 * width));

const stem: WeightVariant = {
  name: 'stem',
  supports: (engine) => lanesOf(engine) > 0,
  fits: (g) => fitsStem(forwardPass(g)),
  split: (engine, g) => splitLines(g, stemGroups(g, lanesOf(engine)), 64),
  dispatch(engine, g, split, buffers) {
    const width = lanesOf(engine);
    engine.dispatch({
      kernel: kernels.stem,
      constants: stemConstants(width, forwardPass(g)),
      buffers: buffersOf(buffers),
      flops: flopsOf(g),
      params: params(g, split),
      workgroups: plane(engine, stemGroups(g, width) * split.splits),
    });
  },
};

const quadGroups = (g: Geometry, quads: number): number =>
  Math.ceil(placesOf({ ...g, inChannels: paddedChannels(g.inChannels) }) / QUAD_ROWS) *
  Math.ceil(g.outChannels / (4 * quads));

const quads: WeightVariant = {
  name: 'quads',
  supports: (engine) => lanesOf(engine) > 0,
  fits: ({ outChannels }) => outChannels % 4 === 0,
  split(engine, g) {
    const { QUADS } = quadConstants(lanesOf(engine), g.outChannels);
    return splitLines(g, quadGroups(g, QUADS), 256);
  },
  dispatch(engine, g, split, buffers) {
    const constants = quadConstants(lanesOf(engine), g.outChannels);
    const padded = { ...g, inChannels: paddedChannels(g.inChannels) };
    const images = {
      storage: buffers.x,
      pixels: g.batch * g.height * g.width,
      channels: g.inChannels,
      stored: g.stored,
    };
    inQuads(engine, images, (x) =>
      engine.dispatch({
        kernel: kernels.quads,
        constants: { ...constants, S: g.stored },
        buffers: buffersOf({ ...buffers, x }),
        flops: flopsOf(g),
        params: params(padded, split, g.inChannels),
        workgroups: plane(engine, quadGroups(g, constants.QUADS) * split.splits),
      }),
    );
  },
};

const laneGroups = (g: Geometry, width: number): number =>
  Math.ceil(placesOf(g) / (3 * width)) * Math.ceil(g.outChannels / width);

const lanes: WeightVariant = {
  name: 'lanes',
  supports: (engine) => lanesOf(engine) > 0,
  split: (engine, g) => splitLines(g, laneGroups(g, lanesOf(engine)), 256),
  dispatch(engine, g, split, buffers) {
    const width = lanesOf(engine);
    engine.dispatch({
      kernel: kernels.lanes,
      constants: { LANES: width, S: g.stored },
      buffers: buffersOf(buffers),
      flops: flopsOf(g),
      params: params(g, split),
      workgroups: plane(engine, laneGroups(g, width) * split.splits),
    });
  },
};

const BLOCK_THREADS = 4;

const blockThreads = (g: Geometry): number =>
  g.kernelY * g.kernelX * Math.ceil(g.inChannels / 4) * Math.ceil(g.outChannels / 8);

const blocks: WeightVariant = {
  name: 'blocks',
  supports: (engine) => engine.adapterKind === 'software',
  fits: ({ stored }) => stored === 'f32',
  split: (_engine, g) => splitLines(g, blockThreads(g) / BLOCK_THREADS, 256),
  dispatch(engine, g, split, buffers) {
    engine.dispatch({
      kernel: kernels.blocks,
      buffers: buffersOf(buffers),
      flops: flopsOf(g),
      params: params(g, split),
      workgroups: plane(engine, Math.ceil((blockThreads(g) * split.splits) / BLOCK_THREADS)),
    });
  },
};

const tiled = tilings<Geometry>((g) => [placesOf(g), g.outChannels]).map(
  ({ name, fits, isPromising, tileOf }): WeightVariant => ({
    name,
    fits,
    isPromising,
    supports: () => true,
    split: (_engine, g) => splitLines(g, tileGroups(placesOf(g), g.outChannels, tileOf(g)), 512),
    dispatch(engine, g, split, buffers) {
      const tile = tileOf(g);
      engine.dispatch({
        kernel: kernels.tiled,
        constants: { THREADS_Y: tile.y, THREADS_X: tile.x, DEPTH: TILE_DEPTH, S: g.stored },
        buffers: buffersOf(buffers),
        flops: flopsOf(g),
        params: params(g, split),
        workgroups: plane(engine, tileGroups(placesOf(g), g.outChannels, tile) * split.splits),
      });
    },
  }),
);

const blockOf = (engine: Runtime, g: Geometry): MatrixBlock | null =>
  matrixBlock(engine, g.stored, placesOf(g), g.outChannels, ORIGIN_BYTES);

const matrixGroups = (g: Geometry, { rows, columns }: MatrixBlock): number =>
  Math.ceil(placesOf(g) / rows) * Math.ceil(g.outChannels / columns);

const subgroupMatrix: WeightVariant = {
  name: 'subgroup-matrix',
  supports: hasSubgroupMatrix,
  fits: (g, engine) => blockOf(engine, g) !== null,
  isPromising: onHardware,
  split: (engine, g) => splitLines(g, matrixGroups(g, blockOf(engine, g) as MatrixBlock), 512),
  dispatch(engine, g, split, buffers) {
    const block = blockOf(engine, g) as MatrixBlock;
    const x = { terms: false, quads: g.inChannels % 4 === 0 };
    const dy = { terms: false, quads: g.outChannels % 4 === 0 };
    engine.dispatch({
      kernel: kernels.subgroupMatrix,
      constants: { ...block.constants, ...layoutConstants(g.stored, x, dy) },
      buffers: buffersOf(buffers),
      flops: flopsOf(g),
      params: params(g, split),
      workgroups: plane(engine, matrixGroups(g, block) * split.splits),
    });
  },
};

/** Best first, but for `subgroup-matrix`: it has never been measured, so only the tuner or a preference chooses it. */
export const weightVariants: readonly WeightVariant[] = [stem, quads, lanes, blocks, ...tiled, subgroupMatrix];
