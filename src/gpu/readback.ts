/**
 * Reads GPU buffers back through a ring of staging buffers: the only place where anything waits for the GPU.
 */
import { pollGently } from '#adapter';
import { ValidationError } from '../errors.ts';
import { type Requested, requestBuffer } from './buffer-request.ts';
import type { DeviceBuffer } from './device-buffer.ts';
import type { Recorder } from './recorder.ts';

const STAGING_USAGE = 0x01 | 0x08; // MAP_READ | COPY_DST
const MAP_READ = 1;
/** Staging buffers kept for reuse. */
const KEPT = 8;

export class Readback {
  private idle: Requested[] = [];
  /** Reads under way, with their staging buffers: Dawn aborts the map of a buffer that is garbage-collected. */
  private readonly pending = new Map<Requested, Promise<unknown>>();

  constructor(
    private readonly device: GPUDevice,
    private readonly recorder: Recorder,
  ) {}

  /**
   * The first `bytes` of a buffer as they are when every command recorded so far has run.
   * @throws {OutOfMemoryError} where there is no memory for a staging buffer.
   * @throws {ValidationError} when it cannot be mapped.
   */
  read(storage: DeviceBuffer, bytes: number): Promise<ArrayBuffer> {
    const size = Math.ceil(bytes / 4) * 4;
    const staging = this.take(size);
    this.recorder.copy(storage, staging.buffer, size);
    const read = this.map(staging, size, bytes);
    this.pending.set(staging, read);
    return read;
  }

  /** Resolves when no read is under way. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.pending.values());
  }

  destroy(): void {
    for (const { buffer } of this.idle) buffer.destroy();
    for (const { buffer } of this.pending.keys()) buffer.destroy();
    this.idle = [];
  }

  private async map(staging: Requested, size: number, bytes: number): Promise<ArrayBuffer> {
    const { buffer, failure } = staging;
    try {
      await this.recorder.flush();
      await pollGently(() => buffer.mapAsync(MAP_READ, 0, size));
      const copy = buffer.getMappedRange(0, size).slice(0, bytes);
      buffer.unmap();
      this.put(staging);
      return copy;
    } catch (cause) {
      buffer.destroy();
      const { message } = cause as Error;
      throw (await failure) ?? new ValidationError({ where: 'read', message: `reading failed: ${message}`, cause });
    } finally {
      this.pending.delete(staging);
    }
  }

  private take(size: number): Requested {
    const fits = this.idle.findIndex(({ buffer }) => buffer.size >= size && buffer.size <= size * 4 + 4096);
    const found = fits >= 0 ? this.idle.splice(fits, 1)[0] : undefined;
    return found ?? requestBuffer(this.device, { size: Math.max(256, size), usage: STAGING_USAGE }, 'read');
  }

  private put(staging: Requested): void {
    this.idle.push(staging);
    if (this.idle.length > KEPT) this.idle.shift()?.buffer.destroy();
  }
}
