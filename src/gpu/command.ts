/** What is recorded, to be encoded later. */
import type { Pipeline } from './pipelines.ts';
import type { Kernel } from './wgsl/kernel.ts';

export type Command =
  | {
      kind: 'dispatch';
      /** For people: other kernels may share its pipeline. */
      kernel: Kernel;
      pipeline: Pipeline;
      group: GPUBindGroup;
      x: number;
      y: number;
      z: number;
      /** Floating point operations, where the kernel's caller knows them. */
      flops: number | undefined;
      /** Bytes of all buffers bound. */
      bytes: number;
    }
  | { kind: 'copy'; from: GPUBuffer; fromOffset: number; to: GPUBuffer; offset: number; bytes: number }
  | { kind: 'write'; to: GPUBuffer; offset: number; data: Uint8Array<ArrayBuffer> };
