/** The sizes that a layer is made with. */
import { ArgumentError, OutOfMemoryError } from '../errors.ts';
import type { Engine } from '../tensor/engine.ts';

/** @throws {ArgumentError} unless all are whole numbers of at least 1. */
export function checkSizes(where: string, sizes: Record<string, number>): void {
  for (const [name, value] of Object.entries(sizes)) {
    if (!Number.isInteger(value) || value < 1) {
      throw new ArgumentError({ where, message: `${name} must be a whole number of at least 1, not ${value}.` });
    }
  }
}

/**
 * Before any weight is drawn: whether the device can hold the largest of a network's tensors.
 * @param weights how many that one has.
 * @throws {OutOfMemoryError}
 */
export function checkLargest(
  engine: Engine,
  where: string,
  { width, weights }: { readonly width: number; readonly weights: number },
): void {
  const bytes = 4 * weights;
  const limit = engine.device.limits.maxStorageBufferBindingSize;
  if (bytes <= limit) return;
  throw new OutOfMemoryError({
    where,
    message: `with width ${width} its last stage has weights of ${bytes} bytes, more than this device's largest storage buffer (${limit} bytes).`,
    fix: 'Choose a smaller width.',
  });
}
