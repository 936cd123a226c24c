/**
 * How far a loss rises around the parameters, each of them moved in proportion to its own size (Andriushchenko et al. 2023, A
 * Modern Look at the Relationship between Sharpness and Generalization): elementwise-adaptive sharpness, c = |w|. It does not
 * change when parameters are scaled in a way that the function does not see, where curvature does.
 */
import { noGrad } from '../autograd/tape.ts';
import { ArgumentError, AutogradError } from '../errors.ts';
import { unary } from '../ops/methods.ts';
import { copyInto } from '../tensor/copy-into.ts';
import { zeros } from '../tensor/create.ts';
import { Random } from '../tensor/random.ts';
import { normal } from '../tensor/random-tensors.ts';
import { commonEngine, type Tensor } from '../tensor/tensor.ts';
import { Displacement } from './displacement.ts';
import { type LossParts, partsOf, sumOf } from './loss-parts.ts';

/** How average sharpness is estimated. */
export interface AverageSharpnessOptions {
  /** Standard deviation of the noise, in sizes of each parameter; 0.1 by default. */
  rho?: number;
  /** Pairs of opposite draws, at least 2; 10 by default. */
  samples?: number;
  /** Of the draws; 0 by default. */
  seed?: number;
  /** Is told how many pairs are drawn. */
  onSample?: (done: number) => void;
}

/** How worst-case sharpness is looked for. */
export interface WorstSharpnessOptions {
  /** Radius of the ball, in sizes of each parameter; 0.001 by default. */
  rho?: number;
  /** `max`: each parameter by ρ|w| at most (default); `l2`: ‖δ/|w|‖₂ ≤ ρ. */
  norm?: 'max' | 'l2';
  /** Steps of the ascent; 20 by default. */
  steps?: number;
  /** Is told how many steps are taken. */
  onStep?: (done: number) => void;
}

function check(parameters: readonly Tensor[], where: string, rho: number, count: number, least: number): void {
  commonEngine(where, parameters);
  if (!parameters.every((one) => one.isLeaf && one.requiresGrad && one.dtype === 'f32')) {
    throw new AutogradError({
      where,
      message: `the parameters are ${parameters.join(', ')}; f32 leaves that require a gradient were expected.`,
    });
  }
  if (rho > 0 && rho < Number.POSITIVE_INFINITY && Number.isInteger(count) && count >= least) return;
  throw new ArgumentError({
    where,
    message: `ρ is ${rho} in ${count} draws or steps; a number above 0 and a whole one of at least ${least} were expected.`,
  });
}

/**
 * Average-case adaptive sharpness: E[L(w + δ)] − L(w) over δ ~ N(0, ρ²·diag(w²)), from pairs ±δ, whose first-order terms cancel.
 * @param parameters f32 leaves; after it they are where they were.
 * @param loss a scalar of them, in parts where all images at once are too many.
 * @returns the difference of losses, and the estimate's standard error.
 * @throws {ArgumentError} when an option is out of range.
 * @throws {AutogradError} when a parameter is not an f32 leaf that requires a gradient.
 */
export async function averageSharpness(
  parameters: readonly Tensor[],
  loss: LossParts,
  { rho = 0.1, samples = 10, seed = 0, onSample }: AverageSharpnessOptions = {},
): Promise<{ sharpness: number; standardError: number }> {
  const where = 'averageSharpness';
  check(parameters, where, rho, samples, 2);
  const parts = partsOf(loss, where);
  const { engine } = parameters[0] as Tensor;
  const streams = Random.of(seed, 'sharpness');
  const value = () => itemOf(sumOf(engine, parts));
  const at = await value();
  const rises: number[] = [];
  const around = new Displacement(parameters);
  try {
    for (let i = 0; i < samples; i++) {
      const own = parameters.map(() => streams.word());
      let rise = 0;
      for (const sign of [1, -1]) {
        around.move((center, index) => {
          const noise = normal(engine, center.shape, { from: { seed, stream: own[index] as number } });
          return center.add(
            unary
              .abs(center)
              .mul(noise)
              .mul(sign * rho),
          );
        });
        rise += ((await value()) - at) / 2;
      }
      rises.push(rise);
      onSample?.(i + 1);
    }
  } finally {
    around.dispose();
  }
  const mean = rises.reduce((sum, x) => sum + x, 0) / samples;
  const variance = rises.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (samples - 1);
  return { sharpness: mean, standardError: Math.sqrt(variance / samples) };
}

