/** What an engine asks of an adapter: all that kernels can make use of, but for what is experimental. */
import type { AdapterChoice } from './adapter.ts';

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
  const wanted = subgroupMatrix ? [...WANTED_FEATURES, subgroupMatrix.feature] : WANTED_FEATURES;
  if (subgroupMatrix && !adapter.features.has(subgroupMatrix.feature)) {
    warn(`engram: ${description} offers no subgroup matrices (${subgroupMatrix.feature}); going on without them.`);
  }
  return {
    label: 'engram',
    requiredFeatures: wanted.filter((feature) => adapter.features.has(feature)),
    requiredLimits: Object.fromEntries(WANTED_LIMITS.map((limit) => [limit, adapter.limits[limit]])),
  };
}
