/** Softmax, log-softmax and cross entropy. What exp and log may be off by is WGSL's own bound. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { type CrossEntropyOptions, crossEntropy, logSoftmax, softmax } from '../../../src/index.ts';
import { engine, leaf } from '../engine.ts';
import { checkBounded, FLUSHED } from './bounded.ts';
import { draw, drawing, size } from './draw.ts';
import { read } from './read.ts';
import { sizeOf } from './strides.ts';

/** exp may be off by 3 + 2·|x| units in the last place, two roundings each, and its argument is rounded too. */
const expError = (x: number): number => 6 + 5 * Math.abs(x);

interface Row {
  /** x − max and ln Σ exp(x − max). */
  readonly shifted: Float64Array;
  readonly logSum: number;
  /** In roundings, absolute. */
  readonly logSumError: number;
  readonly probability: Float64Array;
  /** In roundings, relative. */
  readonly probabilityError: Float64Array;
}

function rowOf(x: Float64Array): Row {
  const n = x.length;
  const top = x.reduce((a, b) => Math.max(a, b));
  const shifted = x.map((v) => v - top);
  const total = shifted.reduce((sum, z) => sum + Math.exp(z), 0);
  const probability = shifted.map((z) => Math.exp(z) / total);
  const totalError = n + probability.reduce((sum, p, i) => sum + p * expError(shifted[i]!), 0);
  const logSum = Math.log(total);
  return {
    shifted,
    logSum,
    // log may be off by 2⁻²¹ near 1 and by 3 units in the last place elsewhere.
    logSumError: totalError + 8 + 6 * logSum,
    probability,
    probabilityError: shifted.map((z) => expError(z) + totalError + 6),
  };
}

const sum = (values: Float64Array, of: (value: number, i: number) => number): number =>
  values.reduce((total, v, i) => total + of(v, i), 0);

export const softmaxCases = fc
  .record({
    shape: fc.array(size(5000), { minLength: 1, maxLength: 4 }),
    axis: fc.nat(3),
    drawing,
  })
  .filter(({ shape }) => sizeOf(shape) <= 10_000);

type Softmax = typeof softmaxCases extends fc.Arbitrary<infer T> ? T : never;

export async function checkSoftmax({ shape, axis: drawn, drawing: from }: Softmax): Promise<void> {
  const axis = drawn % shape.length;
  const x = draw(from, sizeOf(shape), 0);
  const dy = draw(from, sizeOf(shape), 1);
  const actual = await read(() => {
    const [a, b] = [leaf(x, shape), leaf(x, shape)];
    const [y, log] = [softmax(a, axis), logSoftmax(b, axis - shape.length)];
    y.backward(engine.tensor(dy, shape));
    log.backward(engine.tensor(dy, shape));
    return { y, dx: a.grad, log, dlog: b.grad };
  });

  const names = ['y', 'dx', 'log', 'dlog'] as const;
  const bounds = Object.fromEntries(
    names.map((name) => [name, { value: new Float64Array(x.length), error: new Float64Array(x.length) }]),
  ) as Record<(typeof names)[number], { value: Float64Array; error: Float64Array }>;
  const n = shape[axis]!;
  const inner = sizeOf(shape.slice(axis + 1));
  for (let row = 0; row < x.length / n; row++) {
    const places = Array.from({ length: n }, (_, i) => (Math.floor(row / inner) * n + i) * inner + (row % inner));
    const gradient = Float64Array.from(places, (at) => dy[at]!);
    const { shifted, logSum, logSumError, probability, probabilityError } = rowOf(
      Float64Array.from(places, (at) => x[at]!),
    );
    const pull = sum(probability, (p, i) => p * gradient[i]!);
    const size = sum(probability, (p, i) => p * Math.abs(gradient[i]!));
    const pullError = n * size + sum(probability, (p, i) => p * Math.abs(gradient[i]!) * probabilityError[i]!);
    const total = sum(gradient, (g) => g);
    const totalSize = sum(gradient, Math.abs);
    places.forEach((at, i) => {
      const [p, g] = [probability[i]!, gradient[i]!];
      const set = (name: (typeof names)[number], value: number, error: number) => {
        bounds[name].value[at] = value;
        bounds[name].error[at] = error;
      };
      set('y', p, p * probabilityError[i]!);
      set(
        'dx',
        p * (g - pull),
        p * ((probabilityError[i]! + 3) * (Math.abs(g) + size) + pullError) + FLUSHED * (Math.abs(g) + size),
      );
      const log = shifted[i]! - logSum;
      const logError = logSumError + 2 * (Math.abs(shifted[i]!) + logSum);
      set('log', log, logError);
      set(
        'dlog',
        g - p * total,
        2 * Math.abs(g) +
          p * ((n + 3) * totalSize + Math.abs(total) * (logError + expError(log))) +
          FLUSHED * Math.abs(total),
      );
    });
  }
  for (const name of names) checkBounded(name, actual[name], bounds[name]);
}

