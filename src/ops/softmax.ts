/** Softmax and log-softmax along an axis. */
import source from '../../shaders/softmax.wgsl';
import { record } from '../autograd/tape.ts';
import { DTypeError } from '../gpu/errors.ts';
import { normalizeAxis } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { plane } from './reduce.ts';
import { transpose } from './strided.ts';

function overRows(x: Tensor, log: boolean): Tensor {
  const name = log ? 'logSoftmax' : 'softmax';
  const n = x.shape.at(-1) ?? 1;
  const rows = x.size / n;
  const constants = { LOG: log };
  const params = [rows, n];
  const workgroups = plane(x.engine, rows);
  const y = Tensor.empty(x.engine, x.shape, 'f32', name);
  x.engine.dispatch({
    kernel: { name: 'softmax', source, entry: 'forward' },
    constants,
    buffers: [x.storage, y.storage],
    params,
    workgroups,
  });
  return record(y, name, [x], (dy) => {
    const dx = Tensor.empty(x.engine, x.shape, 'f32', name);
    x.engine.dispatch({
      kernel: { name: 'softmax', source, entry: 'backward' },
      constants,
      buffers: [y.storage, dy.storage, dx.storage],
      params,
      workgroups,
    });
    return [dx];
  });
}

function along(x: Tensor, axis: number, log: boolean): Tensor {
  const name = log ? 'logSoftmax' : 'softmax';
  if (x.dtype !== 'f32')
    throw new DTypeError({ where: name, message: `takes f32, not ${x.dtype}.`, fix: "Use x.cast('f32')." });
  const at = normalizeAxis(axis, x.rank, name);
  if (at === x.rank - 1) return overRows(x, log);
  const swap = x.shape.map((_, i) => (i === at ? x.rank - 1 : i === x.rank - 1 ? at : i));
  return transpose(overRows(transpose(x, swap), log), swap);
}

/** exp(x) / Σ exp(x) along the axis (the last unless said). f32. */
export function softmax(x: Tensor, axis = -1): Tensor {
  return along(x, axis, false);
}

/** x − log Σ exp(x) along the axis (the last unless said). f32. */
export function logSoftmax(x: Tensor, axis = -1): Tensor {
  return along(x, axis, true);
}
