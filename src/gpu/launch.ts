/** What a kernel is launched with. */
import type { DeviceBuffer } from './device-buffer.ts';
import type { Constants } from './wgsl/constants.ts';
import type { Kernel } from './wgsl/kernel.ts';
import type { Params } from './wgsl/params.ts';

/** How a kernel does a piece of work, whatever the buffers. A kernel's variants are such plans. */
export interface Plan {
  /** Source and entry point. */
  readonly kernel: Kernel;
  /** Injected ahead of the source; a kernel is compiled once for each set. */
  readonly constants?: Constants;
  /** The kernel's uniform, by the names of its members. */
  readonly params?: Params;
  /** Workgroups along x, y and z, whole numbers; nothing is launched where one of them is 0. */
  readonly workgroups: readonly [number, number?, number?];
}

/** One launch of a kernel. */
export interface Launch extends Plan {
  /** Storage buffers in the order of their binding numbers: those that the entry point reaches. */
  readonly buffers: readonly DeviceBuffer[];
  /** Floating point operations (2 for a multiplication with its addition), for profiles. */
  readonly flops?: number;
}
