/** Kernels for software adapters, whose subgroups are the vectors of the CPU. */
import type { Runtime } from '../../gpu/runtime.ts';

/**
 * Size of the subgroups of a software adapter, whose subgroups are the vectors of the CPU; 0 where kernels cannot rely
 * on it. Vectors of four gain too little for what SwiftShader takes to compile such kernels (11 s of CPU time for one),
 * and lavapipe does not unroll their loops over sixteen (5 GFLOP/s instead of 25).
 */
export function lanesOf(engine: Runtime): number {
  if (engine.adapterKind !== 'software' || !engine.device.features.has('subgroups')) return 0;
  const { subgroupMinSize, subgroupMaxSize } = engine.device.adapterInfo;
  return subgroupMinSize === 8 && subgroupMaxSize === 8 ? 8 : 0;
}

/** Whether kernels can rely on the size of subgroups. */
export const hasLanes = (engine: Runtime): boolean => lanesOf(engine) > 0;

/** Rows of a block of quads. */
export const QUAD_ROWS = 16;

/** The constants of kernels in quads for so many columns; see lib/quads.wgsl. */
export function quadConstants(lanes: number, columns: number) {
  // Four quads a row of lanes where eight would leave half of them idle.
  const quads = Math.ceil(columns / 4) % lanes;
  const QUADS = quads > 0 && quads <= lanes / 2 ? lanes / 2 : lanes;
  return { LANES: lanes, QUADS, BLOCKS: 1, SLOTS: QUAD_ROWS / QUADS, GAP: 0 };
}

/**
 * Blocks that a lane has one behind the other. A loop in quads is as fast as the CPU can read its instructions: what is loaded should serve
 * many multiplications, yet all of it must stay within the first cache of instructions. Where a row takes all lanes, most of what is loaded is
 * the right operand, and two blocks share it; elsewhere, or with three, the loop is too long.
 */
export const blocksOf = ({ LANES, QUADS }: { readonly LANES: number; readonly QUADS: number }): number =>
  QUADS === LANES ? 2 : 1;
