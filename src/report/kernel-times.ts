/** Where a step's time goes, kernel by kernel. */
import type { LaunchTime } from '../gpu/profiler.ts';

export interface KernelTimes {
  /** Kernel and entry point. */
  readonly kernel: string;
  /** In one step. */
  readonly launches: number;
  /** Milliseconds of all its launches in one step. */
  readonly ms: number;
  /** Of the step's kernel time. */
  readonly share: number;
  /** Over the launches whose operations are known; `null` if none are. */
  readonly gflops: number | null;
  /** Bytes of the buffers bound, by time. */
  readonly gbs: number;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** Slowest kernel first. @param steps the same launches in each; every launch counts with its median over the steps. */
export function kernelTimes(steps: readonly (readonly LaunchTime[])[]): KernelTimes[] {
  const first = steps[0] ?? [];
  const sums = new Map<string, { launches: number; ms: number; flops: number; bytes: number }>();
  let total = 0;
  first.forEach(({ name, flops, bytes }, i) => {
    const ms = median(steps.flatMap((launches) => launches[i]?.duration ?? []));
    const sum = sums.get(name) ?? { launches: 0, ms: 0, flops: 0, bytes: 0 };
    sums.set(name, {
      launches: sum.launches + 1,
      ms: sum.ms + ms,
      flops: sum.flops + (flops ?? 0),
      bytes: sum.bytes + bytes,
    });
    total += ms;
  });
  return [...sums]
    .map(([kernel, { launches, ms, flops, bytes }]) => ({
      kernel,
      launches,
      ms,
      share: total > 0 ? ms / total : 0,
      gflops: flops > 0 && ms > 0 ? flops / ms / 1e6 : null,
      gbs: ms > 0 ? bytes / ms / 1e6 : 0,
    }))
    .sort((a, b) => b.ms - a.ms);
}
