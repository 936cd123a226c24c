/** Variants for groups of channels of the kernels that sum taps, on any adapter. */
import depthwiseSource from '../../../../shaders/conv2d/depthwise.wgsl';
import quadsSource from '../../../../shaders/conv2d/grouped-quads.wgsl';
import singlesSource from '../../../../shaders/conv2d/grouped-singles.wgsl';
import { plane } from '../../../gpu/plane.ts';
import { groupWidthOf, longWalksOf, TILED_FROM, threadsOf, walksOf, widthOf } from '../walk.ts';
import type { TapPass } from './pass.ts';
import { paramsOf, type TapVariant } from './variant.ts';

/** Phases of a stride that is larger than the kernel have positions without taps. */
const hasTaps = ({ tapRows, tapColumns }: TapPass): boolean => tapRows * tapColumns > 0;

/** A channel a group. */
export const depthwise: TapVariant = {
  name: 'depthwise',
  supports: () => true,
  fits: (pass) =>
    pass.groups > 1 && pass.groups === pass.channels && pass.groups === pass.targetChannels && hasTaps(pass),
  plan(engine, pass, output) {
    const width = widthOf(pass);
    const THREADS = threadsOf(engine);
    const { count, constants } = longWalksOf(engine, pass, width);
    return {
      kernel: { name: 'conv2d_depthwise', source: depthwiseSource },
      constants: { ...constants, TAP_ROWS: pass.tapRows, THREADS },
      params: paramsOf(pass, output),
      workgroups: plane(engine, Math.ceil((count * pass.channels) / width / THREADS)),
    };
  },
};

/** Groups of any size, those of quads by quads. */
export const grouped: TapVariant = {
  name: 'grouped',
  supports: () => true,
  fits: (pass, { adapterKind }) =>
    pass.groups > 1 && (adapterKind === 'software' || pass.targetChannels / pass.groups < TILED_FROM) && hasTaps(pass),
  plan(engine, pass, output) {
    const THREADS = threadsOf(engine);
    const width = groupWidthOf(pass);
    const { count, constants } = walksOf(pass, width, 1);
    return {
      kernel:
        width === 4
          ? { name: 'conv2d_grouped_quads', source: quadsSource }
          : { name: 'conv2d_grouped_singles', source: singlesSource },
      constants: { ...constants, THREADS, ...(width === 4 ? { TURNED: pass.weightTarget !== 1 } : {}) },
      params: paramsOf(pass, output),
      workgroups: plane(engine, Math.ceil((count * pass.targetChannels) / width / THREADS)),
    };
  },
};
