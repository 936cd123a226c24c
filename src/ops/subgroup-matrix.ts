/** Subgroup matrices, as a value to ask for them with. */
import type { SubgroupMatrix } from '../gpu/adapter/adapter.ts';
import { SUBGROUP_MATRIX } from '../gpu/adapter/subgroup-matrix.ts';
import type { Runtime } from '../gpu/runtime.ts';
import { subgroupMatrix as taps } from './conv2d/taps/subgroup-matrix-variant.ts';
import { subgroupMatrix as weights } from './conv2d/weights/subgroup-matrix-variant.ts';
import { subgroupMatrix as products } from './matmul/subgroup-matrix-variant.ts';
import { addVariants } from './variants/kernel-variants.ts';

/**
 * Lets an engine use its GPU's subgroup matrices, where Dawn offers them: one more variant of matrix products and convolutions,
 * which the tuner may choose. Experimental: it has been measured on few GPUs.
 * @example
 * import { Engine } from 'engram';
 * import { subgroupMatrix } from 'engram/subgroup-matrix';
 * const engine = await Engine.create({ subgroupMatrix });
 */
export const subgroupMatrix: SubgroupMatrix = {
  feature: SUBGROUP_MATRIX,
  addTo(engine: Runtime) {
    addVariants(engine, 'matmul', [products]);
    addVariants(engine, 'conv2d', [taps]);
    addVariants(engine, 'conv2d weights', [weights]);
  },
};
