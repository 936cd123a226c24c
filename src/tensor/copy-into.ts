import { bytesOf } from './dtype.ts';
import type { Tensor } from './tensor.ts';

/** Overwrites a tensor's elements with those of another of its dtype and size, on the device. */
export function copyInto(from: Tensor, to: Tensor): void {
  from.engine.copy(from.storage, to.storage, bytesOf(from.dtype, from.size));
}
