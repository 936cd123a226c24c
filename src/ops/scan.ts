/** Running sums and products along an axis. Deterministic, and long lines are shared out among threads. */
import source from '../../shaders/scan/scan.wgsl';
import { record } from '../autograd/tape.ts';
import { plane } from '../gpu/plane.ts';
import { normalizeAxis, sizeOf } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { convert } from './elementwise/elementwise-kernel.ts';

/** Elements of a chunk: as many additions one after the other lose no digits, and so many threads have something to do. */
const LENGTH = 64;

/** What is run along the axis. */
export interface Scan {
  readonly product?: boolean;
  /** An element is left out of its own result. */
  readonly exclusive?: boolean;
  /** From the end. */
  readonly reverse?: boolean;
}

/** Not differentiable by itself. The result of f16 is f32. */
export function scan(x: Tensor, at: number, { product = false, exclusive = false, reverse = false }: Scan): Tensor {
  const { engine } = x;
  const n = x.shape[at] as number;
  const outer = sizeOf(x.shape.slice(0, at));
  const inner = sizeOf(x.shape.slice(at + 1));
  const chunks = Math.ceil(n / LENGTH);
  const R = x.dtype === 'f16' ? 'f32' : x.dtype;
  const run = (entry: string, inputs: readonly Tensor[], output: Tensor, CARRIED: boolean) =>
    engine.dispatch({
      kernel: { name: 'scan', source, entry },
      constants: { T: x.dtype, R, PRODUCT: product, EXCLUSIVE: exclusive, REVERSE: reverse, CARRIED },
      buffers: [...inputs, output].map(({ storage }) => storage),
      params: { outer, n, inner, chunks, length: LENGTH },
      workgroups: plane(engine, Math.ceil((outer * chunks * inner) / 64)),
    });
  const y = Tensor.empty(engine, x.shape, R, 'scan');
  if (chunks === 1) {
    // Its place takes what is not read.
    const none = Tensor.empty(engine, [1], R, 'scan');
    run('scan', [x, none], y, false);
    none.dispose();
    return y;
  }
  const totals = Tensor.empty(engine, [outer, chunks, inner], R, 'scan');
  run('totals', [x], totals, false);
  const before = scan(totals, 1, { product, exclusive: true });
  totals.dispose();
  run('scan', [x, before], y, true);
  before.dispose();
  return y;
}

/**
 * Sums of everything up to each element along the axis, the last by default; of f16 in f32, rounded once.
 * @throws {ShapeError} when the axis is out of range.
 */
export function cumsum(x: Tensor, axis = -1): Tensor {
  x.assertLive('cumsum');
  const at = normalizeAxis(axis, x.rank, 'cumsum');
  const along = (of: Tensor, reverse: boolean) => {
    const total = scan(of, at, { reverse });
    const y = convert(total, of.dtype);
    if (y !== total) total.dispose();
    return y;
  };
  const y = along(x, false);
  return record(y, 'cumsum', [x], (dy) => [along(dy, true)], undefined, { axis: at });
}
