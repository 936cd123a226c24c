/**
 * Batch norm over the last axis, fused with what follows it in a residual block: the sum with the shortcut and the ReLU.
 * Ioffe and Szegedy (2015), with PyTorch's conventions. Three dispatches each way; two forward in inference.
 */

import source from '../../shaders/batch_norm.wgsl';
import gradientSource from '../../shaders/batch_norm_gradient.wgsl';
import { record } from '../autograd/tape.ts';
import { type Engine, floatBits } from '../gpu/engine.ts';
import { ArgumentError, DTypeError, ShapeError } from '../gpu/errors.ts';
import type { Constants } from '../gpu/kernel.ts';
import { sameShape, show } from '../tensor/shape.ts';
import { commonEngine, Tensor } from '../tensor/tensor.ts';

export interface BatchNormOptions {
  /** [c] */
  weight: Tensor;
  /** [c] */
  bias: Tensor;
  /** [c]; moved in place in training, used in inference. */
  runningMean: Tensor;
  /** [c]; moved in place by the unbiased variance in training, used in inference. */
  runningVar: Tensor;
  /** Normalise by the batch's own mean and (biased) variance instead of the running ones. */
  training: boolean;
  /** Share of the batch in the running statistics; 0.1 unless said. */
  momentum?: number;
  /** Added to the variance; 1e-5 unless said. */
  eps?: number;
  /** Added to the normalised value, of x's shape. */
  residual?: Tensor;
  /** Apply a ReLU last. */
  relu?: boolean;
}

/** What the dispatches of one kind share. */
interface Launch {
  /** The head of the kernels' `Params`. */
  readonly params: readonly number[];
  readonly constants: Constants;
  readonly workgroups: readonly [number];
}

/** How the threads share out the rows; see the shaders. */
interface Walk {
  /** Through every element: by four channels where they come in fours. */
  readonly elements: Launch;
  /** Through the channels, adding up the chunks of each. Scalars: the kernels are few threads and slow to compile. */
  readonly channels: Launch;
  readonly chunks: number;
}

const WORKGROUP = 64;

/**
 * A CPU wants each thread to read memory in order, and few threads; a GPU wants neighbouring threads to read together,
 * and many.
 */
function walkOver(engine: Engine, rows: number, channels: number): Walk {
  const software = engine.adapterKind === 'software';
  const width = channels % 4 === 0 ? 4 : 1;
  const columns = channels / width;
  const threads = software ? 1024 : 32768;
  const wanted = Math.max(1, Math.min(Math.floor(threads / columns), Math.ceil(rows / 8)));
  const length = Math.ceil(rows / wanted);
  const chunks = Math.ceil(rows / length);
  const order = software ? [length, length, 1] : [1, rows, chunks];
  const lanes = software ? 1 : WORKGROUP;
  const launch = (type: string, across: number, workgroups: number): Launch => ({
    params: [rows, across, chunks, ...order],
    constants: { V: type, LANES: lanes },
    workgroups: [workgroups],
  });
  return {
    elements: launch(width === 4 ? 'vec4<f32>' : 'f32', columns, Math.ceil((columns * chunks) / WORKGROUP)),
    channels: launch('f32', channels, Math.ceil((channels * lanes) / WORKGROUP)),
    chunks,
  };
}

function check(x: Tensor, options: BatchNormOptions): void {
  const { weight, bias, runningMean, runningVar, training, residual } = options;
  const vectors = { weight, bias, runningMean, runningVar };
  const all = [x, ...Object.values(vectors), ...(residual ? [residual] : [])];
  commonEngine('batchNorm', all);
  for (const t of all) {
    if (t.dtype !== 'f32') {
      throw new DTypeError({ where: 'batchNorm', message: `takes f32, not ${t.dtype}.`, fix: "Use x.cast('f32')." });
    }
  }
  const channels = x.shape.at(-1) ?? 0;
  if (x.rank < 2) {
    throw new ShapeError({
      where: 'batchNorm',
      message: `x has shape ${show(x.shape)}; at least [batch, channels] is needed, the channels last.`,
    });
  }
  for (const [name, vector] of Object.entries(vectors)) {
    if (vector.rank !== 1 || vector.size !== channels) {
      throw new ShapeError({
        where: 'batchNorm',
        message: `${name} has shape ${show(vector.shape)}; x of shape ${show(x.shape)} needs [${channels}].`,
        fix: 'The channels are the last axis of x.',
      });
    }
  }
  if (residual && !sameShape(residual.shape, x.shape)) {
    throw new ShapeError({
      where: 'batchNorm',
      message: `the residual has shape ${show(residual.shape)}, x ${show(x.shape)}; they must be the same.`,
    });
  }
  if (training && x.size === channels) {
    throw new ArgumentError({
      where: 'batchNorm',
      message: `x of shape ${show(x.shape)} has one value a channel: its variance is 0, and there is nothing to normalise by.`,
      fix: 'Use a batch of at least two, drop the last incomplete batch, or switch to inference.',
    });
  }
}

