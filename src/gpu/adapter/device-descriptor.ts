/** What an engine asks of an adapter: all that kernels can make use of, but for what is experimental. */
import type { AdapterChoice, SubgroupMatrix } from './adapter.ts';

export const WANTED_FEATURES = ['shader-f16', 'subgroups', 'timestamp-query'] as const satisfies GPUFeatureName[];
export const WANTED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBuffersPerShaderStage',
] as const satisfies (keyof GPUSupportedLimits)[];

/** As `adapter.requestDevice` takes them. */
export interface DeviceRequirements {
  requiredFeatures: GPUFeatureName[];
  requiredLimits: Record<string, number>;
}

/**
 * What an app asks of its adapter for a device on which an engine runs at its best; an engine made by `Engine.create` asks the
 * same. Only what the adapter offers: the request does not fail for it. An app that has wants of its own joins the two lists, and
 * takes the larger of two limits.
 * @param options `subgroupMatrix`: to use subgroup matrices, where the adapter offers them.
 * @example
 * const device = await adapter.requestDevice(deviceRequirements(adapter));
 * const engine = Engine.from(device);
 */
export function deviceRequirements(
  { features, limits }: GPUAdapter,
  { subgroupMatrix }: { readonly subgroupMatrix?: SubgroupMatrix | null | undefined } = {},
): DeviceRequirements {
  const wanted: GPUFeatureName[] = subgroupMatrix ? [...WANTED_FEATURES, subgroupMatrix.feature] : [...WANTED_FEATURES];
  return {
    requiredFeatures: wanted.filter((feature) => features.has(feature)),
    requiredLimits: Object.fromEntries(WANTED_LIMITS.map((limit) => [limit, limits[limit]])),
  };
}

/** @param warn called when subgroup matrices were asked for and are not offered. */
export function deviceDescriptor(
  { adapter, description, subgroupMatrix }: AdapterChoice,
  warn: (message: string) => void,
): GPUDeviceDescriptor {
  if (subgroupMatrix && !adapter.features.has(subgroupMatrix.feature)) {
    warn(`engram: ${description} offers no subgroup matrices (${subgroupMatrix.feature}); going on without them.`);
  }
  return { label: 'engram', ...deviceRequirements(adapter, { subgroupMatrix }) };
}
