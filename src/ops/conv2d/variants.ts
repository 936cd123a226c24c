/** The variants of the kernels that sum taps over a source image: a convolution's output, or one phase of its input gradient. */
import blocksSource from '../../../shaders/conv2d/blocks.wgsl';
import lanesSource from '../../../shaders/conv2d/lanes.wgsl';
import conv2dQuadsSource from '../../../shaders/conv2d/quads.wgsl';
import stemSource from '../../../shaders/conv2d/stem.wgsl';
import convSubgroupMatrixSource from '../../../shaders/conv2d/subgroup-matrix.wgsl';
import tiledSource from '../../../shaders/conv2d/tiled.wgsl';
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
  TILE_DEPTH,
  tileGroups,
  tilings,
} from '../variants/kernel-variants.ts';
import {
  hasSubgroupMatrix,
  layoutConstants,
  type MatrixBlock,
  matrixBlock,
  type OperandLayout,
  ORIGIN_BYTES,
} from '../variants/subgroup-matrix.ts';
import type { TapPass } from './geometry.ts';
import { inQuads, paddedChannels } from './quads.ts';
import { fitsStem, stemConstants } from './stem.ts';

export interface TapBuffers {
  readonly source: DeviceBuffer;
  readonly weight: DeviceBuffer;
  /** f32 */
  readonly bias?: DeviceBuffer | undefined;
  readonly result: DeviceBuffer;
  /** Add to what the result holds. */
  readonly accumulate?: boolean;
}

export interface TapVariant extends KernelVariant<TapPass> {
  dispatch(engine: Runtime, pass: TapPass, buffers: TapBuffers): void;
  /** Passes that differ in their phase alone, in fewer launches than one each. */
  dispatchPhases?(engine: Runtime, passes: readonly TapPass[], buffers: TapBuffers): void;
}

const kernels = {
  stem: { name: 'conv2d_stem', source: stemSource },
  quads: { name: 'conv2d_quads', source: conv2dQuadsSource },
  lanes: { name: 'conv2d_lanes', source: lanesSource },
  blocks: { name: 'conv2d_blocks', source: blocksSource },
  tiled: { name: 'conv2d_tiled', source: tiledSource },
  subgroupMatrix: { name: 'conv2d_subgroup_matrix', source: convSubgroupMatrixSource },
} satisfies Record<string, Kernel>;

/** @param weighted source channels that have weights. */
function params(p: TapPass, { bias, accumulate = false }: TapBuffers, weighted = p.channels): number[] {
  return [
    ...[p.batch, p.rows, p.columns, p.targetHeight, p.targetWidth, p.targetStepY, p.targetStepX, p.targetY, p.targetX],
    ...[p.targetChannels, p.height, p.width, p.channels, p.stepY, p.stepX, p.originY, p.originX],
    ...[p.tapRows, p.tapColumns, p.weightOrigin, p.weightY, p.weightX, p.weightSource, p.weightTarget],
    bias ? 1 : 0,
    accumulate ? 1 : 0,
    weighted,
  ];
}

export const flopsOf = (p: TapPass): number =>
  2 * p.batch * p.rows * p.columns * p.tapRows * p.tapColumns * p.channels * p.targetChannels;

const buffersOf = ({ source, weight, bias, result }: TapBuffers): DeviceBuffer[] => [
  source,
  weight,
  bias ?? weight,
  result,
];

/** Spans of positions that a workgroup treats with the weights it loaded. */
const SPANS = 4;

const stem: TapVariant = {
  name: 'stem',
  supports: (engine) => lanesOf(engine) > 0,
  // Weights are loaded as pairs of target channels, taps in order: an input gradient has them in reverse, and target channels
  // side by side too where the layer has one output.
  fits: (pass) => pass.weightTarget === 1 && pass.weightX > 0 && fitsStem(pass),
  dispatch(engine, pass, buffers) {
    const width = lanesOf(engine);
    const spans = pass.batch * pass.rows * Math.ceil(pass.columns / (4 * width));
    engine.dispatch({
      kernel: kernels.stem,
      constants: { ...stemConstants(width, pass), SPANS },
      buffers: buffersOf(buffers),
      flops: flopsOf(pass),
      params: params(pass, buffers),
      workgroups: plane(engine, Math.ceil(spans / SPANS) * Math.ceil(pass.targetChannels / (2 * width))),
    });
  },
};

/**
 * With gaps for what three tap columns see beyond eight positions, which then need not be loaded for each of them. Where a
 * row takes all lanes, loads are too few for that to gain anything.
 */
function withGaps(constants: ReturnType<typeof quadConstants>) {
  const GAP = constants.QUADS < constants.LANES ? 2 : 0;
  return { ...constants, GAP, SLOTS: (QUAD_ROWS + 2 * GAP) / constants.QUADS };
}

/** Phases of one launch: those of a stride of two. */
const MOST_PHASES = 4;

