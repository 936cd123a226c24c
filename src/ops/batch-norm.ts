/**
 * Batch norm over the last axis, fused with what follows it in a residual block: the sum with the shortcut and the ReLU.
 * Ioffe and Szegedy (2015), with PyTorch's conventions; images may be f16, parameters and statistics are f32. Two launches
 * each way; one forward in inference.
 */

import source from '../../shaders/norm/batch-norm.wgsl';
import gradientSource from '../../shaders/norm/batch-norm-gradient.wgsl';
import { record } from '../autograd/tape.ts';
import { ArgumentError, DTypeError, ShapeError } from '../errors.ts';
import type { Runtime } from '../gpu/runtime.ts';
import type { Constants } from '../gpu/wgsl/constants.ts';
import { commonFloat, type FloatType } from '../tensor/dtype.ts';
import { sameShape, show } from '../tensor/shape.ts';
import { commonEngine, Tensor } from '../tensor/tensor.ts';

/** What {@link batchNorm} normalises by, and what is fused with it; vectors are f32. */
export interface BatchNormOptions {
  /** [c], what the normalised value is multiplied by. */
  weight: Tensor;
  /** [c], added then. */
  bias: Tensor;
  /** [c]; moved in place in training, used in inference. */
  runningMean: Tensor;
  /** [c]; moved in place by the unbiased variance in training, used in inference. */
  runningVar: Tensor;
  /** Normalise by the batch's own mean and (biased) variance instead of the running ones. */
  training: boolean;
  /** Share of the batch in the running statistics, 0.1 by default. */
  momentum?: number;
  /** Added to the variance, 1e-5 by default. */
  eps?: number;
  /** Added to the normalised value, of x's shape. */
  residual?: Tensor;
  /** Apply a ReLU last. */
  relu?: boolean;
}

/** How the launches share out x; see norm/batch-norm-walk.wgsl. */
interface Walk {
  readonly parts: number;
  /** Workgroups along the columns and along the rows. */
  readonly workgroups: readonly [number, number];
  /** The members that the `Params` of all kernels have. */
  readonly params: { readonly rows: number; readonly columns: number; readonly width: number; readonly span: number };
  readonly constants: Constants;
}

/**
 * A CPU wants few threads, each going through memory by itself, and no barriers; a GPU wants many, neighbours reading
 * together, but few parts to add up.
 */
function walkOver(engine: Runtime, rows: number, channels: number, stored: FloatType): Walk {
  const software = engine.adapterKind === 'software';
  const four = channels % 4 === 0;
  const columns = four ? channels / 4 : channels;
  const [groups, size, widest] = software ? [16, 8, 8] : [128, 256, 32];
  const width = Math.min(widest, 2 ** Math.ceil(Math.log2(columns)));
  const blocks = Math.ceil(columns / width);
  // Parts of a workgroup, and rows that a thread should have at least.
  const each = software ? size / width : 1;
  const least = 8 * (software ? 1 : size / width);
  const wanted = Math.max(1, Math.min(Math.floor(groups / blocks) * each, Math.ceil(rows / least)));
  const span = Math.ceil(rows / wanted);
  const parts = Math.ceil(rows / span);
  return {
    parts,
    workgroups: [blocks, Math.ceil(parts / each)],
    params: { rows, columns, width, span },
    constants: {
      V: four ? 'vec4<f32>' : 'f32',
      I: four ? 'vec4<u32>' : 'u32',
      B: four ? 'vec4<bool>' : 'bool',
      S: four ? `vec4<${stored}>` : stored,
      SIZE: size,
      TEAMS: !software,
    },
  };
}

/** What a launch of the gradient also does; see norm/batch-norm-gradient.wgsl. */
interface Fused {
  relu?: boolean;
  residual?: boolean;
  batch?: boolean;
}

