/** The variants of the matmul kernel: how a product is cut into workgroups. */

import blocksSource from '../../../shaders/matmul/blocks.wgsl';
import lanesSource from '../../../shaders/matmul/lanes.wgsl';
import matmulQuadsSource from '../../../shaders/matmul/quads.wgsl';
import matmulSubgroupMatrixSource from '../../../shaders/matmul/subgroup-matrix.wgsl';
import tiledSource from '../../../shaders/matmul/tiled.wgsl';
import wideSource from '../../../shaders/matmul/wide.wgsl';
import type { DeviceBuffer } from '../../gpu/device-buffer.ts';
import { plane } from '../../gpu/plane.ts';
import type { Runtime } from '../../gpu/runtime.ts';
import type { Kernel } from '../../gpu/wgsl/kernel.ts';
import type { FloatType } from '../../tensor/dtype.ts';
import {
  type KernelVariant,
  lanesOf,
  onHardware,
  QUAD_ROWS,
  quadConstants,
  splitSum,
  TILE_DEPTH,
  tileGroups,
  tilings,
} from '../variants/kernel-variants.ts';
import { hasSubgroupMatrix, layoutConstants, type MatrixBlock, matrixBlock } from '../variants/subgroup-matrix.ts';

/** c[batch, m, n] = a·b. The strides, in elements, say how the operands lie; a batch stride of 0 repeats one matrix. */
export interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly batch: number;
  readonly aRow: number;
  readonly aCol: number;
  readonly aBatch: number;
  readonly bRow: number;
  readonly bCol: number;
  readonly bBatch: number;
  /** How a and b are stored. */
  readonly stored: FloatType;
}

export interface Operands {
  readonly a: DeviceBuffer;
  readonly b: DeviceBuffer;
  /** Added to every row; only without splits. f32. */
  readonly bias?: DeviceBuffer | undefined;
  readonly c: DeviceBuffer;
  /** How c is stored. */
  readonly result: FloatType;
}

/** How the sum over k is cut: with several splits the output is [splits, batch, m, n], to be added up. */
export interface Split {
  readonly splits: number;
  readonly chunk: number;
}

export interface MatmulVariant extends KernelVariant<Product> {
  split(engine: Runtime, product: Product): Split;
  dispatch(engine: Runtime, product: Product, split: Split, operands: Operands): void;
}

const kernels = {
  quads: { name: 'matmul_quads', source: matmulQuadsSource },
  lanes: { name: 'matmul_lanes', source: lanesSource },
  blocks: { name: 'matmul_blocks', source: blocksSource },
  tiled: { name: 'matmul_tiled', source: tiledSource },
  wide: { name: 'matmul_wide', source: wideSource },
  subgroupMatrix: { name: 'matmul_subgroup_matrix', source: matmulSubgroupMatrixSource },
} satisfies Record<string, Kernel>;

function paramsOf(p: Product, { chunk, splits }: Split, { bias }: Operands): number[] {
  const strides = [p.aRow, p.aCol, p.aBatch, p.bRow, p.bCol, p.bBatch];
  return [p.m, p.n, p.k, ...strides, p.batch, chunk, splits, bias ? 1 : 0];
}

export const flopsOf = ({ m, n, k, batch }: Product): number => 2 * batch * m * n * k;

const storedAs = ({ stored }: Product, { result }: Operands) => ({ S: stored, R: result });

const buffersOf = ({ a, b, bias, c }: Operands): DeviceBuffer[] => [a, b, bias ?? a, c];

/** Neighbours along one axis lie side by side, a quad of them at a time. */
const inQuads = (one: number, other: number, size: number, batchStride: number): boolean =>
  one === 1 && size % 4 === 0 && other % 4 === 0 && batchStride % 4 === 0;

