/** The variant on subgroup matrices of the kernels that sum taps. */
import source from '../../../../shaders/conv2d/subgroup-matrix.wgsl';
import { plane } from '../../../gpu/plane.ts';
import type { Runtime } from '../../../gpu/runtime.ts';
import {
  hasSubgroupMatrix,
  layoutConstants,
  type MatrixBlock,
  matrixBlock,
  type OperandLayout,
  ORIGIN_BYTES,
} from '../../variants/subgroup-matrix.ts';
import { onHardware } from '../../variants/tilings.ts';
import type { TapPass } from './pass.ts';
import { paramsOf, type TapVariant } from './variant.ts';

const blockOf = (engine: Runtime, { stored, batch, rows, columns, targetChannels }: TapPass): MatrixBlock | null =>
  matrixBlock(engine, stored, batch * rows * columns, targetChannels, ORIGIN_BYTES);

/** How the weights lie: their terms side by side in an input gradient, where they are turned. */
function weightLayout(p: TapPass): OperandLayout {
  const terms = p.weightTarget !== 1;
  const [side, across, size] = terms
    ? [p.weightSource, p.weightTarget, p.channels]
    : [p.weightTarget, p.weightSource, p.targetChannels];
  const places = [size, across, p.weightOrigin, p.weightY, p.weightX];
  return { terms, quads: side === 1 && places.every((place) => place % 4 === 0) };
}

export const subgroupMatrix: TapVariant = {
  name: 'subgroup-matrix',
  supports: hasSubgroupMatrix,
  fits: (pass, engine) => pass.groups === 1 && blockOf(engine, pass) !== null,
  isPromising: onHardware,
  plan(engine, pass, output) {
    const { constants, rows, columns } = blockOf(engine, pass) as MatrixBlock;
    const images = { terms: true, quads: pass.channels % 4 === 0 };
    const positions = pass.batch * pass.rows * pass.columns;
    return {
      kernel: { name: 'conv2d_subgroup_matrix', source },
      constants: { ...constants, ...layoutConstants(pass.stored, images, weightLayout(pass)) },
      params: paramsOf(pass, output),
      workgroups: plane(engine, Math.ceil(positions / rows) * Math.ceil(pass.targetChannels / columns)),
    };
  },
};
