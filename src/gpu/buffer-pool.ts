/**
 * Storage buffers with exact sizes. A freed buffer waits in its size's free list for the next tensor of that size:
 * training loops ask for the same sizes again and again, and buckets of rounded sizes waste up to half the memory. What
 * waits longest goes first when more waits than the budget allows.
 */

import { OutOfMemoryError } from '../errors.ts';
import { type Requested, requestBuffer } from './buffer-request.ts';
import { DeviceBuffer } from './device-buffer.ts';
import { PoolBudget } from './pool-budget.ts';

export interface PoolStatistics {
  /** Bytes held by living tensors. */
  liveBytes: number;
  /** Buffers held by living tensors. */
  liveBuffers: number;
  /** Bytes that wait for reuse. */
  pooledBytes: number;
  /** Buffers that wait for reuse. */
  pooledBuffers: number;
  /** The highest `liveBytes` so far, or since `resetPeak`. */
  peakBytes: number;
}

const sizeOf = (bytes: number): number => Math.max(4, Math.ceil(bytes / 4) * 4);

const STORAGE_USAGE = 0x80 | 0x04 | 0x08; // STORAGE | COPY_SRC | COPY_DST; GPUBufferUsage is not a global everywhere

export class BufferPool {
  private readonly free = new Map<number, DeviceBuffer[]>();
  /** All that wait, the one that has waited longest first. */
  private readonly waiting = new Set<DeviceBuffer>();
  private readonly budget = new PoolBudget();
  /** Every buffer that is not destroyed. */
  private readonly made = new Set<GPUBuffer>();
  /** Those that the device had no memory for. */
  private readonly invalid = new WeakSet<GPUBuffer>();
  private isStale = false;
  private nextId = 1;
  private readonly statistics: PoolStatistics = {
    liveBytes: 0,
    liveBuffers: 0,
    pooledBytes: 0,
    pooledBuffers: 0,
    peakBytes: 0,
  };

  /**
   * @param onRequest called with the outcome of each request for a buffer.
   * @param onGone called with each buffer that is given back to the device, and each of a host's that is let go.
   */
  constructor(
    private readonly device: GPUDevice,
    private readonly onRequest: (failure: Requested['failure']) => void,
    private readonly onGone: (storage: DeviceBuffer) => void,
  ) {}

  /**
   * A buffer of `bytes` rounded up to a multiple of 4, contents undefined; `fresh`: one that nothing has used before.
   * @throws {OutOfMemoryError} beyond the device's limits.
   */
  acquire(bytes: number, where: string, fresh = false): DeviceBuffer {
    const size = sizeOf(bytes);
    const waiting = fresh ? undefined : this.free.get(size)?.pop();
    const storage = waiting ?? this.create(size, where);
    if (waiting) {
      this.waitsNoLonger(waiting);
      waiting.refs = 1;
    } else {
      this.budget.created(size);
    }
    this.lives(size);
    return storage;
  }

  /** A storage that has no buffer until {@link back} gives it one, and may never have one. */
  reserve(bytes: number): DeviceBuffer {
    return new DeviceBuffer(this.nextId++, null, sizeOf(bytes));
  }

  /**
   * Gives a reserved storage a buffer, and adds a reference.
   * @throws {OutOfMemoryError} beyond the device's limits.
   */
  back(storage: DeviceBuffer, where: string): void {
    storage.place(this.acquire(storage.bytes, where, true).buffer);
    storage.refs++;
  }

  /** Takes in a part of a host's buffer, which stays the host's: nothing here counts, reuses or destroys it. */
  adopt<T extends DeviceBuffer>(make: (id: number) => T): T {
    return make(this.nextId++);
  }

  /** Drops one reference; the last one puts the buffer back, unless it is of no use or a host's. */
  release(storage: DeviceBuffer): void {
    if (--storage.refs > 0 || !storage.hasBuffer) return;
    if (storage.isHosts) {
      this.onGone(storage);
      return;
    }
    this.putBack(storage);
    const s = this.statistics;
    s.liveBytes -= storage.bytes;
    s.liveBuffers--;
    s.pooledBytes += storage.bytes;
    s.pooledBuffers++;
    if (this.invalid.has(storage.buffer)) this.discard(storage);
  }

