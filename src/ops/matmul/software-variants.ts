/** Variants of the matrix product for software adapters. */
import blocksSource from '../../../shaders/matmul/blocks.wgsl';
import lanesSource from '../../../shaders/matmul/lanes.wgsl';
import quadsSource from '../../../shaders/matmul/quads.wgsl';
import { plane } from '../../gpu/plane.ts';
import type { Runtime } from '../../gpu/runtime.ts';
import { blocksOf, hasLanes, lanesOf, QUAD_ROWS, quadConstants } from '../variants/lanes.ts';
import { splitSum } from '../variants/split.ts';
import { isInQuads, type MatmulVariant, type Product, paramsOf, quadLayout, storedAs } from './product.ts';

function layoutOf(lanes: number, { m, n }: Product) {
  const constants = quadConstants(lanes, n);
  return { ...constants, BLOCKS: m > QUAD_ROWS ? blocksOf(constants) : 1 };
}

const quadGroups = (lanes: number, product: Product): number => {
  const { LANES, QUADS, BLOCKS } = layoutOf(lanes, product);
  const rows = BLOCKS * QUAD_ROWS * (LANES / QUADS);
  return product.batch * Math.ceil(product.m / rows) * Math.ceil(product.n / (4 * QUADS));
};

export const quads: MatmulVariant = {
  name: 'quads',
  supports: hasLanes,
  fits: isInQuads,
  split: (engine, product) =>
    splitSum(product.k, quadGroups(lanesOf(engine), product), { wanted: 64, least: 256, unit: 4 }),
  plan: (engine, product, output) => ({
    kernel: { name: 'matmul_quads', source: quadsSource },
    constants: {
      ...layoutOf(lanesOf(engine), product),
      ...quadLayout(product),
      ...storedAs(product, output),
    },
    params: paramsOf(product, output),
    workgroups: plane(engine, quadGroups(lanesOf(engine), product) * output.splits),
  }),
};

const LANE_ROWS = 16;

const laneGroups = (engine: Runtime, { m, n, batch }: Product): number =>
  batch * Math.ceil(m / LANE_ROWS) * Math.ceil(n / lanesOf(engine));

export const lanes: MatmulVariant = {
  name: 'lanes',
  supports: hasLanes,
  split: (engine, product) =>
    splitSum(product.k, laneGroups(engine, product), { wanted: 64, least: 256, unit: lanesOf(engine) }),
  plan: (engine, product, output) => ({
    kernel: { name: 'matmul_lanes', source: lanesSource },
    constants: { LANES: lanesOf(engine), ...storedAs(product, output) },
    params: paramsOf(product, output),
    workgroups: plane(engine, laneGroups(engine, product) * output.splits),
  }),
};

const BLOCK_ROWS = 8;
const BLOCK_COLUMNS = 4;
const BLOCK_THREADS = 4;

const blockThreads = ({ m, n, batch }: Product): number =>
  batch * Math.ceil(m / BLOCK_ROWS) * Math.ceil(n / BLOCK_COLUMNS);

export const blocks: MatmulVariant = {
  name: 'blocks',
  supports: (engine) => engine.adapterKind === 'software',
  fits: ({ stored }) => stored === 'f32',
  split: (_engine, product) =>
    splitSum(product.k, blockThreads(product) / BLOCK_THREADS, { wanted: 64, least: 256, unit: 1 }),
  plan: (engine, product, output) => ({
    kernel: { name: 'matmul_blocks', source: blocksSource },
    params: paramsOf(product, output),
    workgroups: plane(engine, Math.ceil((blockThreads(product) * output.splits) / BLOCK_THREADS)),
  }),
};
