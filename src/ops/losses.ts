/**
 * Losses by PyTorch's names, formulas and defaults; cross entropy of logits is in `cross-entropy.ts`. Inputs and targets have one
 * shape and dtype, f32 or f16; both have gradients unless it says otherwise. Means and sums are f32.
 */
import { ArgumentError, ShapeError } from '../errors.ts';
import { ones } from '../tensor/create.ts';
import { commonFloat } from '../tensor/dtype.ts';
import { broadcastShapes, sameShape, show } from '../tensor/shape.ts';
import { commonEngine, type Tensor } from '../tensor/tensor.ts';
import { countsOf } from './cross-entropy.ts';
import { elementwise } from './elementwise/elementwise.ts';
import { expectShapes } from './expect-shapes.ts';
import { gatherUnsigned } from './gather.ts';
import './methods.ts';
import { mean, sum } from './reduce.ts';
import { checkReduction, type Reduction } from './reduction.ts';
import { reshape } from './reshape.ts';

/** What most losses may differ in. */
export interface LossOptions {
  /** `mean` over all elements by default. */
  reduction?: Reduction;
}

function reduced(where: string, losses: Tensor, reduction: Reduction = 'mean'): Tensor {
  checkReduction(where, reduction);
  if (reduction === 'none') return losses;
  return reduction === 'mean' ? mean(losses) : sum(losses);
}

/** @throws {ShapeError} unless both have one shape: broadcasting here is nearly always a mistake. */
function checkPair(where: string, input: Tensor, target: Tensor): void {
  commonEngine(where, [input, target]);
  if (!sameShape(input.shape, target.shape)) {
    throw new ShapeError({
      where,
      message: `the input has shape ${show(input.shape)}, the target ${show(target.shape)}; they must be the same.`,
      fix: 'Reshape one of them.',
    });
  }
}

function checkPositive(where: string, name: string, value: number, least: number): void {
  if (!(value >= least && value < Infinity)) {
    throw new ArgumentError({ where, message: `${name} must be ${least > 0 ? 'above' : 'at least'} 0, not ${value}.` });
  }
}

const ofDifference = (name: string, forward: string, slope: string) =>
  elementwise(name, { operands: ['a', 'b'], forward, gradients: [`dy * (${slope})`, `-dy * (${slope})`] });
const ofDifferenceBy = (name: string, forward: string, slope: string) =>
  elementwise(name, {
    operands: ['a', 'b', 'c'],
    forward,
    gradients: [`dy * (${slope})`, `-dy * (${slope})`, null],
  });

const squares = /* @__PURE__ */ ofDifference('mseLoss', '(a - b) * (a - b)', '2.0 * (a - b)');
const distances = /* @__PURE__ */ ofDifference('l1Loss', 'abs(a - b)', 'signum(a - b)');
const huber = /* @__PURE__ */ ofDifferenceBy(
  'huberLoss',
  'select(c * (abs(a - b) - 0.5 * c), 0.5 * (a - b) * (a - b), abs(a - b) <= c)',
  'clamped(a - b, -c, c)',
);
const smooth = /* @__PURE__ */ ofDifferenceBy(
  'smoothL1Loss',
  'select(abs(a - b) - 0.5 * c, 0.5 * (a - b) * (a - b) / c, abs(a - b) < c)',
  'select(signum(a - b), (a - b) / c, abs(a - b) < c)',
);

/**
 * (input − target)².
 * @throws {ShapeError} unless both have one shape.
 * @throws {DTypeError} unless both are f32 or both f16.
 */
export function mseLoss(input: Tensor, target: Tensor, { reduction }: LossOptions = {}): Tensor {
  checkPair('mseLoss', input, target);
  return reduced('mseLoss', squares(input, target), reduction);
}

/**
 * |input − target|, with the gradient 0 where they are equal.
 * @throws {ShapeError} unless both have one shape.
 * @throws {DTypeError} unless both are f32 or both f16.
 */
export function l1Loss(input: Tensor, target: Tensor, { reduction }: LossOptions = {}): Tensor {
  checkPair('l1Loss', input, target);
  return reduced('l1Loss', distances(input, target), reduction);
}

/**
 * ½(input − target)² up to a distance of δ, and δ · (|input − target| − ½δ) beyond (Huber 1964).
 * @param options `delta`: above 0, 1 by default.
 * @throws {ShapeError} unless both have one shape.
 * @throws {DTypeError} unless both are f32 or both f16.
 * @throws {ArgumentError} when delta is not above 0.
 */
export function huberLoss(
  input: Tensor,
  target: Tensor,
  { delta = 1, reduction }: LossOptions & { delta?: number } = {},
): Tensor {
  checkPair('huberLoss', input, target);
  checkPositive('huberLoss', 'delta', delta, Number.MIN_VALUE);
  return reduced('huberLoss', huber(input, target, delta), reduction);
}

