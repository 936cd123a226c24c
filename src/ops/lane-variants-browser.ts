/** Pages carry no variants for vectors of eight numbers; see `lane-variants-node.ts`. */
import type { TapVariant } from './conv2d/taps/variant.ts';
import type { WeightVariant } from './conv2d/weights/variant.ts';
import type { MatmulVariant } from './matmul/product.ts';

export const productsOnLanes: readonly MatmulVariant[] = [];
export const tapsOnLanes: readonly TapVariant[] = [];
export const weightsOnLanes: readonly WeightVariant[] = [];
