/** `engram/subgroup-matrix`: kernels for an extension of WGSL that is experimental. Nothing inside `src` imports this file. */
export type { SubgroupMatrix } from '../gpu/adapter/adapter.ts';
export { subgroupMatrix } from '../ops/subgroup-matrix.ts';