export const crossEntropyCases = fc
  .record({
    rows: size(5000),
    classes: size(5000),
    labelSmoothing: fc.constantFrom(0, 0, 0.1, 0.5),
    reduction: fc.constantFrom<CrossEntropyOptions['reduction'][]>('mean', 'sum', 'none'),
    /** Share of rows to ignore. */
    ignored: fc.constantFrom(0, 0.3),
    drawing,
  })
  .filter(({ rows, classes }) => rows * classes <= 10_000);

type CrossEntropy = typeof crossEntropyCases extends fc.Arbitrary<infer T> ? T : never;

export async function checkCrossEntropy(c: CrossEntropy): Promise<void> {
  const { rows, classes, labelSmoothing: smoothing, reduction, ignored } = c;
  const x = draw(c.drawing, rows * classes, 0);
  const dy = draw(c.drawing, reduction === 'none' ? rows : 1, 1);
  const chance = draw({ seed: c.drawing.seed, kind: 'even', magnitude: 1 }, rows * 2, 2).map((u) => (u + 1) / 2);
  const targets = Int32Array.from({ length: rows }, (_, r) =>
    chance[r]! < ignored ? -1 : Math.min(classes - 1, Math.floor(chance[rows + r]! * classes)),
  );
  const shape = reduction === 'none' ? [rows] : [];
  const actual = await read(() => {
    const logits = leaf(x, [rows, classes]);
    const loss = crossEntropy(logits, engine.tensor(targets), {
      labelSmoothing: smoothing,
      reduction: reduction ?? 'mean',
    });
    loss.backward(engine.tensor(dy, shape));
    return { loss, dlogits: logits.grad };
  });

  const counted = targets.filter((target) => target >= 0).length;
  if (reduction === 'mean' && counted === 0) {
    assert.equal([...actual.loss!], [Number.NaN]);
    assert.ok(actual.dlogits!.every((gradient) => gradient === 0));
    return;
  }
  const scale = reduction === 'mean' ? 1 / counted : 1;
  const losses = { value: new Float64Array(rows), error: new Float64Array(rows) };
  const gradients = { value: new Float64Array(x.length), error: new Float64Array(x.length) };
  targets.forEach((target, r) => {
    if (target < 0) return;
    const row = rowOf(Float64Array.from(x.subarray(r * classes, (r + 1) * classes)));
    const { shifted, logSum, logSumError, probability, probabilityError } = row;
    const mean = sum(shifted, (z) => z) / classes;
    const [own, even] = [logSum - shifted[target]!, logSum - mean];
    const ownError = logSumError + 3 * (logSum + Math.abs(shifted[target]!));
    const evenError = logSumError + (classes + 5) * (logSum + Math.abs(mean));
    losses.value[r] = scale * ((1 - smoothing) * own + smoothing * even);
    losses.error[r] =
      scale * (ownError * (1 + smoothing) + smoothing * evenError + 4 * (own + smoothing * (even + own)));
    const gradient = dy[reduction === 'none' ? r : 0]! * scale;
    probability.forEach((p, i) => {
      const wanted = (i === target ? 1 - smoothing : 0) + smoothing / classes;
      // Here the probability is exp(x − max − ln Σ).
      const error = p * (probabilityError[i]! + logSumError + expError(shifted[i]! - logSum));
      gradients.value[r * classes + i] = gradient * (p - wanted);
      gradients.error[r * classes + i] = Math.abs(gradient) * (error + 6 * (p + wanted) + FLUSHED);
    });
  });
  const total = {
    value: Float64Array.of(sum(losses.value, (l) => l)),
    error: Float64Array.of(sum(losses.error, (e) => e) + (rows + 2) * sum(losses.value, Math.abs)),
  };
  checkBounded('loss', actual.loss, reduction === 'none' ? losses : total);
  checkBounded('dlogits', actual.dlogits, gradients);
}
