/**
 * Reads GPU buffers back through a ring of staging buffers: the only place where anything waits for the GPU.
 */
import { pollGently } from '#adapter';
import type { Storage } from './buffer-pool.ts';
import type { Recorder } from './recorder.ts';

const STAGING_USAGE = 0x01 | 0x08; // MAP_READ | COPY_DST
const MAP_READ = 1;
/** Staging buffers kept for reuse. */
const KEPT = 8;

export class Readback {
  private idle: GPUBuffer[] = [];
  /** Staging buffers with a pending map: Dawn aborts the map of a buffer that is garbage-collected. */
  private readonly mapping = new Set<GPUBuffer>();

  constructor(
    private readonly device: GPUDevice,
    private readonly recorder: Recorder,
  ) {}

  /** The first `bytes` of a buffer as they are when every command recorded so far has run. */
  async read(storage: Storage, bytes: number): Promise<ArrayBuffer> {
    const size = Math.ceil(bytes / 4) * 4;
    const staging = this.take(size);
    this.recorder.copy(storage, staging, size);
    this.mapping.add(staging);
    try {
      await this.recorder.flush();
      await pollGently(() => staging.mapAsync(MAP_READ, 0, size));
      const copy = staging.getMappedRange(0, size).slice(0, bytes);
      staging.unmap();
      this.put(staging);
      return copy;
    } catch (error) {
      staging.destroy();
      throw error;
    } finally {
      this.mapping.delete(staging);
    }
  }

  private take(size: number): GPUBuffer {
    const fits = this.idle.findIndex((buffer) => buffer.size >= size && buffer.size <= size * 4 + 4096);
    const found = fits >= 0 ? this.idle.splice(fits, 1)[0] : undefined;
    return found ?? this.device.createBuffer({ size: Math.max(256, size), usage: STAGING_USAGE });
  }

  private put(staging: GPUBuffer): void {
    this.idle.push(staging);
    if (this.idle.length > KEPT) this.idle.shift()?.destroy();
  }
}
