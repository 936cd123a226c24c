/** Launching what a variant planned. */
import type { DeviceBuffer } from '../../gpu/device-buffer.ts';
import type { Plan } from '../../gpu/launch.ts';
import type { Runtime } from '../../gpu/runtime.ts';

/** Binds the buffers to a plan and launches it. Member by member: spreading a plan takes as long as making it. */
export function launchPlan(
  engine: Runtime,
  { kernel, constants = {}, params = {}, workgroups }: Plan,
  buffers: readonly DeviceBuffer[],
  flops: number,
): void {
  engine.dispatch({ kernel, constants, params, workgroups, buffers, flops });
}
