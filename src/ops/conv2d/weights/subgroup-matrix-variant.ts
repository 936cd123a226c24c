/** The variant of the weight gradient on subgroup matrices. */
import source from '../../../../shaders/conv2d-weight/subgroup-matrix.wgsl';
import { plane } from '../../../gpu/plane.ts';
import type { Runtime } from '../../../gpu/runtime.ts';
import {
  hasSubgroupMatrix,
  layoutConstants,
  type MatrixBlock,
  matrixBlock,
  ORIGIN_BYTES,
} from '../../variants/subgroup-matrix.ts';
import { onHardware } from '../../variants/tilings.ts';
import type { Geometry } from '../geometry.ts';
import { paramsOf, placesOf, splitLines, type WeightVariant } from './variant.ts';

const blockOf = (engine: Runtime, g: Geometry): MatrixBlock | null =>
  matrixBlock(engine, g.stored, placesOf(g), g.outChannels, ORIGIN_BYTES);

const groups = (g: Geometry, { rows, columns }: MatrixBlock): number =>
  Math.ceil(placesOf(g) / rows) * Math.ceil(g.outChannels / columns);

export const subgroupMatrix: WeightVariant = {
  name: 'subgroup-matrix',
  supports: hasSubgroupMatrix,
  fits: (g, engine) => g.groups === 1 && blockOf(engine, g) !== null,
  isPromising: onHardware,
  split: (engine, g) => splitLines(g, groups(g, blockOf(engine, g) as MatrixBlock), 512),
  plan(engine, g, split) {
    const block = blockOf(engine, g) as MatrixBlock;
    const x = { terms: false, quads: g.inChannels % 4 === 0 };
    const dy = { terms: false, quads: g.outChannels % 4 === 0 };
    return {
      kernel: { name: 'conv2d_weight_subgroup_matrix', source },
      constants: { ...block.constants, ...layoutConstants(g.stored, x, dy) },
      params: paramsOf(g, split),
      workgroups: plane(engine, groups(g, block) * split.splits),
    };
  },
};
