/** Features cut into attention heads and joined again, a copy each. */
import source from '../../shaders/attention/heads.wgsl';
import { record } from '../autograd/tape.ts';
import { plane } from '../gpu/plane.ts';
import { zeros } from '../tensor/create.ts';
import { type GradNode, Tensor } from '../tensor/tensor.ts';

/** Which features the heads are cut from. */
export interface Cut {
  readonly heads: number;
  /** Features of all heads together. */
  readonly features: number;
  /** The first of them; 0 by default. */
  readonly from?: number;
}

/** Copies between [batch, heads, length, depth] and rows of `all` features. */
function copy(entry: 'cut' | 'join', input: Tensor, output: Tensor, heads: Tensor, all: number, from: number): void {
  const [, count = 0, length = 0, depth = 0] = heads.shape;
  const four = depth % 4 === 0 && all % 4 === 0 && from % 4 === 0;
  const each = four ? 4 : 1;
  const size = heads.size / each;
  const [x, y] = plane(heads.engine, Math.ceil(size / 64));
  heads.engine.dispatch({
    kernel: { name: 'heads', source, entry },
    constants: { T: four ? `vec4<${heads.dtype}>` : heads.dtype },
    buffers: [input.storage, output.storage],
    params: { size, row: x * 64, heads: count, length, depth: depth / each, all: all / each, first: from / each },
    workgroups: [x, y],
  });
}

/**
 * Some of the last axis' features as heads: [batch, length, all] becomes [batch, heads, length, features / heads]. Nothing but such
 * cuts, which do not overlap, may be made of `x`: their gradients are written side by side into one tensor.
 */
export function cutHeads(x: Tensor, { heads, features, from = 0 }: Cut): Tensor {
  const { engine, dtype } = x;
  const [batch = 0, length = 0, all = 0] = x.shape;
  x.assertLive('cutHeads');
  const y = Tensor.empty(engine, [batch, heads, length, features / heads], dtype, 'cutHeads');
  copy('cut', x, y, y, all, from);
  const backward: GradNode['backward'] = (dy, [present] = []) => {
    const whole = features === all;
    const dx = present ?? (whole ? Tensor.empty(engine, x.shape, dtype, 'cutHeads') : zeros(engine, x.shape, dtype));
    copy('join', dy, dx, dy, all, from);
    return [dx];
  };
  return record(y, 'cutHeads', [x], backward, undefined, { from });
}

/** Heads as features again: [batch, heads, length, depth] becomes [batch, length, heads · depth]. */
export function joinHeads(x: Tensor): Tensor {
  const { engine, dtype } = x;
  const [batch = 0, heads = 0, length = 0, depth = 0] = x.shape;
  const all = heads * depth;
  x.assertLive('joinHeads');
  const y = Tensor.empty(engine, [batch, length, all], dtype, 'joinHeads');
  copy('join', x, y, x, all, 0);
  return record(y, 'joinHeads', [x], (dy) => {
    const dx = Tensor.empty(engine, x.shape, dtype, 'joinHeads');
    copy('cut', dy, dx, dx, all, 0);
    return [dx];
  });
}
