/** Variants for GPUs of the kernels that sum taps: workgroups share tiles of source and weights in workgroup memory. */
import source from '../../../../shaders/conv2d/tiled.wgsl';
import { plane } from '../../../gpu/plane.ts';
import { TILE_DEPTH, tileGroups, tilings } from '../../variants/tilings.ts';
import type { TapPass } from './pass.ts';
import { paramsOf, type TapVariant } from './variant.ts';

/** Of a group: target positions × target channels. */
const sizeOf = (pass: TapPass) => [pass.batch * pass.rows * pass.columns, pass.targetChannels / pass.groups] as const;

export const tiled = /* @__PURE__ */ tilings(sizeOf).map(
  ({ tileOf, ...tiling }): TapVariant => ({
    ...tiling,
    supports: () => true,
    plan(engine, pass, output) {
      const tile = tileOf(pass);
      return {
        kernel: { name: 'conv2d_tiled', source },
        constants: { THREADS_Y: tile.y, THREADS_X: tile.x, DEPTH: TILE_DEPTH, S: pass.stored },
        params: paramsOf(pass, output),
        workgroups: plane(engine, tileGroups(...sizeOf(pass), tile) * pass.groups),
      };
    },
  }),
);
