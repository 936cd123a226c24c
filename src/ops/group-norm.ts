/**
 * Layer norm and group norm, fused: one launch forward, two and the sums of their parts backward. Images have their channels last; x may be
 * f16, parameters are f32.
 */
import source from '../../shaders/norm/group-norm.wgsl';
import { record } from '../autograd/tape.ts';
import { ArgumentError, DTypeError, ShapeError } from '../errors.ts';
import { plane } from '../gpu/plane.ts';
import type { Runtime } from '../gpu/runtime.ts';
import { ones, zeros } from '../tensor/create.ts';
import { commonFloat } from '../tensor/dtype.ts';
import { type Shape, sameShape, show, sizeOf } from '../tensor/shape.ts';
import { commonEngine, Tensor } from '../tensor/tensor.ts';
import { sum } from './reduce.ts';
import { rowTeams } from './row-teams.ts';

/** What the normalised value is multiplied by and what is added then; one a channel, f32. */
export interface NormOptions {
  /** None by default. */
  weight?: Tensor | null;
  /** None by default. */
  bias?: Tensor | null;
  /** Added to the variance, 1e-5 by default. */
  eps?: number;
}

/** x as [batch, places, groups, width], in elements or in fours. */
interface View {
  readonly batch: number;
  readonly places: number;
  readonly groups: number;
  readonly width: number;
}

/** Threads that the gradient of the parameters should have: a CPU wants few, and long walks. */
const threadsFor = (engine: Runtime): number => (engine.adapterKind === 'software' ? 256 : 16384);
/** Places that a thread adds up at least. */
const LEAST = 16;

/**
 * How the gradient of the parameters shares out channels and places. A part is some places of a few neighbouring channels, and what
 * parts add up to is summed in a fixed order.
 */
function partsOf(engine: Runtime, { batch, places, groups, width }: View) {
  const SIZE = engine.adapterKind === 'software' ? 8 : 64;
  const channels = groups * width;
  const most = Math.ceil((batch * places) / LEAST);
  const wanted = Math.max(1, Math.min(most, Math.floor(threadsFor(engine) / channels)));
  const span = Math.ceil((batch * places) / wanted);
  const parts = Math.ceil((batch * places) / span);
  return { SIZE, span, parts, workgroups: parts * Math.ceil(channels / SIZE) };
}

function check(where: string, x: Tensor, shape: Shape, { weight, bias }: NormOptions): void {
  const vectors = Object.entries({ weight, bias }).flatMap(([name, t]) => (t ? [[name, t] as const] : []));
  commonEngine(where, [x, ...vectors.map(([, t]) => t)]);
  for (const [name, vector] of vectors) {
    if (vector.dtype !== 'f32') {
      throw new DTypeError({ where, message: `${name} is ${vector.dtype}; it must be f32.`, fix: "Use cast('f32')." });
    }
    if (!sameShape(vector.shape, shape)) {
      throw new ShapeError({
        where,
        message: `${name} has shape ${show(vector.shape)}; x of shape ${show(x.shape)} needs ${show(shape)}.`,
      });
    }
  }
}

