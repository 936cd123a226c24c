/** Asking the device for a buffer, which it may not have the memory for. */
import { pollGently } from '#adapter';
import { OutOfMemoryError } from '../errors.ts';

const outOfMemory = (where: string, size: number, live?: number, cause?: unknown) =>
  new OutOfMemoryError({
    where,
    message: `the device could not give ${size} bytes${live === undefined ? '' : ` (${live} bytes were in use)`}.`,
    fix: 'Use a smaller batch, or free tensors with engine.scope().',
    cause,
  });

/** @throws {OutOfMemoryError} where that is known at once, as it is of mapped buffers. */
export function createBuffer(
  device: GPUDevice,
  descriptor: GPUBufferDescriptor,
  where: string,
  live?: number,
): GPUBuffer {
  try {
    return device.createBuffer(descriptor);
  } catch (cause) {
    throw outOfMemory(where, descriptor.size, live, cause);
  }
}

export interface Requested {
  readonly buffer: GPUBuffer;
  /** Why the buffer is not valid, `null` if it is; never rejects. */
  readonly failure: Promise<OutOfMemoryError | null>;
}

/** A buffer, and what becomes known about it later. @param live bytes in use, for the error. */
export function requestBuffer(
  device: GPUDevice,
  descriptor: GPUBufferDescriptor,
  where: string,
  live?: number,
): Requested {
  device.pushErrorScope('out-of-memory');
  let failure: Requested['failure'];
  let buffer: GPUBuffer;
  try {
    buffer = createBuffer(device, descriptor, where, live);
  } finally {
    failure = pollGently(() => device.popErrorScope()).then(
      (error) => error && outOfMemory(where, descriptor.size, live),
      () => null, // the device was lost: reported by its own error
    );
  }
  return { buffer, failure };
}
