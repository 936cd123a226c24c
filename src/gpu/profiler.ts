/** The device's time for single kernels: a pass for each, between two timestamps. */
import { pollGently } from '#adapter';
import { AdapterError } from '../errors.ts';

/** One kernel launch on the device. */
export interface LaunchTime {
  /** Kernel and entry point. */
  readonly name: string;
  /** Milliseconds after the first launch began. */
  readonly start: number;
  /** Milliseconds. */
  readonly duration: number;
  /** Along x, y and z. */
  readonly workgroups: readonly [number, number, number];
  /** Floating point operations, where they are known. */
  readonly flops: number | undefined;
  /** Bytes of all buffers bound: what is read and written, if each byte is touched once. */
  readonly bytes: number;
}

/** Where the time of some work went. */
export interface Profile {
  /** In the order in which they ran. */
  readonly launches: readonly LaunchTime[];
  /** Milliseconds of JavaScript until everything was recorded. */
  readonly javascript: number;
}

type Noted = Pick<LaunchTime, 'name' | 'workgroups' | 'flops' | 'bytes'>;

/** A query set's most. */
const CAPACITY = 4096;
const QUERY_RESOLVE = 0x200;
const COPY_SRC = 0x04;
const COPY_DST = 0x08;
const MAP_READ = 0x01;

export class PassTimer {
  private readonly sets: GPUQuerySet[] = [];
  private readonly noted: Noted[] = [];

  /** @throws {AdapterError} */
  constructor(private readonly device: GPUDevice) {
    if (!device.features.has('timestamp-query')) {
      throw new AdapterError({
        where: 'profile',
        message: 'this device has no timestamp queries.',
        fix: "Profile in Node, or request the device with the feature 'timestamp-query'.",
      });
    }
  }

  /** Where the next launch's pass writes its times. */
  next(
    name: string,
    { x, y, z, flops, bytes }: { x: number; y: number; z: number; flops: number | undefined; bytes: number },
  ): GPUComputePassTimestampWrites {
    const at = (this.noted.length * 2) % CAPACITY;
    if (at === 0) this.sets.push(this.device.createQuerySet({ type: 'timestamp', count: CAPACITY }));
    this.noted.push({ name, workgroups: [x, y, z], flops, bytes });
    return {
      querySet: this.sets.at(-1) as GPUQuerySet,
      beginningOfPassWriteIndex: at,
      endOfPassWriteIndex: at + 1,
    };
  }

  /** The launches noted, when everything has run. The timer is spent then. */
  async read(): Promise<LaunchTime[]> {
    const stamps: bigint[] = [];
    for (const [i, set] of this.sets.entries()) {
      const count = Math.min(CAPACITY, this.noted.length * 2 - i * CAPACITY);
      stamps.push(...(await this.resolve(set, count)));
    }
    const first = stamps[0] ?? 0n;
    // Nanoseconds.
    const ms = (stamp: bigint) => Number(stamp) / 1e6;
    return this.noted.map((launch, i) => {
      const [begin, end] = [stamps[2 * i] as bigint, stamps[2 * i + 1] as bigint];
      return { ...launch, start: ms(begin - first), duration: ms(end - begin) };
    });
  }

  destroy(): void {
    for (const set of this.sets) set.destroy();
  }

  private async resolve(set: GPUQuerySet, count: number): Promise<BigUint64Array> {
    const size = count * 8;
    const resolved = this.device.createBuffer({ size, usage: QUERY_RESOLVE | COPY_SRC });
    const staging = this.device.createBuffer({ size, usage: MAP_READ | COPY_DST });
    const encoder = this.device.createCommandEncoder();
    encoder.resolveQuerySet(set, 0, count, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, size);
    this.device.queue.submit([encoder.finish()]);
    await pollGently(() => staging.mapAsync(1));
    const stamps = new BigUint64Array(staging.getMappedRange().slice(0));
    staging.destroy();
    resolved.destroy();
    return stamps;
  }
}
