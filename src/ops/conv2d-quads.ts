/** What the convolution kernels in quads are put together from. */
import narrowSource from '../../shaders/conv2d_narrow.wgsl';
import spotSource from '../../shaders/conv2d_spot.wgsl';
import wideSource from '../../shaders/conv2d_wide.wgsl';
import quadsSource from '../../shaders/quads.wgsl';
import type { Kernel } from '../gpu/kernel.ts';

/** A kernel behind what it stands on, for so many source channels. */
export function convQuads({ name, source }: Kernel, channels: number): Kernel {
  const wide = channels % 4 === 0;
  return {
    name: wide ? name : `${name}_narrow`,
    source: quadsSource + spotSource + (wide ? wideSource : narrowSource) + source,
  };
}
