/** Pooling of images [n, h, w, c]: max, average, and the average over the whole image. */
import source from '../../shaders/pool/pool.wgsl';
import { record } from '../autograd/tape.ts';
import { ArgumentError, ShapeError } from '../errors.ts';
import { plane } from '../gpu/plane.ts';
import type { Params } from '../gpu/wgsl/params.ts';
import { commonFloat } from '../tensor/dtype.ts';
import { show } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { cast } from './elementwise/elementwise.ts';
import { type Pair, pairOf } from './pair.ts';
import { mean } from './reduce.ts';
import { reshape } from './reshape.ts';

/** The windows of a pooling. */
export interface PoolOptions {
  /** Size of a window. */
  kernel: Pair;
  /** Step between windows, the kernel's size by default. */
  stride?: Pair;
  /** Border around the image, at most half the kernel, 0 by default. Maxima ignore it. */
  padding?: Pair;
}

/** The windows of an average pooling, and what is divided by. */
export interface AvgPoolOptions extends PoolOptions {
  /** Divide by the whole kernel, the border included (default), or by the elements of the image only. */
  countIncludePad?: boolean;
}

type Mode = 'max' | 'average';

interface Geometry {
  readonly outShape: readonly [number, number, number, number];
  readonly params: Params;
  readonly constants: { readonly V: string; readonly S: string; readonly I: string };
  /** Elements a thread handles. */
  readonly width: number;
}

/** Output size floor((size + 2·padding − kernel)/stride) + 1, as PyTorch's. */
function geometryOf(where: string, x: Tensor, options: PoolOptions): Geometry {
  const stored = commonFloat(where, [x]);
  // JavaScript leaves it out, or calls it otherwise.
  if ((options as Partial<PoolOptions> | undefined)?.kernel === undefined) {
    throw new ArgumentError({
      where,
      message: 'the size of the windows is not given.',
      fix: 'Give it as `kernel`: { kernel: 2 }, or { kernel: [2, 3] } for windows of 2 rows and 3 columns.',
    });
  }
  if (x.rank !== 4) {
    throw new ShapeError({ where, message: `x has shape ${show(x.shape)}; images [n, h, w, c] were expected.` });
  }
  const [n, h, w, c] = x.shape as readonly [number, number, number, number];
  const kernel = pairOf(where, 'kernel', options.kernel, 1);
  const stride = pairOf(where, 'stride', options.stride ?? options.kernel, 1);
  const padding = pairOf(where, 'padding', options.padding ?? 0, 0);
  if (padding.some((p, i) => p > (kernel[i] as number) / 2)) {
    throw new ArgumentError({
      where,
      message: `padding ${show(padding)} is more than half the kernel ${show(kernel)}: some windows would hold padding only.`,
    });
  }
  const [outHeight, outWidth] = [h, w].map(
    (size, i) => Math.floor((size + 2 * padding[i]! - kernel[i]!) / stride[i]!) + 1,
  ) as [number, number];
  if (outHeight < 1 || outWidth < 1) {
    throw new ShapeError({
      where,
      message: `the kernel ${show(kernel)} does not fit into images of ${h}×${w} with padding ${show(padding)}.`,
      fix: 'Use a smaller kernel or larger images.',
    });
  }
  const width = c % 4 === 0 ? 4 : 1;
  return {
    outShape: [n, outHeight, outWidth, c],
    params: {
      batch: n,
      height: h,
      width: w,
      out_height: outHeight,
      out_width: outWidth,
      columns: c / width,
      kernel,
      stride,
      padding,
    },
    constants:
      width === 4 ? { V: 'vec4<f32>', S: `vec4<${stored}>`, I: 'vec4<u32>' } : { V: 'f32', S: stored, I: 'u32' },
    width,
  };
}

function launch(
  mode: Mode,
  pass: 'forward' | 'gradient' | 'taken',
  { params, constants, width }: Geometry,
  countIncludePad: boolean,
  inputs: readonly Tensor[],
  output: Tensor,
): Tensor {
  output.engine.dispatch({
    kernel: { name: 'pool', source, entry: `${mode}_${pass}` },
    constants: { ...constants, PADDED: countIncludePad },
    buffers: [...inputs, output].map((t) => t.storage),
    params,
    workgroups: plane(output.engine, Math.ceil(output.size / width / 64)),
  });
  return output;
}

