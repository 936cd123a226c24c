/** What the environment asks of the engines of programs that carry every kernel. */
import type { AdapterOptions } from '../gpu/adapter/adapter.ts';
import { subgroupMatrix } from '../ops/subgroup-matrix.ts';

/** Options for `Engine.create`: subgroup matrices where `ENGRAM_SUBGROUP_MATRIX` is set; the adapter reads its value. */
export const environmentOptions = (): AdapterOptions => (process.env.ENGRAM_SUBGROUP_MATRIX ? { subgroupMatrix } : {});
