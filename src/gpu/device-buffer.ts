/** A buffer of the engine's: what tensors look into, and kernels are launched on. */

/** One GPU buffer and the number of tensors that look into it. */
export class DeviceBuffer {
  refs = 1;
  /** The recorder's batch that used this buffer last: decides whether an upload may overtake pending commands. */
  lastBatch = 0;

  constructor(
    readonly id: number,
    private held: GPUBuffer | null,
    /** Size in bytes, a multiple of 4. */
    readonly bytes: number,
  ) {}

  /** @throws {RangeError} while it has none; see {@link BufferPool.reserve}. */
  get buffer(): GPUBuffer {
    if (!this.held) throw new RangeError('a tensor of a step that is being recorded has no buffer yet');
    return this.held;
  }

  get hasBuffer(): boolean {
    return this.held !== null;
  }

  place(buffer: GPUBuffer): void {
    this.held = buffer;
  }
}
