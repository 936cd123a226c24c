/** How much of a device an engine takes. */
import type { PoolStatistics } from './buffer-pool.ts';

/** What an engine holds on its device. */
export interface MemoryReport extends PoolStatistics {
  /** Compiled pipelines. */
  pipelines: number;
  /** Bind groups kept for reuse, those of recordings included. */
  bindGroups: number;
  /** Small uniform buffers kept for reuse. */
  uniforms: number;
  /** Dispatches recorded since the engine was made. */
  dispatches: number;
}
