/** Launches that update several parameters at once, each in a slot of its own; see `shaders/slots.wgsl`. */
import type { Engine } from '../gpu/engine.ts';
import type { Constants, Kernel } from '../gpu/kernel.ts';
import { plane } from '../ops/reduce.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** A parameter's tensors, in the order of the kernel's bindings. */
export interface Slot {
  /** Of each tensor. */
  readonly size: number;
  readonly tensors: readonly Tensor[];
}

export interface SlotKernels {
  /** The entry for so many slots. */
  kernel(slots: number): Kernel;
  readonly constants?: Constants;
  /** Slots a launch that there are entries for, most first; 1 is among them. */
  readonly slotCounts: readonly number[];
}

/** @param shared what every launch binds ahead of its slots. */
export function launchSlots(
  engine: Engine,
  { kernel, constants = {}, slotCounts }: SlotKernels,
  shared: readonly Tensor[],
  slots: readonly Slot[],
): void {
  const most = engine.device.limits.maxStorageBuffersPerShaderStage - shared.length;
  const each = slots[0]?.tensors.length ?? 1;
  // One kernel for many, one for the rest: compiling a third takes longer than it would save.
  const many = slotCounts.find((n) => n * each <= most) ?? 1;
  for (let first = 0; first < slots.length; ) {
    const count = first + many <= slots.length ? many : 1;
    const together = slots.slice(first, first + count);
    let groups = 0;
    const firsts = together.map(({ size }) => {
      const start = groups;
      groups += Math.ceil(size / 64);
      return start;
    });
    const [x, y] = plane(engine, groups);
    engine.dispatch({
      kernel: kernel(count),
      constants,
      buffers: [...shared, ...together.flatMap(({ tensors }) => tensors)].map((t) => t.storage),
      params: [...eight(together.map(({ size }) => size)), ...eight(firsts), x, 0, 0, 0],
      workgroups: [x, y],
    });
    first += count;
  }
}

const eight = (values: readonly number[]): number[] => Array.from({ length: 8 }, (_, i) => values[i] ?? 0);
