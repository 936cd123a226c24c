/** Variants of the matrix product for GPUs: workgroups share tiles of both operands in workgroup memory. */
import tiledSource from '../../../shaders/matmul/tiled.wgsl';
import wideSource from '../../../shaders/matmul/wide.wgsl';
import { plane } from '../../gpu/plane.ts';
import { splitSum } from '../variants/split.ts';
import { onHardware, TILE_DEPTH, tileGroups, tilings } from '../variants/tilings.ts';
import { isInQuads, type MatmulVariant, type Product, paramsOf, quadLayout, storedAs } from './product.ts';

const SPLIT = { wanted: 256, least: 128, unit: TILE_DEPTH };

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

/** `wide-16x16` … (threads along rows × columns): eight rows and eight columns a thread. */
export const wide = /* @__PURE__ */ [
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
