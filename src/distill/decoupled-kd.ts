/**
 * Decoupled knowledge distillation (Zhao et al. 2022): distillation split into how sure the teacher is of the right class and how
 * it spreads the rest. Its authors shorten it to DKD too; this project's DKD is the dense one.
 */
import { ArgumentError } from '../errors.ts';
import { where } from '../ops/elementwise/elementwise.ts';
import { expectShapes } from '../ops/expect-shapes.ts';
import { gather, oneHot } from '../ops/gather.ts';
import { logSumExp } from '../ops/log-sum-exp.ts';
import '../ops/methods.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Weights and temperature of {@link decoupledKD}. */
export interface DecoupledKDOptions {
  /** α, the weight of the target part; 1 by default. */
  alpha?: number;
  /** β, the weight of the other part; 8 by default. */
  beta?: number;
  /** T; 4 by default. */
  temperature?: number;
}

/** Logit of a class that does not count. */
const OUT = -1e30;

/**
 * The two parts, each mean_b KL(teacher ‖ student) · T²: `target` of (right class, all others), `other` among the wrong classes.
 * @param student f32 [n, classes].
 * @param teacher f32 [n, classes]; takes no gradient.
 * @param targets i32 [n], each in [0, classes).
 * @throws {ShapeError} when the shapes do not fit.
 * @throws {DTypeError} unless logits are f32 and targets i32.
 * @throws {ArgumentError} when there are fewer than two classes, or the temperature is not a finite number above 0.
 */
export function decoupledKDParts(
  student: Tensor,
  teacher: Tensor,
  targets: Tensor,
  { temperature = 4 }: Pick<DecoupledKDOptions, 'temperature'> = {},
): { target: Tensor; other: Tensor } {
  const name = 'decoupledKD';
  const { n = 0, classes = 0 } = expectShapes(name, {
    student: [student, 'f32', ['n', 'classes']],
    teacher: [teacher, 'f32', ['n', 'classes']],
    targets: [targets, 'i32', ['n']],
  });
  if (!(classes > 1 && temperature > 0 && temperature < Number.POSITIVE_INFINITY)) {
    throw new ArgumentError({
      where: name,
      message: `takes at least 2 classes and a temperature above 0; was given ${classes} and ${temperature}.`,
    });
  }
  const index = targets.reshape([n, 1]);
  const isTarget = oneHot(targets, classes).greater(0);
  const of = (logits: Tensor) => {
    const scaled = logits.div(temperature);
    const others = where(isTarget, OUT, scaled);
    // log p − log(1 − p) of the right class: both logarithms follow from it without a difference of close numbers.
    const odds = gather(scaled, index, 1).sub(logSumExp(others, 1, { keepDims: true }));
    return { odds, others: others.logSoftmax() };
  };
  const [z, t] = [of(student), of(teacher.detach())];
  const scale = temperature ** 2 / n;
  const logRight = ({ odds }: typeof z) => odds.neg().softplus().neg();
  const logRest = ({ odds }: typeof z) => odds.softplus().neg();
  const right = t.odds.sigmoid().mul(logRight(t).sub(logRight(z)));
  const rest = t.odds
    .neg()
    .sigmoid()
    .mul(logRest(t).sub(logRest(z)));
  const spread = t.others.exp().mul(t.others.sub(z.others));
  return { target: right.add(rest).sum().mul(scale), other: spread.sum().mul(scale) };
}

/**
 * α · T² · KL of (right, rest) + β · T² · KL among the wrong classes, mean over the batch (Zhao et al. 2022, eq. 7).
 * @param student f32 [n, classes].
 * @param teacher f32 [n, classes]; takes no gradient.
 * @param targets i32 [n], each in [0, classes).
 * @throws {ShapeError} when the shapes do not fit.
 * @throws {DTypeError} unless logits are f32 and targets i32.
 * @throws {ArgumentError} when there are fewer than two classes, or the temperature is not a finite number above 0.
 */
export function decoupledKD(
  student: Tensor,
  teacher: Tensor,
  targets: Tensor,
  options: DecoupledKDOptions = {},
): Tensor {
  const { alpha = 1, beta = 8 } = options;
  const { target, other } = decoupledKDParts(student, teacher, targets, options);
  return target.mul(alpha).add(other.mul(beta));
}