/** Whether everything that is loaded or stored together comes in quads. */
const isInQuads = ({ m, n, k, aRow, aCol, aBatch, bRow, bCol, bBatch }: Product): boolean =>
  k % 4 === 0 &&
  n % 4 === 0 &&
  (inQuads(aCol, aRow, k, aBatch) || inQuads(aRow, aCol, m, aBatch)) &&
  (inQuads(bCol, bRow, n, bBatch) || inQuads(bRow, bCol, k, bBatch));

/** Along which axes neighbours lie in operands in quads. */
const quadLayout = ({ n, k, aRow, aCol, aBatch, bRow, bCol, bBatch }: Product) => ({
  A_ROWS: !inQuads(aCol, aRow, k, aBatch),
  B_TERMS: !inQuads(bCol, bRow, n, bBatch),
});

const quadGroups = (lanes: number, { m, n, batch }: Product): number => {
  const { LANES, QUADS } = quadConstants(lanes, n);
  return batch * Math.ceil(m / (QUAD_ROWS * (LANES / QUADS))) * Math.ceil(n / (4 * QUADS));
};

const quads: MatmulVariant = {
  name: 'quads',
  supports: (engine) => lanesOf(engine) > 0,
  fits: isInQuads,
  split: (engine, product) =>
    splitSum(product.k, quadGroups(lanesOf(engine), product), { wanted: 64, least: 256, unit: 4 }),
  dispatch(engine, product, split, operands) {
    engine.dispatch({
      kernel: kernels.quads,
      constants: {
        ...quadConstants(lanesOf(engine), product.n),
        ...quadLayout(product),
        ...storedAs(product, operands),
      },
      buffers: buffersOf(operands),
      flops: flopsOf(product),
      params: paramsOf(product, split, operands),
      workgroups: plane(engine, quadGroups(lanesOf(engine), product) * split.splits),
    });
  },
};

const LANE_ROWS = 16;

const lanes: MatmulVariant = {
  name: 'lanes',
  supports: (engine) => lanesOf(engine) > 0,
  split(engine, { m, n, k, batch }) {
    const groups = batch * Math.ceil(m / LANE_ROWS) * Math.ceil(n / lanesOf(engine));
    return splitSum(k, groups, { wanted: 64, least: 256, unit: lanesOf(engine) });
  },
  dispatch(engine, product, split, operands) {
    const width = lanesOf(engine);
    const { m, n, batch } = product;
    const groups = Math.ceil(m / LANE_ROWS) * Math.ceil(n / width) * batch * split.splits;
    engine.dispatch({
      kernel: kernels.lanes,
      constants: { LANES: width, ...storedAs(product, operands) },
      buffers: buffersOf(operands),
      flops: flopsOf(product),
      params: paramsOf(product, split, operands),
      workgroups: plane(engine, groups),
    });
  },
};

const BLOCK_ROWS = 8;
const BLOCK_COLUMNS = 4;
const BLOCK_THREADS = 4;

const blocks: MatmulVariant = {
  name: 'blocks',
  supports: (engine) => engine.adapterKind === 'software',
  fits: ({ stored }) => stored === 'f32',
  split(_engine, { m, n, k, batch }) {
    const threads = batch * Math.ceil(m / BLOCK_ROWS) * Math.ceil(n / BLOCK_COLUMNS);
    return splitSum(k, threads / BLOCK_THREADS, { wanted: 64, least: 256, unit: 1 });
  },
  dispatch(engine, product, split, operands) {
    const { m, n, batch } = product;
    const threads = Math.ceil(m / BLOCK_ROWS) * Math.ceil(n / BLOCK_COLUMNS) * batch * split.splits;
    engine.dispatch({
      kernel: kernels.blocks,
      buffers: buffersOf(operands),
      flops: flopsOf(product),
      params: paramsOf(product, split, operands),
      workgroups: plane(engine, Math.ceil(threads / BLOCK_THREADS)),
    });
  },
};