/**
 * ½(input − target)²/β up to a distance of β, and |input − target| − ½β beyond (Girshick 2015).
 * @param options `beta`: at least 0, 1 by default; 0 is {@link l1Loss}.
 * @throws {ShapeError} unless both have one shape.
 * @throws {DTypeError} unless both are f32 or both f16.
 * @throws {ArgumentError} when beta is below 0.
 */
export function smoothL1Loss(
  input: Tensor,
  target: Tensor,
  { beta = 1, reduction }: LossOptions & { beta?: number } = {},
): Tensor {
  checkPair('smoothL1Loss', input, target);
  checkPositive('smoothL1Loss', 'beta', beta, 0);
  return reduced('smoothL1Loss', smooth(input, target, beta), reduction);
}

/** What {@link binaryCrossEntropyWithLogits} may differ in. */
export interface BinaryCrossEntropyOptions extends LossOptions {
  /** Times the loss of each element; broadcasts. Without a gradient. */
  weight?: Tensor;
  /** Times the loss of targets of 1, for rare ones: one a class, the last axis. Without a gradient. */
  posWeight?: Tensor;
}

const binary = /* @__PURE__ */ elementwise('binaryCrossEntropyWithLogits', {
  operands: ['a', 'b', 'c'],
  forward: '(1.0 - b) * a + (1.0 + (c - 1.0) * b) * softplus(-a)',
  gradients: ['dy * ((1.0 - b) - (1.0 + (c - 1.0) * b) * sigmoid(-a))', 'dy * ((c - 1.0) * softplus(-a) - a)', null],
});

/**
 * −t · log σ(x) − (1 − t) · log(1 − σ(x)) of logits x and targets t in [0, 1], which neither overflows nor loses digits.
 * @throws {ShapeError} unless logits and targets have one shape, and weights broadcast to it.
 * @throws {DTypeError} unless all are f32 or all f16.
 */
export function binaryCrossEntropyWithLogits(
  logits: Tensor,
  targets: Tensor,
  { weight, posWeight, reduction }: BinaryCrossEntropyOptions = {},
): Tensor {
  const where = 'binaryCrossEntropyWithLogits';
  checkPair(where, logits, targets);
  commonEngine(where, [logits, weight ?? logits, posWeight ?? logits]);
  const losses = binary(logits, targets, posWeight?.detach() ?? 1);
  const weighted = weight ? losses.mul(weight.detach()) : losses;
  if (!sameShape(weighted.shape, logits.shape)) {
    throw new ShapeError({
      where,
      message: `weights of shapes ${[weight, posWeight].flatMap((t) => (t ? [show(t.shape)] : [])).join(' and ')} do not broadcast to ${show(logits.shape)}.`,
    });
  }
  return reduced(where, weighted, reduction);
}

/** What {@link nllLoss} may differ in. */
export interface NLLOptions extends LossOptions {
  /** f32 [classes], times the losses of each class's samples; a mean is then divided by the sum of the weights. */
  weight?: Tensor;
}

/**
 * −log p of the target class, of logarithms of probabilities (`logSoftmax`). A target outside [0, classes), such as PyTorch's −100, counts
 * for nothing, and a mean is over those that count, or by their weights; NaN where none does. Targets have no gradient.
 * @param logProbabilities f32 [..., classes].
 * @param targets i32 [...].
 * @throws {ShapeError} when the shapes do not fit.
 * @throws {DTypeError} unless the first are f32 and the targets i32.
 */
export function nllLoss(logProbabilities: Tensor, targets: Tensor, { weight, reduction }: NLLOptions = {}): Tensor {
  const rows = targets.shape.map((_, i) => `n${i}`);
  const { classes = 0 } = expectShapes('nllLoss', {
    logProbabilities: [logProbabilities, 'f32', [...rows, 'classes']],
    targets: [targets, 'i32', rows],
    ...(weight ? { weight: [weight, 'f32', ['classes']] as const } : {}),
  });
  const { shape } = targets;
  const counts = weight
    ? reshape(gatherUnsigned(weight.detach(), reshape(targets, [targets.size])), shape)
    : countsOf(targets, classes);
  const picked = reshape(gatherUnsigned(logProbabilities, reshape(targets, [...shape, 1]), -1), shape);
  const losses = picked.mul(counts).neg();
  return reduction === undefined || reduction === 'mean'
    ? sum(losses).div(sum(counts))
    : reduced('nllLoss', losses, reduction);
}

/** What {@link klDiv} may differ in. */
export interface KLOptions {
  /** As of other losses, or `batchmean`: the sum divided by the length of the first axis, the divergence by its definition. `mean` by default, as PyTorch's. */
  reduction?: Reduction | 'batchmean';
  /** Whether the target is given as logarithms too; false by default. */
  logTarget?: boolean;
}