  /** Adds a reference, also to a buffer that waits for reuse: it waits no longer. */
  pin(storage: DeviceBuffer): void {
    if (storage.refs++ > 0 || storage.isHosts) return;
    const list = this.free.get(storage.bytes) as DeviceBuffer[];
    list.splice(list.indexOf(storage), 1);
    this.waitsNoLonger(storage);
    this.lives(storage.bytes);
  }

  /**
   * Destroys buffers, those that have waited longest first, while more are held than what lived lately calls for. Only call
   * when every recorded command is submitted.
   */
  trim(): void {
    if (this.isStale) this.clear();
    const s = this.statistics;
    this.budget.submitted(s.liveBytes);
    const most = this.budget.bytes;
    for (const storage of this.waiting) {
      if (s.liveBytes + s.pooledBytes <= most) break;
      this.budget.evicted(storage.bytes);
      this.discard(storage);
    }
  }

  /** Lets the next {@link trim} destroy all that waits: it will not be asked for again. */
  expire(): void {
    this.isStale = true;
  }

  /** Destroys every buffer, those of living tensors too. Only call when nothing is launched any more. */
  destroy(): void {
    for (const buffer of this.made) buffer.destroy();
    this.made.clear();
    this.waiting.clear();
    this.free.clear();
  }

  /** Destroys all that waits. */
  private clear(): void {
    this.isStale = false;
    for (const storage of this.waiting) this.discard(storage);
    this.budget.reset(this.statistics.liveBytes);
  }

  resetPeak(): void {
    this.statistics.peakBytes = this.statistics.liveBytes;
  }

  snapshot(): PoolStatistics {
    return { ...this.statistics };
  }

  /**
   * Free lists are ordered, the oldest buffer last, where it is taken first: a loop that begins each turn with the same
   * buffers free is given the same ones in the same places, and finds its bind groups again.
   */
  private putBack(storage: DeviceBuffer): void {
    this.waiting.add(storage);
    const list = this.free.get(storage.bytes);
    if (!list) {
      this.free.set(storage.bytes, [storage]);
      return;
    }
    let at = list.length;
    while (at > 0 && (list[at - 1] as DeviceBuffer).id < storage.id) at--;
    list.splice(at, 0, storage);
  }

  private lives(bytes: number): void {
    const s = this.statistics;
    s.liveBytes += bytes;
    s.liveBuffers++;
    s.peakBytes = Math.max(s.peakBytes, s.liveBytes);
    this.budget.lives(s.liveBytes);
  }

  private waitsNoLonger(storage: DeviceBuffer): void {
    this.waiting.delete(storage);
    this.statistics.pooledBytes -= storage.bytes;
    this.statistics.pooledBuffers--;
  }

  private discard(storage: DeviceBuffer): void {
    const list = this.free.get(storage.bytes) as DeviceBuffer[];
    list.splice(list.indexOf(storage), 1);
    if (list.length === 0) this.free.delete(storage.bytes);
    this.waitsNoLonger(storage);
    storage.buffer.destroy();
    this.made.delete(storage.buffer);
    this.onGone(storage);
  }

  private create(size: number, where: string): DeviceBuffer {
    const { maxStorageBufferBindingSize, maxBufferSize } = this.device.limits;
    const limit = Math.min(maxStorageBufferBindingSize, maxBufferSize);
    if (size > limit) {
      throw new OutOfMemoryError({
        where,
        message: `a tensor of ${size} bytes is larger than this device's largest storage buffer (${limit} bytes).`,
        fix: 'Use a smaller batch or split the tensor.',
      });
    }
    const descriptor = { size, usage: STORAGE_USAGE };
    const { buffer, failure } = requestBuffer(this.device, descriptor, where, this.statistics.liveBytes);
    this.made.add(buffer);
    failure.then((error) => {
      if (!error) return;
      this.invalid.add(buffer);
      for (const storage of this.waiting) if (storage.buffer === buffer) this.discard(storage);
    });
    this.onRequest(failure);
    return new DeviceBuffer(this.nextId++, buffer, size);
  }
}
