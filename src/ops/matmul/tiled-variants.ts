/** Variants of the matrix product for GPUs: workgroups share tiles of both operands in workgroup memory. */
import tiledSource from '../../../shaders/matmul/tiled.wgsl';
import { plane } from '../../gpu/plane.ts';
import { splitSum } from '../variants/split.ts';
import { TILE_DEPTH, tileGroups, tilings } from '../variants/tilings.ts';
import { type MatmulVariant, type Product, paramsOf, storedAs } from './product.ts';

export const SPLIT = { wanted: 256, least: 128, unit: TILE_DEPTH };

/** `tiled`, `tiled-8x8` …: four rows and four columns a thread. */
export const tiled = /* @__PURE__ */ tilings<Product>(({ m, n }) => [m, n]).map(
  ({ tileOf, ...tiling }): MatmulVariant => {
    const groups = (product: Product): number => product.batch * tileGroups(product.m, product.n, tileOf(product));
    return {
      ...tiling,
      supports: () => true,
      split: (_engine, product) => splitSum(product.k, groups(product), SPLIT),
      plan(engine, product, output) {
        const { y, x } = tileOf(product);
        return {
          kernel: { name: 'matmul_tiled', source: tiledSource },
          constants: { THREADS_Y: y, THREADS_X: x, DEPTH: TILE_DEPTH, ...storedAs(product, output) },
          params: paramsOf(product, output),
          workgroups: plane(engine, groups(product) * output.splits),
        };
      },
    };
  },
);
