/** Resizing of images and feature maps as PyTorch's `interpolate`, with gradients; pictures are resized in `data/resize.ts`. */
import source from '../../shaders/images/interpolate.wgsl';
import { record } from '../autograd/tape.ts';
import { ArgumentError, ShapeError } from '../errors.ts';
import { plane } from '../gpu/plane.ts';
import { commonFloat } from '../tensor/dtype.ts';
import { type Shape, show, sizeOf } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { type Pair, pairOf } from './pair.ts';

const MODES = ['nearest', 'bilinear'] as const;

/** To what size, and how; one of `size` and `scaleFactor` is needed. */
export interface InterpolateOptions {
  /** Of the result: one number, or [height, width]. */
  size?: Pair;
  /** Times the height and the width, rounded down; one number, or one for each. */
  scaleFactor?: number | readonly [number, number];
  /** `nearest` by default. */
  mode?: (typeof MODES)[number];
  /** Bilinear only: the outermost pixels' centres stay where they are, instead of their edges; false by default. */
  alignCorners?: boolean;
}

interface Target {
  readonly size: readonly [number, number];
  /** Input pixels an output pixel. */
  readonly scale: readonly [number, number];
}

function targetOf(x: Tensor, { size, scaleFactor, alignCorners = false }: InterpolateOptions): Target {
  if ((size === undefined) === (scaleFactor === undefined)) {
    throw new ArgumentError({ where: 'interpolate', message: 'takes one of size and scaleFactor.' });
  }
  const [, height, width] = x.shape as [number, number, number];
  const factors = typeof scaleFactor === 'number' ? [scaleFactor, scaleFactor] : scaleFactor;
  const wanted = size ?? (factors as readonly number[]).map((factor, i) => Math.floor([height, width][i]! * factor));
  const [tall, wide] = pairOf('interpolate', factors ? 'the size by scaleFactor' : 'size', wanted as Pair, 1);
  const scaleOf = (i: 0 | 1, before: number, after: number) => {
    if (alignCorners) return after > 1 ? (before - 1) / (after - 1) : 0;
    return factors ? 1 / (factors[i] as number) : before / after;
  };
  return { size: [tall, wide], scale: [scaleOf(0, height, tall), scaleOf(1, width, wide)] };
}

/**
 * Images [n, h, w, c] in another size, nearest or bilinear, without antialiasing: positions are PyTorch's, to the rounding.
 * @throws {ShapeError} unless `x` is [n, h, w, c].
 * @throws {DTypeError} for integers.
 * @throws {ArgumentError} when both or none of `size` and `scaleFactor` are given, the size is not one of at least 1, the mode is
 * unknown, or corners are to be aligned of the nearest.
 * @example interpolate(x, { scaleFactor: 2, mode: 'bilinear' })
 */
export function interpolate(x: Tensor, options: InterpolateOptions): Tensor {
  const { mode = 'nearest', alignCorners = false } = options;
  const dtype = commonFloat('interpolate', [x]);
  if (x.rank !== 4) {
    throw new ShapeError({ where: 'interpolate', message: `takes images [n, h, w, c], not ${show(x.shape)}.` });
  }
  if (!MODES.includes(mode) || (alignCorners && mode === 'nearest')) {
    throw new ArgumentError({
      where: 'interpolate',
      message: `mode is ${mode}${alignCorners ? ' with alignCorners' : ''}; ${MODES.join(' or ')} was expected, and alignCorners with bilinear alone.`,
    });
  }
  const { size, scale } = targetOf(x, options);
  const [n = 0, height = 0, width = 0, channels = 0] = x.shape;
  const run = (entry: 'forward' | 'backward', from: Tensor, shape: Shape) => {
    const output = Tensor.empty(x.engine, shape, dtype, 'interpolate');
    const workgroups = plane(x.engine, Math.ceil(sizeOf(shape) / 64));
    x.engine.dispatch({
      kernel: { name: 'interpolate', source, entry },
      constants: { T: dtype, BILINEAR: mode === 'bilinear', ALIGNED: alignCorners },
      buffers: [from.storage, output.storage],
      params: {
        size: output.size,
        row: workgroups[0] * 64,
        height,
        width,
        outHeight: size[0],
        outWidth: size[1],
        channels,
        scaleHeight: scale[0],
        scaleWidth: scale[1],
      },
      workgroups,
    });
    return output;
  };
  const y = run('forward', x, [n, ...size, channels]);
  return record(y, 'interpolate', [x], (dy) => [run('backward', dy, x.shape)], undefined, {
    mode,
    alignCorners,
    size,
    scale,
  });
}
