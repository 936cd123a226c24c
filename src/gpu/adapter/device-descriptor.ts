/** What an engine asks of an adapter: all that kernels can make use of, but for what is experimental. */
import type { AdapterChoice } from './adapter.ts';
import { MATRIX_UNITS } from './subgroup-matrix.ts';

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

/** @param warn told when matrix units were asked for and are not offered. */
export function deviceDescriptor(
  { adapter, description, matrixUnits }: AdapterChoice,
  warn: (message: string) => void,
): GPUDeviceDescriptor {
  const wanted = matrixUnits ? [...WANTED_FEATURES, MATRIX_UNITS] : WANTED_FEATURES;
  if (matrixUnits && !adapter.features.has(MATRIX_UNITS)) {
    warn(`engram: ${description} offers no matrix units (${MATRIX_UNITS}); going on without them.`);
  }
  return {
    label: 'engram',
    requiredFeatures: wanted.filter((feature) => adapter.features.has(feature)),
    requiredLimits: Object.fromEntries(WANTED_LIMITS.map((limit) => [limit, adapter.limits[limit]])),
  };
}
