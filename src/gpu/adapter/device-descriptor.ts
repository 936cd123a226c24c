/** What an engine asks of an adapter: all that kernels can make use of, but for what is experimental. */
import type { AdapterChoice } from './adapter.ts';
import { SUBGROUP_MATRIX } from './subgroup-matrix.ts';

const WANTED_FEATURES: GPUFeatureName[] = ['shader-f16', 'subgroups', 'timestamp-query'];
const WANTED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBuffersPerShaderStage',
] as const;

/** @param warn called when subgroup matrices were asked for and are not offered. */
export function deviceDescriptor(
  { adapter, description, subgroupMatrix }: AdapterChoice,
  warn: (message: string) => void,
): GPUDeviceDescriptor {
  const wanted = subgroupMatrix ? [...WANTED_FEATURES, SUBGROUP_MATRIX] : WANTED_FEATURES;
  if (subgroupMatrix && !adapter.features.has(SUBGROUP_MATRIX)) {
    warn(`engram: ${description} offers no subgroup matrices (${SUBGROUP_MATRIX}); going on without them.`);
  }
  return {
    label: 'engram',
    requiredFeatures: wanted.filter((feature) => adapter.features.has(feature)),
    requiredLimits: Object.fromEntries(WANTED_LIMITS.map((limit) => [limit, adapter.limits[limit]])),
  };
}
