/** Errors that the device reports long after the call that caused them: the first one is kept until something waits for the GPU. */
import { pollGently } from '#adapter';
import { DeviceLostError, OutOfMemoryError, ValidationError } from '../errors.ts';
import type { Command } from './command.ts';
import { labelOf } from './wgsl/kernel.ts';

export class DeviceErrors {
  /** Why the device is gone. */
  lost: DeviceLostError | null = null;
  /** Commands of ours went into a host's encoder since the last wait: what is wrong with its submission concerns us too. */
  isEmbedded = false;
  /** How to fix what is wrong with a host's buffers. */
  advice: (error: GPUError) => { fix?: string } = () => ({});
  private first: Error | null = null;
  /** Requests for memory that nothing is known of yet. */
  private readonly requests = new Set<Promise<void>>();
  private isClosed = false;

  /**
   * @param isOurs nobody else uses the device: errors that no scope caught are ours too. Where a host does, its own listeners
   * hear of them as without this one.
   */
  constructor(
    private readonly device: GPUDevice,
    private readonly isOurs: boolean,
  ) {
    device.addEventListener('uncapturederror', this.onUncaptured);
    device.lost.then((info) => {
      if (this.isClosed && info.reason === 'destroyed') return;
      this.lost = new DeviceLostError({
        where: 'device',
        message: `the GPU device was lost (${info.reason || 'unknown reason'}: ${info.message}).`,
        fix: 'Its tensors are gone: create a new engine and load the last checkpoint.',
      });
    });
  }

  readonly add = (error: Error): void => {
    this.first ??= error;
  };

  /** Waits for what becomes of a request for memory. Whatever uses the buffer fails too, and may say so sooner: that is not reported. */
  readonly expect = (failure: Promise<OutOfMemoryError | null>): void => {
    const known = failure.then((error) => {
      this.requests.delete(known);
      if (error && !(this.first instanceof OutOfMemoryError)) this.first = error;
    });
    this.requests.add(known);
  };

  /** @throws the first error since the last call. */
  async throwFirst(): Promise<void> {
    if (this.first) await Promise.all(this.requests);
    if (this.lost) throw this.lost;
    const { first } = this;
    this.first = null;
    this.isEmbedded = false;
    if (first) throw first;
  }

  /** Listens for what is wrong with commands that are submitted until the function it returns is called. */
  watch(commands: readonly Command[]): () => void {
    this.device.pushErrorScope('validation');
    return () => {
      pollGently(() => this.device.popErrorScope()).then(
        (error) => {
          if (!error) return;
          const names = [...new Set(commands.flatMap((c) => (c.kind === 'dispatch' ? [labelOf(c.kernel)] : [])))];
          const named = names.find((name) => error.message.includes(`"${name}"`)) ?? names.join(', ');
          this.add(new ValidationError({ where: named || 'write', message: error.message, ...this.advice(error) }));
        },
        () => {}, // the device was lost: reported by its own error
      );
    };
  }

  /** Stops listening: what happens to the device from now on is meant. */
  close(): void {
    this.isClosed = true;
    this.device.removeEventListener('uncapturederror', this.onUncaptured);
  }

  private readonly onUncaptured = ({ error }: GPUUncapturedErrorEvent): void => {
    if (!this.isOurs && !this.isEmbedded) return;
    const isMemory = error.constructor.name === 'GPUOutOfMemoryError';
    const details = { where: 'device', message: error.message, ...this.advice(error) };
    this.add(new (isMemory ? OutOfMemoryError : ValidationError)(details));
  };
}
