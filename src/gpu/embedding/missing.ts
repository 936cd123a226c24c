/** What an app's device keeps from an engine, because the app did not ask for it. */

import { WANTED_FEATURES, WANTED_LIMITS } from '../adapter/device-descriptor.ts';

type Feature = (typeof WANTED_FEATURES)[number];
type Limit = (typeof WANTED_LIMITS)[number];

/** A feature or a limit that an engine could make use of. */
export interface Missing {
  readonly name: Feature | Limit;
  /** What the device has; false for a feature. */
  readonly has: number | false;
  /** What the adapter would give; undefined where it is not known. */
  readonly offers: number | boolean | undefined;
  /** What one goes without. */
  readonly lost: string;
}

const ROOM = 'larger workgroups, in subgroup matrices and in kernels of your own';

const LOST: Readonly<Record<Feature | Limit, string>> = {
  'shader-f16': 'f16 tensors, and training with half the memory',
  subgroups: 'the fastest kernels on software adapters, and subgroup matrices',
  'timestamp-query': 'engine.profile(), and tuning by the clock of the device',
  maxBufferSize: 'larger tensors',
  maxStorageBufferBindingSize: 'larger tensors',
  maxComputeWorkgroupStorageSize: ROOM,
  maxComputeInvocationsPerWorkgroup: ROOM,
  maxComputeWorkgroupSizeX: ROOM,
  maxComputeWorkgroupSizeY: ROOM,
  maxComputeWorkgroupsPerDimension: 'launches over more elements along one dimension',
  maxStorageBuffersPerShaderStage:
    'more parameters in one launch of an optimizer, and kernels of your own with more buffers',
};

/** What a device has that was not asked for more: WebGPU's defaults. Source: the specification, section "Limits". */
const DEFAULTS: Readonly<Record<Limit, number>> = {
  maxBufferSize: 2 ** 28,
  maxStorageBufferBindingSize: 2 ** 27,
  maxComputeWorkgroupStorageSize: 2 ** 14,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupSizeY: 256,
  maxComputeWorkgroupsPerDimension: 65535,
  maxStorageBuffersPerShaderStage: 8,
};

/**
 * The features and limits that an engine could make use of and that the device was made without.
 * @param adapter the one that the device is of. Without it nobody knows what more there was: features that the device lacks are
 * listed, and limits that stand at WebGPU's defaults.
 * @example for (const { name, lost } of missing(engine.device, adapter)) console.log(`without ${name}: no ${lost}`);
 */
export function missing({ features, limits }: GPUDevice, adapter?: GPUAdapter): Missing[] {
  const lacking = WANTED_FEATURES.filter((name) => !features.has(name) && (adapter?.features.has(name) ?? true));
  const low = WANTED_LIMITS.filter((name) =>
    adapter ? limits[name] < adapter.limits[name] : limits[name] <= DEFAULTS[name],
  );
  return [
    ...lacking.map((name): Missing => ({ name, has: false, offers: adapter && true, lost: LOST[name] })),
    ...low.map((name): Missing => ({ name, has: limits[name], offers: adapter?.limits[name], lost: LOST[name] })),
  ];
}
