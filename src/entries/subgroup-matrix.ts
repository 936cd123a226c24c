/**
 * Kernels for subgroup matrices, an extension of WGSL that is experimental.
 * @module engram/subgroup-matrix
 */
// Nothing inside `src` imports this file.
export type { SubgroupMatrix } from '../gpu/adapter/adapter.ts';
export { subgroupMatrix } from '../ops/subgroup-matrix.ts';