function launchQuads(engine: Runtime, passes: readonly TapPass[], buffers: TapBuffers): void {
  const [pass] = passes as readonly [TapPass];
  const constants = withGaps(quadConstants(lanesOf(engine), pass.targetChannels));
  const { LANES, QUADS } = constants;
  const positions = Math.max(...passes.map(({ rows, columns }) => rows * columns)) * pass.batch;
  const blocks = Math.ceil(positions / (QUAD_ROWS * (LANES / QUADS)));
  // All that the kernel has room for, with a word that aligns the next one.
  const phases = Array.from({ length: MOST_PHASES }, (_, i) => passes[i] ?? pass);
  const words = phases.flatMap((phase) => [
    ...params({ ...phase, channels: paddedChannels(phase.channels) }, buffers, phase.channels),
    0,
  ]);
  const pixels = pass.batch * pass.height * pass.width;
  inQuads(engine, { ...pass, storage: buffers.source, pixels }, (source) =>
    engine.dispatch({
      kernel: kernels.quads,
      constants: { ...constants, S: pass.stored, MOST_PHASES },
      buffers: buffersOf({ ...buffers, source }),
      flops: passes.reduce((sum, phase) => sum + flopsOf(phase), 0),
      params: words,
      // Phases side by side: an adapter that gives each core a share of the workgroups in order gives each as much work.
      workgroups: [passes.length, ...plane(engine, blocks * Math.ceil(pass.targetChannels / (4 * QUADS)))],
    }),
  );
}

const quads: TapVariant = {
  name: 'quads',
  supports: (engine) => lanesOf(engine) > 0,
  // Weights are loaded as quads of target channels or of source channels, whichever are neighbours.
  fits: ({ channels, targetChannels, weightTarget }) =>
    targetChannels % 4 === 0 && targetChannels >= 8 && (channels % 4 === 0 || weightTarget === 1),
  dispatch: (engine, pass, buffers) => launchQuads(engine, [pass], buffers),
  dispatchPhases(engine, passes, buffers) {
    for (let i = 0; i < passes.length; i += MOST_PHASES) {
      launchQuads(engine, passes.slice(i, i + MOST_PHASES), buffers);
    }
  },
};

const lanes: TapVariant = {
  name: 'lanes',
  supports: (engine) => lanesOf(engine) > 0,
  dispatch(engine, pass, buffers) {
    const width = lanesOf(engine);
    const runs = pass.batch * pass.rows * Math.ceil(pass.columns / 4);
    engine.dispatch({
      kernel: kernels.lanes,
      constants: { LANES: width, S: pass.stored },
      buffers: buffersOf(buffers),
      flops: flopsOf(pass),
      params: params(pass, buffers),
      workgroups: plane(engine, Math.ceil(runs / 4) * Math.ceil(pass.targetChannels / width)),
    });
  },
};

const BLOCK_THREADS = 4;

const blocks: TapVariant = {
  name: 'blocks',
  supports: (engine) => engine.adapterKind === 'software',
  fits: ({ stored }) => stored === 'f32',
  dispatch(engine, pass, buffers) {
    const threads = pass.batch * pass.rows * Math.ceil(pass.columns / 8) * Math.ceil(pass.targetChannels / 4);
    engine.dispatch({
      kernel: kernels.blocks,
      buffers: buffersOf(buffers),
      flops: flopsOf(pass),
      params: params(pass, buffers),
      workgroups: plane(engine, Math.ceil(threads / BLOCK_THREADS)),
    });
  },
};

const tiled = tilings<TapPass>((pass) => [pass.batch * pass.rows * pass.columns, pass.targetChannels]).map(
  ({ name, fits, isPromising, tileOf }): TapVariant => ({
    name,
    fits,
    isPromising,
    supports: () => true,
    dispatch(engine, pass, buffers) {
      const tile = tileOf(pass);
      engine.dispatch({
        kernel: kernels.tiled,
        constants: { THREADS_Y: tile.y, THREADS_X: tile.x, DEPTH: TILE_DEPTH, S: pass.stored },
        buffers: buffersOf(buffers),
        flops: flopsOf(pass),
        params: params(pass, buffers),
        workgroups: plane(engine, tileGroups(pass.batch * pass.rows * pass.columns, pass.targetChannels, tile)),
      });
    },
  }),
);

const blockOf = (engine: Runtime, { stored, batch, rows, columns, targetChannels }: TapPass): MatrixBlock | null =>
  matrixBlock(engine, stored, batch * rows * columns, targetChannels, ORIGIN_BYTES);

/** How the weights lie: their terms side by side in an input gradient, where they are turned. */
function weightLayout(p: TapPass): OperandLayout {
  const terms = p.weightTarget !== 1;
  const [side, across, size] = terms
    ? [p.weightSource, p.weightTarget, p.channels]
    : [p.weightTarget, p.weightSource, p.targetChannels];
  const places = [size, across, p.weightOrigin, p.weightY, p.weightX];
  return { terms, quads: side === 1 && places.every((place) => place % 4 === 0) };
}

const subgroupMatrix: TapVariant = {
  name: 'subgroup-matrix',
  supports: hasSubgroupMatrix,
  fits: (pass, engine) => blockOf(engine, pass) !== null,
  isPromising: onHardware,
  dispatch(engine, pass, buffers) {
    const { constants, rows, columns } = blockOf(engine, pass) as MatrixBlock;
    const source = { terms: true, quads: pass.channels % 4 === 0 };
    const positions = pass.batch * pass.rows * pass.columns;
    engine.dispatch({
      kernel: kernels.subgroupMatrix,
      constants: { ...constants, ...layoutConstants(pass.stored, source, weightLayout(pass)) },
      buffers: buffersOf(buffers),
      flops: flopsOf(pass),
      params: params(pass, buffers),
      workgroups: plane(engine, Math.ceil(positions / rows) * Math.ceil(pass.targetChannels / columns)),
    });
  },
};

/** Best first, but for `subgroup-matrix`: it has never been measured, so only the tuner or a preference chooses it. */
export const tapVariants: readonly TapVariant[] = [stem, quads, lanes, blocks, ...tiled, subgroupMatrix];
