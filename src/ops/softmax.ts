/** Softmax and log-softmax along an axis. Of f16 computed in f32. */
import source from '../../shaders/norm/softmax.wgsl';
import { record } from '../autograd/tape.ts';
import { plane } from '../gpu/plane.ts';
import { commonFloat } from '../tensor/dtype.ts';
import { normalizeAxis, sizeOf } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { sum } from './reduce.ts';
import { rowTeams } from './row-teams.ts';

function along(x: Tensor, axis: number, log: boolean): Tensor {
  const name = log ? 'logSoftmax' : 'softmax';
  const stored = commonFloat(name, [x]);
  const at = normalizeAxis(axis, x.rank, name);
  const n = x.shape[at] as number;
  const inner = n === 1 ? 1 : sizeOf(x.shape.slice(at + 1));
  const rows = x.size / n;
  const { constants, workgroups } = rowTeams(x.engine, rows / inner, n, inner);
  const run = (entry: string, inputs: readonly Tensor[]) => {
    const output = Tensor.empty(x.engine, x.shape, stored, name);
    x.engine.dispatch({
      kernel: { name: 'softmax', source, entry },
      constants: { ...constants, LOG: log, S: stored },
      buffers: [...inputs, output].map(({ storage }) => storage),
      params: { rows, n, inner },
      workgroups: plane(x.engine, workgroups),
    });
    return output;
  };
  const y = run('forward', [x]);
  const recorded = (dy: Tensor) => {
    const total = (of: Tensor) => sum(of, at, { keepDims: true });
    return [log ? dy.sub(y.exp().mul(total(dy))) : y.mul(dy.sub(total(dy.mul(y))))];
  };
  return record(y, name, [x], (dy) => [run('backward', [y, dy])], stored === 'f32' ? recorded : undefined, {
    axis: at,
  });
}

/**
 * exp(x) / Σ exp(x) along the axis, the last by default. A row with NaN or +∞ is NaN, as is one of nothing but −∞; next to
 * finite numbers −∞ has the probability 0.
 * @throws {ShapeError} when the axis is out of range.
 * @throws {DTypeError} for integers.
 */
export function softmax(x: Tensor, axis = -1): Tensor {
  return along(x, axis, false);
}

/**
 * x − log Σ exp(x) along the axis, the last by default; NaN where {@link softmax} is.
 * @throws {ShapeError} when the axis is out of range.
 * @throws {DTypeError} for integers.
 */
export function logSoftmax(x: Tensor, axis = -1): Tensor {
  return along(x, axis, true);
}
