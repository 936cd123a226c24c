/** Bytes one after the other, gzipped or not, unpacked only as far as they are asked for. */
import { DataError } from '../errors.ts';

/** Deflate makes at most 258 bytes of two bits. */
export const LARGEST_GZIP_RATIO = 1032;

/** Whether bytes begin as gzip does. */
export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

export class ByteStream {
  private readonly chunks: ReadableStreamDefaultReader<Uint8Array> | null;
  /** What was read and not yet taken. */
  private rest: Uint8Array;

  /** @param where names the file in errors. */
  constructor(
    private readonly bytes: Uint8Array<ArrayBuffer>,
    private readonly where: string,
  ) {
    const gzip = isGzip(bytes);
    this.chunks = gzip ? new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip')).getReader() : null;
    this.rest = gzip ? new Uint8Array(0) : bytes;
  }

  /**
   * The next `count` bytes, fewer only where they end.
   * @throws {DataError} for damaged gzip or want of memory.
   */
  async take(count: number): Promise<Uint8Array<ArrayBuffer>> {
    const taken = this.allocate(count);
    let at = 0;
    while (at < count) {
      if (this.rest.length === 0 && !(await this.more())) break;
      const part = this.rest.subarray(0, count - at);
      taken.set(part, at);
      at += part.length;
      this.rest = this.rest.subarray(part.length);
    }
    return at === count ? taken : taken.slice(0, at);
  }

  /** Stops unpacking. */
  async close(): Promise<void> {
    await this.chunks?.cancel().catch(() => undefined);
  }

  private async more(): Promise<boolean> {
    if (!this.chunks) return false;
    try {
      const { value, done } = await this.chunks.read();
      this.rest = value ?? new Uint8Array(0);
      return !done;
    } catch (cause) {
      throw new DataError({
        where: this.where,
        message: `the gzip stream of ${this.bytes.length} bytes cannot be unpacked: it is cut off or damaged.`,
        fix: 'Fetch the file again.',
        cause,
      });
    }
  }

  private allocate(count: number): Uint8Array<ArrayBuffer> {
    try {
      return new Uint8Array(count);
    } catch (cause) {
      throw new DataError({
        where: this.where,
        message: `there is no memory for ${count} bytes.`,
        fix: 'Use a part of the data.',
        cause,
      });
    }
  }
}