const tiled = tilings<Product>(({ m, n }) => [m, n]).map(
  ({ name, fits, isPromising, tileOf }): MatmulVariant => ({
    name,
    fits,
    isPromising,
    supports: () => true,
    split(_engine, product) {
      const { m, n, k, batch } = product;
      const groups = batch * tileGroups(m, n, tileOf(product));
      return splitSum(k, groups, { wanted: 256, least: 128, unit: TILE_DEPTH });
    },
    dispatch(engine, product, split, operands) {
      const { m, n, batch } = product;
      const tile = tileOf(product);
      engine.dispatch({
        kernel: kernels.tiled,
        constants: { THREADS_Y: tile.y, THREADS_X: tile.x, DEPTH: TILE_DEPTH, ...storedAs(product, operands) },
        buffers: buffersOf(operands),
        flops: flopsOf(product),
        params: paramsOf(product, split, operands),
        workgroups: plane(engine, tileGroups(m, n, tile) * batch * split.splits),
      });
    },
  }),
);

/** `wide-16x16` … (threads along rows × columns): eight rows and eight columns a thread. */
const wide = [
  { y: 8, x: 8 },
  { y: 16, x: 16 },
].map(({ y, x }): MatmulVariant => {
  const groups = ({ m, n, batch }: Product): number => batch * Math.ceil(m / (8 * y)) * Math.ceil(n / (8 * x));
  return {
    name: `wide-${y}x${x}`,
    supports: () => true,
    fits: isInQuads,
    isPromising: onHardware,
    split: (_engine, product) => splitSum(product.k, groups(product), { wanted: 256, least: 128, unit: TILE_DEPTH }),
    dispatch(engine, product, split, operands) {
      engine.dispatch({
        kernel: kernels.wide,
        constants: {
          THREADS_Y: y,
          THREADS_X: x,
          DEPTH: TILE_DEPTH,
          ...quadLayout(product),
          ...storedAs(product, operands),
        },
        buffers: buffersOf(operands),
        flops: flopsOf(product),
        params: paramsOf(product, split, operands),
        workgroups: plane(engine, groups(product) * split.splits),
      });
    },
  };
});

const blockOf = (engine: Runtime, { m, n, stored }: Product): MatrixBlock | null => matrixBlock(engine, stored, m, n);

const matrixGroups = ({ m, n, batch }: Product, { rows, columns }: MatrixBlock): number =>
  batch * Math.ceil(m / rows) * Math.ceil(n / columns);

const subgroupMatrix: MatmulVariant = {
  name: 'subgroup-matrix',
  supports: hasSubgroupMatrix,
  fits: (product, engine) => blockOf(engine, product) !== null,
  isPromising: onHardware,
  split(engine, product) {
    const block = blockOf(engine, product) as MatrixBlock;
    return splitSum(product.k, matrixGroups(product, block), { wanted: 256, least: 128, unit: block.depth });
  },
  dispatch(engine, product, split, operands) {
    const block = blockOf(engine, product) as MatrixBlock;
    const { m, n, k, aRow, aCol, aBatch, bRow, bCol, bBatch, stored } = product;
    const a = { terms: aCol === 1, quads: inQuads(aCol, aRow, k, aBatch) || inQuads(aRow, aCol, m, aBatch) };
    const b = { terms: bCol !== 1, quads: inQuads(bCol, bRow, n, bBatch) || inQuads(bRow, bCol, k, bBatch) };
    engine.dispatch({
      kernel: kernels.subgroupMatrix,
      constants: { ...block.constants, ...layoutConstants(stored, a, b), R: operands.result },
      buffers: buffersOf(operands),
      flops: flopsOf(product),
      params: paramsOf(product, split, operands),
      workgroups: plane(engine, matrixGroups(product, block) * split.splits),
    });
  },
};

/** Best first, but for `subgroup-matrix`: it has never been measured, so only the tuner or a preference chooses it. */
export const matmulVariants: readonly MatmulVariant[] = [quads, lanes, blocks, ...tiled, ...wide, subgroupMatrix];