/**
 * Worst-case adaptive sharpness: max L(w + δ) − L(w) over ‖δ/|w|‖ ≤ ρ, by projected ascent in u = δ/|w|: along the sign of the
 * gradient by u for the maximum norm, along the gradient for the Euclidean one. A step that gains nothing is taken back, and the
 * next is half as long; the first one spans the ball (as in Auto-PGD, Croce and Hein 2020). A lower bound of the maximum.
 * @param parameters f32 leaves; after it they, and their gradients, are what they were.
 * @param loss a scalar of them, in parts where all images at once are too many.
 * @returns the difference of losses, at least 0.
 * @throws {ArgumentError} when an option is out of range.
 * @throws {AutogradError} when a parameter is not an f32 leaf that requires a gradient.
 */
export async function worstSharpness(
  parameters: readonly Tensor[],
  loss: LossParts,
  { rho = 0.001, norm = 'max', steps = 20, onStep }: WorstSharpnessOptions = {},
): Promise<number> {
  const where = 'worstSharpness';
  check(parameters, where, rho, steps, 1);
  const parts = partsOf(loss, where);
  const { engine } = parameters[0] as Tensor;
  const held = parameters.map(({ grad }) => grad);
  const fresh = () => parameters.map((one) => engine.keep(zeros(engine, one.shape)));
  // The best place so far and the gradient there, and where is tried next.
  const [best, slopes, tried] = [fresh(), fresh(), fresh()];
  const around = new Displacement(parameters);
  for (const one of parameters) one.grad = null;
  /** The loss where the parameters are, their gradients beside it. */
  const climb = () => {
    for (const one of parameters) one.grad?.dispose();
    for (const one of parameters) one.grad = null;
    const total = engine.scope(() =>
      parts.map((part) =>
        engine.scope(() => {
          const value = part();
          if (value.requiresGrad) value.backward();
          return value.detach();
        }),
      ),
    );
    return sumItems(total);
  };
  const keepSlopes = () =>
    parameters.forEach(({ grad, engine }, i) => {
      const size = around.centers[i] as Tensor;
      // By u: a parameter moves by |w| for each unit of it.
      if (grad) noGrad(engine, () => engine.scope(() => copyInto(unary.abs(size).mul(grad), slopes[i] as Tensor)));
    });
  try {
    const start = await climb();
    keepSlopes();
    let highest = start;
    let length = 2 * rho;
    for (let step = 0; step < steps; step++) {
      noGrad(engine, () =>
        engine.scope(() => {
          for (const [i, u] of ascended(best, slopes, { rho, norm, length }).entries()) copyInto(u, tried[i] as Tensor);
        }),
      );
      around.move((center, i) => center.add(unary.abs(center).mul(tried[i] as Tensor)));
      const now = await climb();
      if (now > highest) {
        highest = now;
        for (const [i, u] of tried.entries()) copyInto(u, best[i] as Tensor);
        keepSlopes();
      } else length /= 2;
      onStep?.(step + 1);
    }
    return highest - start;
  } finally {
    around.dispose();
    for (const one of [...best, ...slopes, ...tried]) one.dispose();
    parameters.forEach((parameter, i) => {
      parameter.grad?.dispose();
      parameter.grad = held[i] ?? null;
    });
  }
}

interface Step {
  readonly rho: number;
  readonly norm: 'max' | 'l2';
  readonly length: number;
}

/** A step from u along its gradient, and back into the ball. */
function ascended(u: readonly Tensor[], slopes: readonly Tensor[], { rho, norm, length }: Step): Tensor[] {
  if (norm === 'max') return u.map((at, i) => at.add(unary.sign(slopes[i] as Tensor).mul(length)).clamp(-rho, rho));
  const lengthOf = (all: readonly Tensor[]) =>
    all
      .map((one) => one.square().sum())
      .reduce((sum, part) => sum.add(part))
      .sqrt()
      .clamp(1e-30);
  const scale = lengthOf(slopes).pow(-1).mul(length);
  const moved = u.map((at, i) => at.add((slopes[i] as Tensor).mul(scale)));
  // The ball's own points stay where they are.
  const within = lengthOf(moved).pow(-1).mul(rho).clamp(undefined, 1);
  return moved.map((at) => at.mul(within));
}

async function itemOf(tensor: Tensor): Promise<number> {
  try {
    return await tensor.item();
  } finally {
    tensor.dispose();
  }
}

async function sumItems(tensors: readonly Tensor[]): Promise<number> {
  const values = await Promise.all(tensors.map(itemOf));
  return values.reduce((sum, value) => sum + value, 0);
}
