/** Features cut into attention heads and joined again, a copy each. */
import { record } from '../autograd/tape.ts';
import { zeros } from '../tensor/create.ts';
import { Tensor } from '../tensor/tensor.ts';
import { stridedCopy } from './strided.ts';

/** Which features the heads are cut from. */
export interface Cut {
  readonly heads: number;
  /** Features of all heads together. */
  readonly features: number;
  /** The first of them; 0 by default. */
  readonly from?: number;
}

/**
 * Some of the last axis' features as heads: [batch, length, all] becomes [batch, heads, length, features / heads]. Nothing but such
 * cuts, which do not overlap, may be made of `x`: their gradients are written side by side into one tensor.
 */
export function cutHeads(x: Tensor, { heads, features, from = 0 }: Cut): Tensor {
  const [batch = 0, length = 0, all = 0] = x.shape;
  const depth = features / heads;
  const dims = [batch, heads, length, depth];
  const inX = [length * all, depth, all, 1];
  const inHeads = [heads * length * depth, length * depth, depth, 1];
  const y = Tensor.empty(x.engine, dims, x.dtype, 'cutHeads');
  stridedCopy(x, y, 'cutHeads', { dims, from: inX, to: inHeads, fromOffset: from });
  return record(y, 'cutHeads', [x], (dy, [present] = []) => {
    const dx =
      present ??
      (features === all ? Tensor.empty(x.engine, x.shape, x.dtype, 'cutHeads') : zeros(x.engine, x.shape, x.dtype));
    stridedCopy(dy, dx, 'cutHeads', { dims, from: inHeads, to: inX, toOffset: from });
    return [dx];
  });
}
