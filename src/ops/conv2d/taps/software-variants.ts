/** Variants for software adapters of the kernels that sum taps. */
import blocksSource from '../../../../shaders/conv2d/blocks.wgsl';
import lanesSource from '../../../../shaders/conv2d/lanes.wgsl';
import narrowSource from '../../../../shaders/conv2d/narrow.wgsl';
import quadsSource from '../../../../shaders/conv2d/quads.wgsl';
import stemSource from '../../../../shaders/conv2d/stem.wgsl';
import { plane } from '../../../gpu/plane.ts';
import type { Params } from '../../../gpu/wgsl/params.ts';
import { blocksOf, hasLanes, lanesOf, QUAD_ROWS, quadConstants } from '../../variants/lanes.ts';
import { fitsNarrow, narrowConstants, stripColumns } from '../narrow.ts';
import { paddedChannels } from '../padded-channels.ts';
import { fitsStem, stemConstants } from '../stem.ts';
import type { TapPass } from './pass.ts';
import { paramsOf, type TapVariant } from './variant.ts';

/** Quads of a gap: three tap columns see two beyond their neighbours. */
const GAP_QUADS = 2;

/** Spans of positions that a workgroup treats with the weights it loaded. */
const SPANS = 4;

export const stem: TapVariant = {
  name: 'stem',
  supports: hasLanes,
  // Weights are loaded as pairs of target channels, taps in order: an input gradient has them in reverse.
  fits: (pass) => !pass.isGradient && fitsStem(pass),
  plan(engine, pass, output) {
    const width = lanesOf(engine);
    const spans = pass.batch * pass.rows * Math.ceil(pass.columns / (4 * width));
    return {
      kernel: { name: 'conv2d_stem', source: stemSource },
      constants: { ...stemConstants(width, pass), SPANS },
      params: paramsOf(pass, output),
      workgroups: plane(engine, Math.ceil(spans / SPANS) * Math.ceil(pass.targetChannels / (2 * width))),
    };
  },
};

/** A workgroup treats so many positions with the weights that it loaded, or more. */
const NARROW_POSITIONS = 384;

export const narrow: TapVariant = {
  name: 'narrow',
  supports: hasLanes,
  fits: fitsNarrow,
  plan(engine, pass, output) {
    const lanes = lanesOf(engine);
    const columns = stripColumns(pass);
    const STRIPS = Math.ceil(NARROW_POSITIONS / (pass.rows * columns));
    const strips = pass.batch * Math.ceil(pass.columns / columns);
    return {
      kernel: { name: 'conv2d_narrow', source: narrowSource },
      constants: { ...narrowConstants(lanes, pass, columns), STRIPS, ACCUMULATE: output.accumulate },
      params: paramsOf(pass, output),
      workgroups: plane(engine, Math.ceil(strips / STRIPS) * Math.ceil(pass.targetChannels / lanes)),
    };
  },
};

/**
 * How the kernel in quads is laid out: few channels have rows of few lanes. Gaps hold what three tap columns see beyond eight neighbours,
 * which then need not be loaded for each of them; where a row takes all lanes, there is no room for them beside two blocks (see `blocksOf`).
 */
function layoutOf(lanes: number, { groups, targetChannels, stepX, tapStepX, columns, tapColumns }: TapPass) {
  const quads = targetChannels / groups / 4;
  const constants = quadConstants(lanes, targetChannels / groups);
  const QUADS = quads <= 2 ? quads : constants.QUADS;
  const areNeighbours = stepX * tapStepX === 1 && columns % 8 === 0 && tapColumns <= GAP_QUADS + 1;
  const GAP = QUADS === lanes / 2 && groups === 1 && areNeighbours ? GAP_QUADS : 0;
  return { ...constants, QUADS, BLOCKS: blocksOf({ LANES: lanes, QUADS }), GAP, SLOTS: (QUAD_ROWS + 2 * GAP) / QUADS };
}

/** Phases of one launch: those of a stride of two. */
const MOST_PHASES = 4;

export const quads: TapVariant = {
  name: 'quads',
  supports: hasLanes,
  // Weights are loaded as quads of target channels or of source channels, whichever are neighbours.
  fits: ({ groups, channels, targetChannels, weightTarget }) =>
    groups > 1
      ? targetChannels % (4 * groups) === 0 && channels % (4 * groups) === 0
      : targetChannels % 4 === 0 && targetChannels >= 8 && (channels % 4 === 0 || weightTarget === 1),
  padsChannels: true,
  mostPhases: MOST_PHASES,
  plan(engine, pass, output, phases = [pass]) {
    const layout = layoutOf(lanesOf(engine), pass);
    const { LANES, QUADS, BLOCKS } = layout;
    const positions = Math.max(...phases.map(({ rows, columns }) => rows * columns)) * pass.batch;
    const blocks = Math.ceil(positions / (BLOCKS * QUAD_ROWS * (LANES / QUADS)));
    const params = phases.map((phase) => paramsOf(phase, output, paddedChannels(phase.channels)));
    // The kernel's array has places for more than are launched.
    while (params.length < MOST_PHASES) params.push(params[0] as Params);
    return {
      kernel: { name: 'conv2d_quads', source: quadsSource },
      constants: { ...layout, S: pass.stored },
      params: { phases: params },
      // Phases side by side: an adapter that gives each core a share of the workgroups in order gives each as much work.
      workgroups: [
        phases.length,
        ...plane(engine, blocks * pass.groups * Math.ceil(pass.targetChannels / (4 * QUADS * pass.groups))),
      ],
    };
  },
};

export const lanes: TapVariant = {
  name: 'lanes',
  supports: hasLanes,
  fits: ({ groups }) => groups === 1,
  plan(engine, pass, output) {
    const width = lanesOf(engine);
    const runs = pass.batch * pass.rows * Math.ceil(pass.columns / 4);
    return {
      kernel: { name: 'conv2d_lanes', source: lanesSource },
      constants: { LANES: width, S: pass.stored },
      params: paramsOf(pass, output),
      workgroups: plane(engine, Math.ceil(runs / 4) * Math.ceil(pass.targetChannels / width)),
    };
  },
};

const BLOCK_THREADS = 4;

export const blocks: TapVariant = {
  name: 'blocks',
  supports: (engine) => engine.adapterKind === 'software',
  fits: ({ groups, stored }) => groups === 1 && stored === 'f32',
  plan(engine, pass, output) {
    const threads = pass.batch * pass.rows * Math.ceil(pass.columns / 8) * Math.ceil(pass.targetChannels / 4);
    return {
      kernel: { name: 'conv2d_blocks', source: blocksSource },
      params: paramsOf(pass, output),
      workgroups: plane(engine, Math.ceil(threads / BLOCK_THREADS)),
    };
  },
};
