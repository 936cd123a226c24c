/** Variants of the weight gradient for GPUs: workgroups share tiles of the images and of dy in workgroup memory. */
import source from '../../../../shaders/conv2d-weight/tiled.wgsl';
import { plane } from '../../../gpu/plane.ts';
import { TILE_DEPTH, type Tile, tileGroups, tilings } from '../../variants/tilings.ts';
import type { Geometry } from '../geometry.ts';
import { paramsOf, placesOf, splitLines, type WeightVariant } from './variant.ts';

/** Of a group: the places of weights × target channels. */
const sizeOf = (g: Geometry) => [placesOf(g), g.outChannels / g.groups] as const;

const workgroupsOf = (g: Geometry, tile: Tile): number => tileGroups(...sizeOf(g), tile) * g.groups;

export const tiled = /* @__PURE__ */ tilings(sizeOf).map(
  ({ tileOf, ...tiling }): WeightVariant => ({
    ...tiling,
    supports: () => true,
    split: (_engine, g) => splitLines(g, workgroupsOf(g, tileOf(g)), 512),
    plan(engine, g, split) {
      const tile = tileOf(g);
      return {
        kernel: { name: 'conv2d_weight_tiled', source },
        constants: { THREADS_Y: tile.y, THREADS_X: tile.x, DEPTH: TILE_DEPTH, S: g.stored },
        params: paramsOf(g, split),
        workgroups: plane(engine, workgroupsOf(g, tile) * split.splits),
      };
    },
  }),
);
