/** Variants for groups of channels of the kernels that sum taps, on any adapter. */
import depthwiseSource from '../../../../shaders/conv2d/depthwise.wgsl';
import groupedSource from '../../../../shaders/conv2d/grouped.wgsl';
import { plane } from '../../../gpu/plane.ts';
import { longWalksOf, TILED_FROM, threadsOf, walksOf, widthOf } from '../walk.ts';
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

/** Groups of quads. */
export const grouped: TapVariant = {
  name: 'grouped',
  supports: () => true,
  fits: (pass, { adapterKind }) =>
    pass.groups > 1 &&
    (pass.channels / pass.groups) % 4 === 0 &&
    (pass.targetChannels / pass.groups) % 4 === 0 &&
    (adapterKind === 'software' || pass.targetChannels / pass.groups < TILED_FROM) &&
    hasTaps(pass),
  plan(engine, pass, output) {
    const THREADS = threadsOf(engine);
    const { count, constants } = walksOf(pass, 4, 1);
    return {
      kernel: { name: 'conv2d_grouped', source: groupedSource },
      constants: { ...constants, THREADS, TURNED: pass.weightTarget !== 1 },
      params: paramsOf(pass, output),
      workgroups: plane(engine, Math.ceil((count * pass.targetChannels) / 4 / THREADS)),
    };
  },
};
