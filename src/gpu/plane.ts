/** Launches larger than one dimension of workgroups allows. */
import type { Runtime } from './runtime.ts';

/** Workgroups for `count` items as a plane within the device's limit. */
export function plane(engine: Runtime, count: number): [number, number] {
  const x = Math.min(count, engine.device.limits.maxComputeWorkgroupsPerDimension);
  return [x, Math.ceil(count / x)];
}
