/** Variants of the weight gradient for groups of channels, on any adapter. */
import depthwiseSource from '../../../../shaders/conv2d-weight/depthwise.wgsl';
import quadsSource from '../../../../shaders/conv2d-weight/grouped-quads.wgsl';
import singlesSource from '../../../../shaders/conv2d-weight/grouped-singles.wgsl';
import { plane } from '../../../gpu/plane.ts';
import type { Runtime } from '../../../gpu/runtime.ts';
import { type Split, splitSum } from '../../variants/split.ts';
import type { Geometry } from '../geometry.ts';
import { forwardPass } from '../taps/pass.ts';
import { groupWidthOf, TILED_FROM, threadsOf, type Walks, walksOf, widthOf } from '../walk.ts';
import { paramsOf, type WeightVariant } from './variant.ts';

/** Rows of a walk: enough that the first ones, which others load too, are few. */
const ROWS = 16;

/** The walks, split so that every thread that the adapter can run has work. */
function splitWalks(engine: Runtime, { count }: Walks, threads: number): Split {
  const wanted = engine.adapterKind === 'software' ? 512 : 32_768;
  return splitSum(count, threads, { wanted, least: 1, unit: 1 });
}

/** Walks instead of lines. */
const walkParams = (g: Geometry, split: Split, { count }: Walks) => ({ ...paramsOf(g, split), lines: count });

const depthwiseWalks = (g: Geometry) => walksOf(forwardPass(g), widthOf(forwardPass(g)), ROWS);
const depthwiseThreads = (g: Geometry): number => g.inChannels / widthOf(forwardPass(g));

/** A channel a group. */
export const depthwise: WeightVariant = {
  name: 'depthwise',
  supports: () => true,
  fits: ({ groups, inChannels, outChannels }) => groups > 1 && groups === inChannels && groups === outChannels,
  split: (engine, g) => splitWalks(engine, depthwiseWalks(g), depthwiseThreads(g)),
  plan(engine, g, split) {
    const THREADS = threadsOf(engine);
    const walks = depthwiseWalks(g);
    return {
      kernel: { name: 'conv2d_weight_depthwise', source: depthwiseSource },
      constants: { ...walks.constants, TAP_ROWS: g.kernelY, THREADS, RAGGED: walks.isRagged },
      params: walkParams(g, split, walks),
      workgroups: plane(engine, Math.ceil((depthwiseThreads(g) * split.splits) / THREADS)),
    };
  },
};

const groupedWalks = (g: Geometry) => walksOf(forwardPass(g), groupWidthOf(forwardPass(g)), ROWS);
const groupedThreads = (g: Geometry): number =>
  (g.inChannels * g.outChannels) / (groupWidthOf(forwardPass(g)) ** 2 * g.groups);

/** Taps whose sums a GPU's thread holds in registers. */
const MOST_TAPS = 9;

/** Groups of any size, those of quads by quads. */
export const grouped: WeightVariant = {
  name: 'grouped',
  supports: () => true,
  fits: ({ groups, outChannels, kernelY, kernelX }, { adapterKind }) =>
    groups > 1 && (adapterKind === 'software' || (kernelY * kernelX <= MOST_TAPS && outChannels / groups < TILED_FROM)),
  split: (engine, g) => splitWalks(engine, groupedWalks(g), groupedThreads(g)),
  plan(engine, g, split) {
    const THREADS = threadsOf(engine);
    const walks = groupedWalks(g);
    return {
      kernel:
        groupWidthOf(forwardPass(g)) === 4
          ? { name: 'conv2d_weight_grouped_quads', source: quadsSource }
          : { name: 'conv2d_weight_grouped_singles', source: singlesSource },
      constants: { ...walks.constants, TAP_ROWS: g.kernelY, THREADS, RAGGED: walks.isRagged },
      params: walkParams(g, split, walks),
      workgroups: plane(engine, Math.ceil((groupedThreads(g) * split.splits) / THREADS)),
    };
  },
};