/** How x is stored. */
function check(x: Tensor, options: BatchNormOptions): FloatType {
  const { weight, bias, runningMean, runningVar, training, residual } = options;
  const vectors = { weight, bias, runningMean, runningVar };
  const all = [x, ...Object.values(vectors), ...(residual ? [residual] : [])];
  commonEngine('batchNorm', all);
  const stored = commonFloat('batchNorm', residual ? [x, residual] : [x]);
  for (const [name, { dtype }] of Object.entries(vectors)) {
    if (dtype !== 'f32') {
      throw new DTypeError({
        where: 'batchNorm',
        message: `${name} is ${dtype}; parameters and statistics must be f32.`,
        fix: "Use cast('f32').",
      });
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
  return stored;
}

/**
 * y = relu((x − mean)/√(variance + eps) · weight + bias + residual); residual and ReLU where asked for. x has
 * its channels last: images [n, h, w, c] and features [n, c] alike. Gradients for x, weight, bias and the residual. NaN stays NaN:
 * in training in the whole channel, in inference where it was.
 * @throws {ShapeError} when the shapes of the tensors do not fit.
 * @throws {DTypeError} when x and the residual are not both f32 or both f16, or another tensor is not f32.
 * @throws {ArgumentError} in training, when x has one value a channel.
 */
export function batchNorm(x: Tensor, options: BatchNormOptions): Tensor {
  const stored = check(x, options);
  const { weight, bias, runningMean, runningVar, training, residual } = options;
  const { momentum = 0.1, eps = 1e-5, relu = false } = options;
  const { engine } = x;
  const channels = weight.size;
  const rows = x.size / channels;
  const walk = walkOver(engine, rows, channels, stored);
  const params = { ...walk.params, relu, residual: residual !== undefined, epsilon: eps, momentum };
  const run = (entry: string, tensors: readonly Tensor[]) =>
    engine.dispatch({
      kernel: { name: 'batch_norm', source, entry },
      constants: walk.constants,
      buffers: tensors.map((t) => t.storage),
      params,
      workgroups: walk.workgroups,
    });
  const running = [runningMean, runningVar];
  const statistics = Tensor.empty(engine, [5, channels], 'f32', 'batchNorm');
  const y = Tensor.empty(engine, x.shape, stored, 'batchNorm');
  const written = [statistics, residual ?? x, y];
  if (training) {
    const partial = emptyPartial(engine, walk, channels);
    run('partials', [x, weight, bias, partial, statistics]);
    run('normalise', [x, partial, ...running, ...written]);
    partial.dispose();
  } else {
    run('inference', [x, weight, bias, ...running, ...written]);
  }
  const inputs = residual ? [x, weight, bias, residual] : [x, weight, bias];
  const saved = { x, y, statistics, residual, relu, training };
  const isPlain = !training && stored === 'f32';
  const recorded = (dy: Tensor) => recordedInference(dy, saved, { weight, runningMean, runningVar, eps });
  record(y, 'batchNorm', inputs, (dy) => gradients(dy, saved, walk), isPlain ? recorded : undefined, {
    operands: [x, weight, bias, runningMean, runningVar, residual ?? 0],
    eps,
    relu,
  });
  if (!y.node) statistics.dispose();
  return y;
}

/** What the parts add up to. */
const emptyPartial = (engine: Runtime, { parts }: Walk, channels: number): Tensor =>
  Tensor.empty(engine, [parts, 2, channels], 'f32', 'batchNorm');

interface Saved {
  x: Tensor;
  y: Tensor;
  statistics: Tensor;
  residual: Tensor | undefined;
  relu: boolean;
  training: boolean;
}

/** The gradients in inference, where each pixel is by itself, in recorded operations. */
function recordedInference(
  dy: Tensor,
  { x, y, residual, relu }: Saved,
  {
    weight,
    runningMean,
    runningVar,
    eps,
  }: { readonly weight: Tensor; readonly runningMean: Tensor; readonly runningVar: Tensor; readonly eps: number },
): (Tensor | null)[] {
  const passed = relu ? dy.mul(y.detach().greater(0).cast('f32')) : dy;
  const scale = runningVar.add(eps).rsqrt();
  const rows = x.shape.map((_, axis) => axis).slice(0, -1);
  return [
    x.requiresGrad ? passed.mul(weight.mul(scale)) : null,
    weight.requiresGrad ? passed.mul(x.sub(runningMean).mul(scale)).sum(rows) : null,
    passed.sum(rows),
    ...(residual ? [residual.requiresGrad ? passed : null] : []),
  ];
}

function gradients(dy: Tensor, saved: Saved, walk: Walk): (Tensor | null)[] {
  const { x, y, statistics, residual, relu, training } = saved;
  const { engine } = x;
  const channels = x.shape.at(-1) as number;
  const wantsResidual = residual?.requiresGrad ?? false;
  const masked = wantsResidual && relu;
  const run = (
    entry: string,
    tensors: readonly Tensor[],
    { relu = false, residual = false, batch = false }: Fused,
    workgroups = walk.workgroups,
  ) =>
    engine.dispatch({
      kernel: { name: 'batch_norm_gradient', source: gradientSource, entry },
      constants: walk.constants,
      buffers: tensors.map((t) => t.storage),
      params: { ...walk.params, relu, residual, batch },
      workgroups,
    });
  const like = (of: Tensor) => Tensor.empty(engine, of.shape, of.dtype, 'batchNorm');
  const vector = () => Tensor.empty(engine, [channels], 'f32', 'batchNorm');
  const partial = emptyPartial(engine, walk, channels);
  const dweight = vector();
  const dbias = vector();
  // What passed the ReLU is the residual's gradient; where that is wanted, the second launch needs no mask.
  const passed = masked ? like(x) : dy;
  const mask = relu ? y : x;
  // Without a masked residual its place takes one that is not used.
  run('partials', [dy, mask, x, statistics, partial, masked ? passed : dweight], { relu, residual: masked });
  let dx: Tensor | null = null;
  if (x.requiresGrad) {
    dx = like(x);
    const fused = { relu: relu && !masked, batch: training };
    run('inputs', [passed, mask, x, statistics, partial, dweight, dbias, dx], fused);
  } else {
    run('totals', [statistics, partial, dweight, dbias], {}, [walk.workgroups[0], 1]);
  }
  partial.dispose();
  return [dx, dweight, dbias, ...(wantsResidual ? [passed] : [])];
}
