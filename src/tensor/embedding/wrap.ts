/** A buffer of the app around the engine as a tensor. */

import { adopt } from '../../gpu/embedding/host-buffer.ts';
import type { Runtime } from '../../gpu/runtime.ts';
import { bytesOf, checkSupported, type DType } from '../dtype.ts';
import { checkShape, type Shape, sizeOf } from '../shape.ts';
import { Tensor } from '../tensor.ts';

/** What a buffer holds; see {@link wrap}. */
export interface WrapOptions {
  readonly shape: Shape;
  /** f32 by default. */
  readonly dtype?: DType;
  /** Where in the buffer the tensor begins, in bytes; a multiple of the device's `minStorageBufferOffsetAlignment` (256). */
  readonly offset?: number;
}

/**
 * A tensor on a buffer of the app around the engine, or on a part of one: row-major elements of 4 bytes (f16: 2), never pooled,
 * never destroyed. It goes wherever tensors go. Operations and captured steps read it where it lies, and what writes to
 * tensors in place (an optimizer, `engine.write`, `engine.copy`) writes it there; uploads come behind everything recorded before.
 *
 * Of what the app submits itself the engine knows nothing: `await engine.flush()` before the app writes to what recorded
 * operations read. Dispose of the tensor before the app destroys the buffer.
 * @throws {ShapeError} when a dimension is not a whole number ≥ 1.
 * @throws {DTypeError} for f16 on a device without it.
 * @throws {ArgumentError} for what is not a buffer, or one that is too small, misaligned, mapped, or without STORAGE. (Reading it
 * needs COPY_SRC too, uploading COPY_DST.) That a buffer is of another device or destroyed, the device alone knows: the next wait
 * throws.
 * @example const positions = wrap(engine, buffer, { shape: [1000, 4] });
 */
export function wrap(engine: Runtime, buffer: GPUBuffer, { shape, dtype = 'f32', offset = 0 }: WrapOptions): Tensor {
  const ground = engine.embedding('wrap');
  checkShape(shape, 'wrap');
  checkSupported(engine, dtype, 'wrap');
  const storage = adopt(ground, engine.device, buffer, offset, bytesOf(dtype, sizeOf(shape)));
  return Tensor.on(engine, storage, shape, dtype, 'wrap');
}
