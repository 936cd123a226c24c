/** Reading inside a step that is being recorded, when there is nothing to be read yet. */

import { ArgumentError } from '../../errors.ts';
import type { DeviceBuffer } from '../device-buffer.ts';

/** What of the runtime reading takes. */
export interface Reader {
  allocate(bytes: number, where: string): DeviceBuffer;
  release(buffer: DeviceBuffer): void;
  copy(from: DeviceBuffer, to: DeviceBuffer, bytes: number): void;
  read(buffer: DeviceBuffer, bytes: number): Promise<ArrayBuffer>;
}

/**
 * What a buffer holds at this point of the step, read when the step has been recorded and has run. Replays do not read it again.
 * @throws {ArgumentError} when the recording failed.
 */
export async function readRecorded(runtime: Reader, storage: DeviceBuffer, bytes: number): Promise<ArrayBuffer> {
  const copy = runtime.allocate(storage.bytes, 'read');
  runtime.copy(storage, copy, storage.bytes);
  try {
    // Recording is synchronous: it has ended before anything that waits goes on.
    await Promise.resolve();
    if (copy.hasBuffer) return await runtime.read(copy, bytes);
    throw new ArgumentError({
      where: 'read',
      message: 'the captured step that reads this tensor could not be recorded.',
      fix: 'The call of the step says why.',
    });
  } finally {
    runtime.release(copy);
  }
}
