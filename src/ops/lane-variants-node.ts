/**
 * Variants for adapters whose subgroups are vectors of eight numbers, best first: lavapipe, which Node finds installed. The
 * software adapter that browsers bring, SwiftShader, has vectors of four, so a page carries none of these, and is content with
 * `blocks` should it ever meet lavapipe: `#lane-variants` is `lane-variants-browser.ts` there.
 */
import {
  lanes as tapLanes,
  narrow as tapNarrow,
  quads as tapQuads,
  stem as tapStem,
} from './conv2d/taps/software-variants.ts';
import type { TapVariant } from './conv2d/taps/variant.ts';
import {
  lanes as weightLanes,
  narrow as weightNarrow,
  quads as weightQuads,
  stem as weightStem,
} from './conv2d/weights/software-variants.ts';
import type { WeightVariant } from './conv2d/weights/variant.ts';
import type { MatmulVariant } from './matmul/product.ts';
import { lanes, quads } from './matmul/software-variants.ts';

export const productsOnLanes: readonly MatmulVariant[] = [quads, lanes];
export const tapsOnLanes: readonly TapVariant[] = [tapStem, tapNarrow, tapQuads, tapLanes];
export const weightsOnLanes: readonly WeightVariant[] = [weightStem, weightNarrow, weightQuads, weightLanes];
