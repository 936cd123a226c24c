/** What lies in a host's command encoder and waits for the host to submit it. */

import { refusal } from './refusal.ts';

const COPY_SRC = 0x04;

export class HostWork {
  /** What uploads within the encoder are copied from. */
  private readonly staging: GPUBuffer[] = [];
  /** Number of the last batch in the encoder; 0 as long as there is none. */
  lastBatch = 0;
  /** Whether a function that records for it is running. */
  isOpen = false;

  constructor(readonly encoder: GPUCommandEncoder) {}

  get isEmpty(): boolean {
    return this.lastBatch === 0;
  }

  /** @throws {ArgumentError} to what needs everything recorded to be with the queue. */
  refuse(where: string): never {
    throw this.isOpen
      ? refusal(
          where,
          "what is recorded for an app's encoder has not run, and nothing is submitted or read inside.",
          'Return the tensors, and read them when the app has submitted and called submitted(engine).',
        )
      : refusal(
          where,
          "an encoder of the app's holds work of this engine that has not been submitted.",
          'Submit it and call submitted(engine) first.',
        );
  }

  /** A buffer that holds the bytes, whose length is a multiple of 4. */
  stage(device: GPUDevice, bytes: Uint8Array): GPUBuffer {
    const buffer = device.createBuffer({ size: bytes.byteLength, usage: COPY_SRC, mappedAtCreation: true });
    new Uint8Array(buffer.getMappedRange()).set(bytes);
    buffer.unmap();
    this.staging.push(buffer);
    return buffer;
  }

  /** Only call when it is submitted, or never will be. */
  destroy(): void {
    for (const buffer of this.staging) buffer.destroy();
  }
}