/**
 * Largest element of each window: [n, h, w, c] to [n, h', w', c]. The gradient goes to the first maximum in row order.
 * @throws {ShapeError} when x is not a batch of images, or the kernel does not fit.
 * @throws {ArgumentError} when a number of the options is out of its range.
 * @throws {DTypeError} for integers.
 */
export function maxPool2d(x: Tensor, options: PoolOptions): Tensor {
  const geometry = geometryOf('maxPool2d', x, options);
  const { engine } = x;
  const places = Tensor.empty(engine, geometry.outShape, 'u32', 'maxPool2d');
  const y = Tensor.empty(engine, geometry.outShape, x.dtype, 'maxPool2d');
  launch('max', 'forward', geometry, true, [x, places], y);
  const backward = (dy: Tensor): Tensor =>
    launch('max', 'gradient', geometry, true, [places, dy], Tensor.empty(engine, x.shape, x.dtype, 'maxPool2d'));
  // Where the maxima are does not move with the gradient: the gradient of the gradient takes what stands there.
  const taken = (d: Tensor): Tensor =>
    launch('max', 'taken', geometry, true, [d, places], Tensor.empty(engine, geometry.outShape, x.dtype, 'maxPool2d'));
  const recorded = (dy: Tensor) => [record(backward(dy), 'maxPool2d’s gradient', [dy], (d) => [taken(d)])];
  record(y, 'maxPool2d', [x], (dy) => [backward(dy)], recorded, geometry.params);
  if (!y.node) places.dispose();
  return y;
}

/**
 * Mean of each window: [n, h, w, c] to [n, h', w', c].
 * @throws {ShapeError} when x is not a batch of images, or the kernel does not fit.
 * @throws {ArgumentError} when a number of the options is out of its range.
 * @throws {DTypeError} for integers.
 */
export function avgPool2d(x: Tensor, options: AvgPoolOptions): Tensor {
  const geometry = geometryOf('avgPool2d', x, options);
  const { countIncludePad = true } = options;
  const y = Tensor.empty(x.engine, geometry.outShape, x.dtype, 'avgPool2d');
  const forward = (of: Tensor, into: Tensor) => launch('average', 'forward', geometry, countIncludePad, [of], into);
  const backward = (dy: Tensor) =>
    launch(
      'average',
      'gradient',
      geometry,
      countIncludePad,
      [dy],
      Tensor.empty(x.engine, x.shape, x.dtype, 'avgPool2d'),
    );
  // Linear: the gradient of the gradient is the forward pass.
  const recorded = (dy: Tensor) => [
    record(backward(dy), 'avgPool2d’s gradient', [dy], (d) => [
      forward(d, Tensor.empty(x.engine, geometry.outShape, x.dtype, 'avgPool2d')),
    ]),
  ];
  return record(forward(x, y), 'avgPool2d', [x], (dy) => [backward(dy)], recorded, {
    ...geometry.params,
    countIncludePad,
  });
}

/** Pixels that one thread may add up; larger images are reduced in stages. */
const ONE_WINDOW = 1024;

/**
 * Mean over the whole image: [n, h, w, c] to [n, c].
 * @throws {ShapeError} when x is not a batch of images.
 * @throws {DTypeError} for integers.
 */
export function globalAvgPool(x: Tensor): Tensor {
  commonFloat('globalAvgPool', [x]);
  if (x.rank !== 4) {
    throw new ShapeError({
      where: 'globalAvgPool',
      message: `x has shape ${show(x.shape)}; images [n, h, w, c] were expected.`,
    });
  }
  const [n, h, w, c] = x.shape as readonly [number, number, number, number];
  if (h * w > ONE_WINDOW) return cast(mean(x, [1, 2]), x.dtype);
  return reshape(avgPool2d(x, { kernel: [h, w] }), [n, c]);
}
