/** A buffer of the engine's, or a host's that a tensor wraps: what tensors look into, and kernels are launched on. */

/** What a buffer may have to be made for. */
export type CopyUsage = 'COPY_SRC' | 'COPY_DST';

/**
 * One GPU buffer, or a part of a host's, and the number of tensors and leases that look into it.
 * @hideconstructor
 */
export class DeviceBuffer {
  /** @internal */
  refs = 1;
  /**
   * The recorder's batch that used this buffer last: decides whether an upload may overtake pending commands.
   * @internal
   */
  lastBatch = 0;
  /**
   * Leases that a host has on it; see `borrow`.
   * @internal
   */
  leases = 0;

  constructor(
    /** @internal */
    readonly id: number,
    private held: GPUBuffer | null,
    /** Size in bytes, a multiple of 4. */
    readonly bytes: number,
    /** Where in the buffer it begins, in bytes; 0 but in a host's. */
    readonly offset = 0,
    /** The host's, never pooled nor destroyed; see `wrap`. */
    readonly isHosts = false,
  ) {}

  /**
   * @throws {ArgumentError} for a host's buffer that was made without the usage; the engine's own have both.
   * @internal
   */
  allow(_usage: CopyUsage, _where: string): void {}

  /**
   * WebGPU's own buffer.
   * @throws {RangeError} inside a step that is being recorded: its tensors have no buffers before it has ended.
   */
  get buffer(): GPUBuffer {
    if (!this.held) throw new RangeError('a tensor of a step that is being recorded has no buffer yet');
    return this.held;
  }

  /** @internal */
  get hasBuffer(): boolean {
    return this.held !== null;
  }

  /**
   * Whether a host's commands may use it, which the engine knows nothing of.
   * @internal
   */
  get isShared(): boolean {
    return this.isHosts || this.leases > 0;
  }

  /** @internal */
  place(buffer: GPUBuffer): void {
    this.held = buffer;
  }
}