const divergences = /* @__PURE__ */ elementwise('klDiv', {
  operands: ['a', 'b'],
  // As PyTorch's, b log b − b a: a probability of 0 counts for nothing, unless a is not finite, which makes NaN.
  forward: 'select(b * (safe_log(b) - a), select(0.0, not_a_number_of(a), !is_finite(a)), b == 0.0)',
  gradients: ['-dy * b', 'dy * (safe_log(b) + 1.0 - a)'],
});
const logDivergences = /* @__PURE__ */ elementwise('klDiv', {
  operands: ['a', 'b'],
  forward: 'safe_exp(b) * (b - a)',
  gradients: ['-dy * safe_exp(b)', 'dy * safe_exp(b) * (b - a + 1.0)'],
});

/**
 * p · (log p − log q) of each element: the Kullback–Leibler divergence of the input q from the target p. Where p is 0 it is 0, but NaN
 * where log q is −∞, as PyTorch's.
 * @param input log q, as `logSoftmax` gives it.
 * @param target p, or log p with `logTarget`.
 * @throws {ShapeError} unless both have one shape.
 * @throws {DTypeError} unless both are f32 or both f16.
 */
export function klDiv(input: Tensor, target: Tensor, { reduction, logTarget = false }: KLOptions = {}): Tensor {
  checkPair('klDiv', input, target);
  const losses = (logTarget ? logDivergences : divergences)(input, target);
  if (reduction === 'batchmean') return sum(losses).div(input.shape[0] ?? 1);
  return reduced('klDiv', losses, reduction);
}

/**
 * The cosine of the angle between vectors along an axis, the last by default (where images here have what PyTorch's have along its
 * default): a · b / (max(‖a‖, eps) · max(‖b‖, eps)), f32. Shapes broadcast, and the axis is one of the common shape.
 * @param options `eps`: 1e-8 by default, so that vectors of zeros have the cosine 0.
 * @throws {ShapeError} when the shapes do not broadcast, or the axis is out of range.
 * @throws {DTypeError} unless both are f32 or both f16.
 */
export function cosineSimilarity(
  a: Tensor,
  b: Tensor,
  { axis = -1, eps = 1e-8 }: { axis?: number; eps?: number } = {},
): Tensor {
  commonFloat('cosineSimilarity', [a, b]);
  // The least normal number, nearly, keeps the gradient of a vector of zeros finite.
  const length = (of: Tensor) => of.square().sum(axis, { keepDims: true }).clamp(1e-37).sqrt().clamp(eps);
  const common = broadcastShapes('cosineSimilarity', a.shape, b.shape);
  // Spread out first: an element that stands for several counts as often in the length of its vector.
  const spread = (of: Tensor) => (sameShape(of.shape, common) ? of : of.mul(ones(of.engine, common)));
  const [p, q] = [spread(a.cast('f32')), spread(b.cast('f32'))];
  const cosines = p.mul(q).sum(axis, { keepDims: true }).div(length(p)).div(length(q));
  const dropped = axis < 0 ? axis + cosines.rank : axis;
  return reshape(
    cosines,
    cosines.shape.filter((_, i) => i !== dropped),
  );
}

/** What {@link cosineEmbeddingLoss} may differ in. */
export interface CosineEmbeddingOptions extends LossOptions {
  /** Cosines of unlike pairs up to here cost nothing; 0 by default. */
  margin?: number;
}

const embedding = /* @__PURE__ */ elementwise('cosineEmbeddingLoss', {
  operands: ['a', 'b', 'c'],
  forward: 'select(larger(a - c, 0.0), 1.0 - a, b > 0.0)',
  gradients: ['select(select(0.0, dy, a > c), -dy, b > 0.0)', null, null],
});

/**
 * 1 − cos(a, b) of pairs that are alike, max(0, cos(a, b) − margin) of those that are not.
 * @param a f32 [n, features], or [features].
 * @param b as `a`.
 * @param target f32 or i32 [n], or a scalar: 1 for pairs that are alike, −1 for others.
 * @throws {ShapeError} when the shapes do not fit.
 * @throws {DTypeError} unless the vectors are f32.
 */
export function cosineEmbeddingLoss(
  a: Tensor,
  b: Tensor,
  target: Tensor,
  { margin = 0, reduction }: CosineEmbeddingOptions = {},
): Tensor {
  const n = target.shape.map((_, i) => `n${i}`);
  expectShapes('cosineEmbeddingLoss', {
    a: [a, 'f32', [...n, 'features']],
    b: [b, 'f32', [...n, 'features']],
    target: [target, target.dtype, n],
  });
  const signs = target.cast('f32').detach();
  const cosines = cosineSimilarity(a, b);
  return reduced('cosineEmbeddingLoss', embedding(cosines, signs, margin), reduction);
}
