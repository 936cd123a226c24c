/**
 * Batch norm in training and in inference, fused or not. Its error is that of its inputs: each x may be off by its own rounding, and
 * what this does to mean, variance and the rest is followed to first order.
 */
import fc from 'fast-check';
import { batchNorm } from '../../../src/index.ts';
import { engine, leaf } from '../engine.ts';
import { type Bounded, checkBounded, ROUNDING } from './bounded.ts';
import { draw, drawing, size } from './draw.ts';
import { read } from './read.ts';
import { sizeOf } from './strides.ts';

export const batchNormCases = fc
  .record({
    spatial: fc.oneof(fc.constant([]), fc.tuple(size(12), size(12))),
    batch: size(5000),
    channels: size(2049),
    training: fc.boolean(),
    relu: fc.boolean(),
    residual: fc.boolean(),
    momentum: fc.constantFrom(0.1, 0.5, 1),
    drawing,
  })
  .map((c) => ({ ...c, shape: [c.batch, ...c.spatial, c.channels] }))
  .filter(({ shape, channels, training }) => sizeOf(shape) <= 10_000 && !(training && sizeOf(shape) === channels));

type Case = typeof batchNormCases extends fc.Arbitrary<infer T> ? T : never;

const EPS = 1e-5;
/** Where the deviation is known to less than this, first order tells nothing. */
const MOST_RELATIVE_ERROR = 0.01;

const bounded = (length: number): Bounded => ({ value: new Float64Array(length), error: new Float64Array(length) });

function set({ value, error }: Bounded, at: number, to: number, off: number): void {
  value[at] = to;
  error[at] = off;
}

const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const abs = Math.abs;

export async function checkBatchNorm(c: Case): Promise<void> {
  const { shape, channels, training, relu, momentum } = c;
  const length = sizeOf(shape);
  const rows = length / channels;
  const x = draw(c.drawing, length, 0);
  const modest = { ...c.drawing, kind: 'even', magnitude: 1 } as const;
  const [weight, bias] = [draw(modest, channels, 1), draw(modest, channels, 2)];
  const [residual, dy] = [draw(modest, length, 3), draw(c.drawing, length, 4)];
  const runningMean = draw(c.drawing, channels, 5);
  const runningVar = draw(modest, channels, 6).map((v) => abs(v) + 0.01);

  const actual = await read(() => {
    const [tx, tweight, tbias] = [leaf(x, shape), leaf(weight, [channels]), leaf(bias, [channels])];
    const added = leaf(residual, shape);
    const running = { runningMean: engine.tensor(runningMean), runningVar: engine.tensor(runningVar) };
    const options = { weight: tweight, bias: tbias, ...running, training, relu, momentum };
    const y = batchNorm(tx, c.residual ? { ...options, residual: added } : options);
    y.backward(engine.tensor(dy, shape));
    const gradients = { dx: tx.grad, dweight: tweight.grad, dbias: tbias.grad };
    return { y, ...gradients, ...running, ...(c.residual ? { dresidual: added.grad } : {}) };
  });

  const y = bounded(length);
  const dx = bounded(length);
  const dresidual = bounded(length);
  const [dweight, dbias, nextMean, nextVar] = [
    bounded(channels),
    bounded(channels),
    bounded(channels),
    bounded(channels),
  ];
  for (let k = 0; k < channels; k++) {
    const places = Array.from({ length: rows }, (_, r) => r * channels + k);
    const [w, b, before, beforeVar] = [weight[k]!, bias[k]!, runningMean[k]!, runningVar[k]!];
    const values = places.map((at) => x[at]!);
    const own = meanOf(values);
    const centre = training ? own : before;
    const centreError = training ? (rows + 4) * meanOf(values.map(abs)) : 0;
    const off = values.map((v) => abs(v) + abs(centre) + centreError);
    const difference = values.map((v) => v - centre);
    const variance = training ? meanOf(difference.map((d) => d * d)) : beforeVar;
    const varianceError = training
      ? meanOf(difference.map((d, i) => 2 * abs(d) * off[i]! + ROUNDING * off[i]! ** 2)) + (rows + 4) * variance
      : 0;
    const inverse = 1 / Math.sqrt(variance + EPS);
    const inverseError = varianceError / (2 * (variance + EPS)) + 6;
    const unknown = inverseError * ROUNDING > MOST_RELATIVE_ERROR;
    const hat = difference.map((d) => d * inverse);
    const hatError = hat.map((h, i) => off[i]! * inverse + abs(h) * (inverseError + 2));

    const g = places.map((at, i) => {
      const added = c.residual ? residual[at]! : 0;
      const value = w * hat[i]! + b + added;
      const error = abs(w) * hatError[i]! + 3 * (abs(w * hat[i]!) + abs(b) + abs(added));
      set(y, at, relu ? Math.max(0, value) : value, unknown ? Number.POSITIVE_INFINITY : error);
      // So near to the kink either side is right: the gradient follows the result.
      const passed = abs(value) > 4 * ROUNDING * error && !unknown ? value > 0 : actual.y[at]! > 0;
      const gradient = relu && !passed ? 0 : dy[at]!;
      set(dresidual, at, gradient, 0);
      return gradient;
    });
    const total = g.reduce((sum, v) => sum + v, 0);
    const totalError = (rows + 4) * g.reduce((sum, v) => sum + abs(v), 0);
    const moment = g.reduce((sum, v, i) => sum + v * hat[i]!, 0);
    const momentError = g.reduce((sum, v, i) => sum + abs(v) * ((rows + 4) * abs(hat[i]!) + hatError[i]!), 0);
    set(dbias, k, total, totalError);
    set(dweight, k, moment, unknown ? Number.POSITIVE_INFINITY : momentError);
    const [share, pull] = training ? [total / rows, moment / rows] : [0, 0];
    const [shareError, pullError] = training ? [totalError / rows, momentError / rows] : [0, 0];
    places.forEach((at, i) => {
      const scale = w * inverse;
      const terms = abs(g[i]!) + abs(share) + abs(hat[i]! * pull);
      const error = terms * (inverseError + 8) + shareError + hatError[i]! * abs(pull) + abs(hat[i]!) * pullError;
      const value = scale * (g[i]! - share - hat[i]! * pull);
      set(dx, at, value, unknown ? Number.POSITIVE_INFINITY : abs(scale) * error);
    });

    const moved = training ? momentum : 0;
    const unbiased = training ? (variance * rows) / (rows - 1) : beforeVar;
    const unbiasedError = training ? (varianceError * rows) / (rows - 1) + 4 * unbiased : 0;
    set(
      nextMean,
      k,
      before + moved * (own - before),
      moved * centreError + 4 * moved * (abs(before) + abs(own)) + (moved && abs(before)),
    );
    set(
      nextVar,
      k,
      beforeVar + moved * (unbiased - beforeVar),
      moved * (unbiasedError + 4 * (beforeVar + unbiased)) + (moved && beforeVar),
    );
  }
  checkBounded('y', actual.y, y);
  if (actual.dresidual) checkBounded('dresidual', actual.dresidual, dresidual);
  checkBounded('dbias', actual.dbias, dbias);
  checkBounded('dweight', actual.dweight, dweight);
  checkBounded('dx', actual.dx, dx);
  checkBounded('runningMean', actual.runningMean, nextMean);
  checkBounded('runningVar', actual.runningVar, nextVar);
}