function normalise(where: string, x: Tensor, view: View, affine: Shape, options: NormOptions): Tensor {
  const { engine } = x;
  const stored = commonFloat(where, [x]);
  check(where, x, affine, options);
  const { eps = 1e-5 } = options;
  const LANES = view.width % 4 === 0 ? 4 : 1;
  const own = { ...view, width: view.width / LANES };
  const { batch, places, groups, width } = own;
  const weight = options.weight ?? ones(engine, affine);
  const bias = options.bias ?? zeros(engine, affine);
  const { constants, workgroups } = rowTeams(engine, batch * groups, places * width, 1);
  const shares = partsOf(engine, own);
  const dispatch = (
    entry: string,
    buffers: readonly Tensor[],
    team: { readonly SIZE: number } = constants,
    count = workgroups,
  ) =>
    engine.dispatch({
      kernel: { name: 'group_norm', source, entry },
      constants: {
        ...constants,
        ...team,
        V: LANES === 4 ? 'vec4<f32>' : 'f32',
        S: LANES === 4 ? `vec4<${stored}>` : stored,
        LANES,
        SPREAD: places > 1,
        GROUPED: groups > 1,
      },
      buffers: buffers.map(({ storage }) => storage),
      params: { ...own, epsilon: eps, span: shares.span },
      workgroups: plane(engine, count),
    });
  const statistics = Tensor.empty(engine, [batch * groups, 2], 'f32', where);
  const y = Tensor.empty(engine, x.shape, stored, where);
  dispatch('forward', [x, weight, bias, statistics, y]);
  if (!options.bias) bias.dispose();
  const given = [options.weight, options.bias].flatMap((t) => t ?? []);
  const backward = (dy: Tensor) => {
    const gradients: (Tensor | null)[] = [null];
    if (x.requiresGrad) {
      gradients[0] = Tensor.empty(engine, x.shape, stored, where);
      dispatch('inputs', [x, weight, statistics, dy, gradients[0]]);
    }
    if (!given.some((t) => t.requiresGrad)) return gradients;
    const partial = () => Tensor.empty(engine, [shares.parts, ...affine], 'f32', where);
    const [dweight, dbias] = [partial(), partial()];
    dispatch('parameters', [x, statistics, dy, dweight, dbias], { SIZE: shares.SIZE }, shares.workgroups);
    const total = (parts: Tensor) => sum(parts, 0);
    if (options.weight) gradients.push(options.weight.requiresGrad ? total(dweight) : null);
    if (options.bias) gradients.push(options.bias.requiresGrad ? total(dbias) : null);
    dweight.dispose();
    dbias.dispose();
    return gradients;
  };
  record(y, where, [x, ...given], backward, undefined, {
    operands: [x, options.weight ?? 1, options.bias ?? 0],
    groups: view.groups,
    eps,
  });
  if (!y.node) {
    statistics.dispose();
    if (!options.weight) weight.dispose();
  }
  return y;
}

/**
 * (x − mean)/√(variance + eps) · weight + bias, by the mean and the (biased) variance of each sample over its last axes (Ba et al.
 * 2016). In f32 or f16, with gradients.
 * @param shape of the last axes that are normalised together, which weight and bias have too.
 * @throws {ShapeError} when the last axes of `x`, the weight or the bias have another shape.
 * @throws {DTypeError} when x is not f32 or f16, or a parameter is not f32.
 * @throws {ArgumentError} for a shape that is no list.
 */
export function layerNorm(x: Tensor, shape: Shape, options: NormOptions = {}): Tensor {
  if (!Array.isArray(shape)) {
    throw new ArgumentError({
      where: 'layerNorm',
      message: `the shape of the last axes is ${JSON.stringify(shape)}; a list of their sizes was expected.`,
      fix: `Give it before the options, such as [${x.shape.at(-1) ?? 1}] for the last axis of x, ${show(x.shape)}.`,
    });
  }
  const lead = x.rank - shape.length;
  if (shape.length === 0 || !sameShape(x.shape.slice(Math.max(0, lead)), shape)) {
    throw new ShapeError({
      where: 'layerNorm',
      message: `x has shape ${show(x.shape)}; its last axes must be ${show(shape)}, at least one.`,
    });
  }
  const width = sizeOf(shape);
  return normalise('layerNorm', x, { batch: x.size / width, places: 1, groups: 1, width }, shape, options);
}

/**
 * (x − mean)/√(variance + eps) · weight + bias, by the mean and the (biased) variance of each sample over a group of its channels (Wu & He
 * 2018). As many groups as channels are an instance norm. In f32 or f16, with gradients.
 * @param x images [n, h, w, c], or anything [n, …, c] with the channels last.
 * @throws {ShapeError} when x has fewer than two axes, or the weight or the bias is not [c].
 * @throws {DTypeError} when x is not f32 or f16, or a parameter is not f32.
 * @throws {ArgumentError} when the groups do not divide the channels.
 */
export function groupNorm(x: Tensor, groups: number, options: NormOptions = {}): Tensor {
  const channels = x.shape.at(-1) ?? 0;
  if (x.rank < 2) {
    throw new ShapeError({ where: 'groupNorm', message: `takes [n, …, channels], not ${show(x.shape)}.` });
  }
  if (!(Number.isInteger(groups) && groups >= 1 && channels % groups === 0)) {
    throw new ArgumentError({
      where: 'groupNorm',
      message: `${groups} groups do not divide the ${channels} channels of x, ${show(x.shape)}.`,
    });
  }
  const [batch = 0] = x.shape;
  const view = { batch, places: x.size / batch / channels, groups, width: channels / groups };
  return normalise('groupNorm', x, view, [channels], options);
}
