/** Variants of the weight gradient for software adapters. */
import blocksSource from '../../../../shaders/conv2d-weight/blocks.wgsl';
import lanesSource from '../../../../shaders/conv2d-weight/lanes.wgsl';
import narrowSource from '../../../../shaders/conv2d-weight/narrow.wgsl';
import quadsSource from '../../../../shaders/conv2d-weight/quads.wgsl';
import stemSource from '../../../../shaders/conv2d-weight/stem.wgsl';
import { plane } from '../../../gpu/plane.ts';
import { hasLanes, lanesOf, QUAD_ROWS, quadConstants } from '../../variants/lanes.ts';
import { splitSum } from '../../variants/split.ts';
import type { Geometry } from '../geometry.ts';
import { evenStripColumns, fitsNarrow, narrowConstants } from '../narrow.ts';
import { paddedChannels } from '../padded-channels.ts';
import { fitsStem, stemConstants } from '../stem.ts';
import { forwardPass } from '../taps/pass.ts';
import { paramsOf, placesOf, splitLines, type WeightVariant } from './variant.ts';

const stemGroups = (g: Geometry, width: number): number => Math.ceil(g.outChannels / (2 * width));

export const stem: WeightVariant = {
  name: 'stem',
  supports: hasLanes,
  fits: (g) => fitsStem(forwardPass(g)),
  split: (engine, g) => splitLines(g, stemGroups(g, lanesOf(engine)), 64),
  plan(engine, g, split) {
    const width = lanesOf(engine);
    return {
      kernel: { name: 'conv2d_weight_stem', source: stemSource },
      constants: stemConstants(width, forwardPass(g)),
      params: paramsOf(g, split),
      workgroups: plane(engine, stemGroups(g, width) * split.splits),
    };
  },
};

/** Splits of a gradient between few channels are that many: each stores all gradients of its lanes. */
const NARROW_SPLITS = 64;

export const narrow: WeightVariant = {
  name: 'narrow',
  supports: hasLanes,
  fits(g) {
    const pass = forwardPass(g);
    return fitsNarrow(pass) && evenStripColumns(pass) > 0;
  },
  split(engine, g) {
    const strips = (g.batch * g.outWidth) / evenStripColumns(forwardPass(g));
    return splitSum(strips, Math.ceil(g.outChannels / lanesOf(engine)), { wanted: NARROW_SPLITS, least: 1, unit: 1 });
  },
  plan(engine, g, split) {
    const lanes = lanesOf(engine);
    const pass = forwardPass(g);
    return {
      kernel: { name: 'conv2d_weight_narrow', source: narrowSource },
      constants: narrowConstants(lanes, pass, evenStripColumns(pass)),
      params: paramsOf(g, split),
      workgroups: plane(engine, Math.ceil(g.outChannels / lanes) * split.splits),
    };
  },
};

const quadGroups = (g: Geometry, quads: number): number =>
  Math.ceil(placesOf({ ...g, inChannels: paddedChannels(g.inChannels) }) / QUAD_ROWS) *
  Math.ceil(g.outChannels / (4 * quads));

export const quads: WeightVariant = {
  name: 'quads',
  supports: hasLanes,
  fits: ({ groups, outChannels }) => groups === 1 && outChannels % 4 === 0,
  padsChannels: true,
  split: (engine, g) => splitLines(g, quadGroups(g, quadConstants(lanesOf(engine), g.outChannels).QUADS), 256),
  plan(engine, g, split) {
    const constants = quadConstants(lanesOf(engine), g.outChannels);
    return {
      kernel: { name: 'conv2d_weight_quads', source: quadsSource },
      constants: { ...constants, S: g.stored },
      params: paramsOf(g, split, paddedChannels(g.inChannels)),
      workgroups: plane(engine, quadGroups(g, constants.QUADS) * split.splits),
    };
  },
};

const laneGroups = (g: Geometry, width: number): number =>
  Math.ceil(placesOf(g) / (3 * width)) * Math.ceil(g.outChannels / width);

export const lanes: WeightVariant = {
  name: 'lanes',
  supports: hasLanes,
  fits: ({ groups }) => groups === 1,
  split: (engine, g) => splitLines(g, laneGroups(g, lanesOf(engine)), 256),
  plan(engine, g, split) {
    const width = lanesOf(engine);
    return {
      kernel: { name: 'conv2d_weight_lanes', source: lanesSource },
      constants: { LANES: width, S: g.stored },
      params: paramsOf(g, split),
      workgroups: plane(engine, laneGroups(g, width) * split.splits),
    };
  },
};

const BLOCK_THREADS = 4;

const blockThreads = (g: Geometry): number =>
  g.kernelY * g.kernelX * Math.ceil(g.inChannels / 4) * Math.ceil(g.outChannels / 8);

export const blocks: WeightVariant = {
  name: 'blocks',
  supports: (engine) => engine.adapterKind === 'software',
  fits: ({ groups, stored }) => groups === 1 && stored === 'f32',
  split: (_engine, g) => splitLines(g, blockThreads(g) / BLOCK_THREADS, 256),
  plan: (engine, g, split) => ({
    kernel: { name: 'conv2d_weight_blocks', source: blocksSource },
    params: paramsOf(g, split),
    workgroups: plane(engine, Math.ceil((blockThreads(g) * split.splits) / BLOCK_THREADS)),
  }),
};
