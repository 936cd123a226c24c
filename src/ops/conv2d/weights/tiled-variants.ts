/** Variants of the weight gradient for GPUs: workgroups share tiles of the images and of dy in workgroup memory. */
import source from '../../../../shaders/conv2d-weight/tiled.wgsl';
import { plane } from '../../../gpu/plane.ts';
import { TILE_DEPTH, tileGroups, tilings } from '../../variants/tilings.ts';
import type { Geometry } from '../geometry.ts';
import { paramsOf, placesOf, splitLines, type WeightVariant } from './variant.ts';

export const tiled = /* @__PURE__ */ tilings<Geometry>((g) => [placesOf(g), g.outChannels]).map(
  ({ tileOf, ...tiling }): WeightVariant => ({
    ...tiling,
    supports: () => true,
    split: (_engine, g) => splitLines(g, tileGroups(placesOf(g), g.outChannels, tileOf(g)), 512),
    plan(engine, g, split) {
      const tile = tileOf(g);
      return {
        kernel: { name: 'conv2d_weight_tiled', source },
        constants: { THREADS_Y: tile.y, THREADS_X: tile.x, DEPTH: TILE_DEPTH, S: g.stored },
        params: paramsOf(g, split),
        workgroups: plane(engine, tileGroups(placesOf(g), g.outChannels, tile) * split.splits),
      };
    },
  }),
);
