/** Launches that update several parameters at once, each in a slot of its own; see `shaders/optim/slots.wgsl`. */

import { plane } from '../gpu/plane.ts';
import type { Runtime } from '../gpu/runtime.ts';
import type { Constants } from '../gpu/wgsl/constants.ts';
import type { Kernel } from '../gpu/wgsl/kernel.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { forSlots } from './slot-text.ts';

/** A parameter's tensors, in the order of the kernel's bindings. */
export interface Slot {
  /** Of each tensor. */
  readonly size: number;
  readonly tensors: readonly Tensor[];
}

export interface SlotKernel {
  /** For one slot; its file imports `optim/slots.wgsl`. */
  readonly kernel: Kernel;
  readonly constants?: Constants;
  /** Slots a launch may have, most first: of what the device can bind, the first is used; 8 at most. */
  readonly slotCounts: readonly number[];
  /** Values a workgroup; 64 by default. */
  readonly span?: number;
  /** A number for the kernel; 0 by default. */
  readonly value?: number;
}

/** Workgroups that have a slot. */
export const groupsOf = (slots: readonly { readonly size: number }[], span = 64): number =>
  slots.reduce((groups, { size }) => groups + Math.ceil(size / span), 0);

/**
 * @param shared what every launch binds ahead of its slots.
 * @param before workgroups of launches before these, where all of them number theirs together.
 */
export function launchSlots(
  engine: Runtime,
  { kernel, constants = {}, slotCounts, span = 64, value = 0 }: SlotKernel,
  shared: readonly Tensor[],
  slots: readonly Slot[],
  before = 0,
): void {
  const most = engine.device.limits.maxStorageBuffersPerShaderStage - shared.length;
  const each = slots[0]?.tensors.length ?? 1;
  // One kernel for many, one for the rest: compiling a third takes longer than it would save.
  const many = slotCounts.find((n) => n * each <= most) ?? 1;
  for (let first = 0; first < slots.length; ) {
    const count = first + many <= slots.length ? many : 1;
    const together = slots.slice(first, first + count);
    const firsts = together.map((_, i) => groupsOf(together.slice(0, i), span));
    const groups = groupsOf(together, span);
    const [x, y] = plane(engine, groups);
    engine.dispatch({
      kernel: { ...kernel, source: forSlots(kernel.source, count) },
      constants,
      buffers: [...shared, ...together.flatMap(({ tensors }) => tensors)].map((t) => t.storage),
      params: {
        sizes: eight(together.map(({ size }) => size)),
        firsts: eight(firsts),
        row: x,
        groups,
        before: before + groupsOf(slots.slice(0, first), span),
        earlier: first,
        value,
      },
      workgroups: [x, y],
    });
    first += count;
  }
}

/** As many as the kernels have room for. */
const eight = (values: readonly number[]): number[] => [0, 1, 2, 3, 4, 5, 6, 7].map((i) => values[i] ?? 0);