/**
 * y = relu((x − mean)/√(variance + eps) · weight + bias + residual); residual and ReLU where asked for. x is
 * [..., c]: images [n, h, w, c] and features [n, c] alike. Gradients for x, weight, bias and the residual.
 * @throws ShapeError, DTypeError for tensors that do not fit; ArgumentError in training with one value a channel.
 */
export function batchNorm(x: Tensor, options: BatchNormOptions): Tensor {
  check(x, options);
  const { weight, bias, runningMean, runningVar, training, residual } = options;
  const { momentum = 0.1, eps = 1e-5, relu = false } = options;
  const { engine } = x;
  const channels = weight.size;
  const rows = x.size / channels;
  const walk = walkOver(engine, rows, channels);
  const run = (entry: string, { params, constants, workgroups }: Launch, tensors: readonly Tensor[]) => {
    // Only the last pass differs by residual and ReLU: the others compile once.
    const fused =
      entry === 'normalise' ? { RESIDUAL: residual !== undefined, RELU: relu } : { RESIDUAL: false, RELU: false };
    engine.dispatch({
      kernel: { name: 'batch_norm', source, entry },
      constants: { ...constants, ...fused },
      buffers: tensors.map((t) => t.storage),
      params: [...params, floatBits(eps), floatBits(momentum)],
      workgroups,
    });
  };
  const statistics = Tensor.empty(engine, [5, channels], 'f32', 'batchNorm');
  if (training) {
    const partial = Tensor.empty(engine, [walk.chunks, 2, channels], 'f32', 'batchNorm');
    run('partials', walk.elements, [x, partial]);
    run('batch', walk.channels, [x, partial, weight, bias, runningMean, runningVar, statistics]);
    partial.dispose();
  } else {
    run('running', walk.channels, [weight, bias, runningMean, runningVar, statistics]);
  }
  const y = Tensor.empty(engine, x.shape, 'f32', 'batchNorm');
  run('normalise', walk.elements, [x, statistics, residual ?? x, y]);
  const inputs = residual ? [x, weight, bias, residual] : [x, weight, bias];
  record(y, 'batchNorm', inputs, (dy) => gradients(dy, { x, y, statistics, residual, relu, training }, walk));
  if (!y.node) statistics.dispose();
  return y;
}

interface Saved {
  x: Tensor;
  y: Tensor;
  statistics: Tensor;
  residual: Tensor | undefined;
  relu: boolean;
  training: boolean;
}

function gradients(dy: Tensor, saved: Saved, walk: Walk): (Tensor | null)[] {
  const { x, y, statistics, residual, relu, training } = saved;
  const { engine } = x;
  const channels = x.shape.at(-1) as number;
  const wantsResidual = residual?.requiresGrad ?? false;
  const masked = wantsResidual && relu;
  const run = (entry: string, { params, constants, workgroups }: Launch, tensors: readonly Tensor[]) =>
    engine.dispatch({
      kernel: { name: 'batch_norm_gradient', source: gradientSource, entry },
      constants: {
        ...constants,
        RELU: relu && entry !== 'totals',
        BATCH: training,
        DRESIDUAL: masked && entry === 'inputs',
      },
      buffers: tensors.map((t) => t.storage),
      params,
      workgroups,
    });
  const empty = (shape: readonly number[]) => Tensor.empty(engine, shape, 'f32', 'batchNorm');
  const partial = empty([walk.chunks, 2, channels]);
  const dweight = empty([channels]);
  const dbias = empty([channels]);
  const coefficients = empty([3, channels]);
  run('partials', walk.elements, [dy, relu ? y : x, x, statistics, partial]);
  run('totals', walk.channels, [statistics, partial, dweight, dbias, coefficients]);
  partial.dispose();
  if (!x.requiresGrad && !masked) return [null, dweight, dbias, ...(wantsResidual ? [dy] : [])];
  const dx = empty(x.shape);
  const dresidual = masked ? empty(x.shape) : dx;
  // A buffer may be bound for writing once only: without a masked residual its place takes one that is not used.
  run('inputs', walk.elements, [dy, relu ? y : x, x, statistics, coefficients, dx, masked ? dresidual : dweight]);
  coefficients.dispose();
  return [dx, dweight, dbias, ...(wantsResidual ? [masked ? dresidual : dy] : [])];
}
