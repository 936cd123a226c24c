/** Eight rows and eight columns a thread: only ever fast where measuring says so, and carried by who measures. */

import wideSource from '../../../shaders/matmul/wide.wgsl';
import { plane } from '../../gpu/plane.ts';
import type { Runtime } from '../../gpu/runtime.ts';
import { addVariants } from '../variants/kernel-variants.ts';
import { splitSum } from '../variants/split.ts';
import { onHardware, TILE_DEPTH } from '../variants/tilings.ts';
import { isInQuads, type MatmulVariant, type Product, paramsOf, quadLayout, storedAs } from './product.ts';
import { SPLIT } from './tiled-variants.ts';

/** `wide-16x16` … (threads along rows × columns): eight rows and eight columns a thread. */
const wide = /* @__PURE__ */ [
  { y: 8, x: 8 },
  { y: 16, x: 16 },
].map(({ y, x }): MatmulVariant => {
  const groups = ({ m, n, batch }: Product): number => batch * Math.ceil(m / (8 * y)) * Math.ceil(n / (8 * x));
  const tile = { THREADS_Y: y, THREADS_X: x, DEPTH: TILE_DEPTH };
  return {
    name: `wide-${y}x${x}`,
    supports: () => true,
    fits: isInQuads,
    isPromising: onHardware,
    split: (_engine, product) => splitSum(product.k, groups(product), SPLIT),
    plan: (engine, product, output) => ({
      kernel: { name: 'matmul_wide', source: wideSource },
      constants: { ...tile, ...quadLayout(product), ...storedAs(product, output) },
      params: paramsOf(product, output),
      workgroups: plane(engine, groups(product) * output.splits),
    }),
  };
});

/** Lets the tuner choose them on this engine, and a preference. */
export const addWideVariants = (engine: Runtime): void => addVariants(engine, 'matmul', wide);
