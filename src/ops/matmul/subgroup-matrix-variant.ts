/** The variant of the matrix product on subgroup matrices. */
import source from '../../../shaders/matmul/subgroup-matrix.wgsl';
import { plane } from '../../gpu/plane.ts';
import type { Runtime } from '../../gpu/runtime.ts';
import { splitSum } from '../variants/split.ts';
import { hasSubgroupMatrix, layoutConstants, type MatrixBlock, matrixBlock } from '../variants/subgroup-matrix.ts';
import { onHardware } from '../variants/tilings.ts';
import { isAInQuads, isBInQuads, type MatmulVariant, type Product, paramsOf } from './product.ts';

const blockOf = (engine: Runtime, { m, n, stored }: Product): MatrixBlock | null => matrixBlock(engine, stored, m, n);

const groups = ({ m, n, batch }: Product, { rows, columns }: MatrixBlock): number =>
  batch * Math.ceil(m / rows) * Math.ceil(n / columns);

export const subgroupMatrix: MatmulVariant = {
  name: 'subgroup-matrix',
  supports: hasSubgroupMatrix,
  fits: (product, engine) => blockOf(engine, product) !== null,
  isPromising: onHardware,
  split(engine, product) {
    const block = blockOf(engine, product) as MatrixBlock;
    return splitSum(product.k, groups(product, block), { wanted: 256, least: 128, unit: block.depth });
  },
  plan(engine, product, output) {
    const block = blockOf(engine, product) as MatrixBlock;
    const a = { terms: product.aCol === 1, quads: isAInQuads(product) };
    const b = { terms: product.bCol !== 1, quads: isBInQuads(product) };
    return {
      kernel: { name: 'matmul_subgroup_matrix', source },
      constants: { ...block.constants, ...layoutConstants(product.stored, a, b), R: output.result },
      params: paramsOf(product, output),
      workgroups: plane(engine, groups(product, block) * output.splits),
    };
  },
};
