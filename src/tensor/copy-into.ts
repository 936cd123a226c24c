import { bytesOf } from './dtype.ts';
import { Tensor } from './tensor.ts';

/** Overwrites a tensor's elements with those of another of its dtype and size, on the device. */
export function copyInto(from: Tensor, to: Tensor): void {
  from.engine.copy(from.storage, to.storage, bytesOf(from.dtype, from.size));
}

/**
 * Another tensor of the same elements, without a gradient.
 * @param origin what it is called in errors and leak reports.
 */
export function copyOf(tensor: Tensor, origin: string): Tensor {
  tensor.assertLive(origin);
  const copy = Tensor.empty(tensor.engine, tensor.shape, tensor.dtype, origin);
  copyInto(tensor, copy);
  return copy;
}
