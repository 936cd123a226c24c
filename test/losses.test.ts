import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gradcheck } from '../src/entries/testing.ts';
import {
  binaryCrossEntropyWithLogits,
  cosineEmbeddingLoss,
  cosineSimilarity,
  crossEntropy,
  huberLoss,
  klDiv,
  type LossOptions,
  l1Loss,
  logSoftmax,
  mseLoss,
  nllLoss,
  smoothL1Loss,
  supportsF16,
  type Tensor,
} from '../src/index.ts';
import { engine, errorOf, leaf, near, uniform } from './support/engine.ts';
import { HALF_EPSILON, halves, rounded } from './support/half.ts';
import { cosine, logSoftmax as logRow, mean, rowsOf, softmax as softRow, sum } from './support/rows.ts';

const shape = [3, 4];
const x = engine.tensor(uniform(12, 1, -3, 3), shape);
const y = engine.tensor(uniform(12, 2, -3, 3), shape);

type Loss = (input: Tensor, target: Tensor, options?: LossOptions) => Tensor;

const pairs: Record<string, { of: Loss; at: (a: number, b: number) => number }> = {
  mseLoss: { of: mseLoss, at: (a, b) => (a - b) ** 2 },
  l1Loss: { of: l1Loss, at: (a, b) => Math.abs(a - b) },
  'huberLoss, δ = 0.8': {
    of: (a, b, o) => huberLoss(a, b, { ...o, delta: 0.8 }),
    at: (a, b) => (Math.abs(a - b) <= 0.8 ? 0.5 * (a - b) ** 2 : 0.8 * (Math.abs(a - b) - 0.4)),
  },
  huberLoss: {
    of: huberLoss,
    at: (a, b) => (Math.abs(a - b) <= 1 ? 0.5 * (a - b) ** 2 : Math.abs(a - b) - 0.5),
  },
  'smoothL1Loss, β = 2': {
    of: (a, b, o) => smoothL1Loss(a, b, { ...o, beta: 2 }),
    at: (a, b) => (Math.abs(a - b) < 2 ? (0.5 * (a - b) ** 2) / 2 : Math.abs(a - b) - 1),
  },
  'smoothL1Loss, β = 0': { of: (a, b, o) => smoothL1Loss(a, b, { ...o, beta: 0 }), at: (a, b) => Math.abs(a - b) },
  'klDiv of logarithms': {
    of: (a, b, o) => klDiv(a, b, { ...o, logTarget: true }),
    at: (a, b) => Math.exp(b) * (b - a),
  },
};

for (const [name, { of, at }] of Object.entries(pairs)) {
  test(`${name}: all of it, its mean and its sum`, async () => {
    const all = (a: Float64Array, b: Float64Array) => [...a].map((value, i) => at(value, b[i]!));
    await gradcheck(
      (a, b) => of(a, b, { reduction: 'none' }),
      (a, b) => all(a!, b!),
      [x, y],
    );
    await gradcheck(
      (a, b) => of(a, b),
      (a, b) => [mean(all(a!, b!))],
      [x, y],
    );
    await gradcheck(
      (a, b) => of(a, b, { reduction: 'sum' }),
      (a, b) => [sum(all(a!, b!))],
      [x, y],
    );
    if (supportsF16(engine)) {
      const [a, b] = [uniform(12, 3), uniform(12, 4)];
      const loss = of(halves(a, shape), halves(b, shape), { reduction: 'none' });
      await near(loss, all(Float64Array.from(rounded(a)), Float64Array.from(rounded(b))), 2 * HALF_EPSILON);
    }
  });
}

test('losses of equal pairs have no slope', async () => {
  for (const of of [mseLoss, l1Loss, huberLoss, smoothL1Loss, pairs['smoothL1Loss, β = 0']!.of]) {
    const a = leaf([1, -2], [2]);
    of(a, engine.tensor([1, -2])).backward();
    assert.equal([...(await a.grad!.data())].map(Math.abs), [0, 0]);
  }
});

test('binary cross entropy, weighted or not, without overflow', async () => {
  const targets = engine.tensor(uniform(12, 5, 0, 1), shape);
  const rare = engine.tensor([1, 2, 0.5, 3]);
  const weights = engine.tensor([[2], [1], [0.5]]);
  const at = (a: number, t: number, positive = 1) => {
    const sigmoid = 1 / (1 + Math.exp(-a));
    return -positive * t * Math.log(sigmoid) - (1 - t) * Math.log(1 - sigmoid);
  };
  await gradcheck(
    (a, t) => binaryCrossEntropyWithLogits(a, t),
    (a, t) => [mean([...a!].map((value, i) => at(value, t![i]!)))],
    [x, targets],
  );
  await gradcheck(
    (a, t) => binaryCrossEntropyWithLogits(a, t, { posWeight: rare, weight: weights, reduction: 'none' }),
    (a, t) => [...a!].map((value, i) => [2, 1, 0.5][Math.floor(i / 4)]! * at(value, t![i]!, [1, 2, 0.5, 3][i % 4]!)),
    [x, targets],
  );
  const far = engine.tensor([200, -200, 200, -200]);
  const sure = binaryCrossEntropyWithLogits(far, engine.tensor([1, 0, 0, 1]), { reduction: 'none' });
  assert.equal([...(await sure.data())], [0, 0, 200, 200]);
  assert.match(
    errorOf(() => binaryCrossEntropyWithLogits(x, y, { weight: engine.ones([2, 3, 4]) })).message,
    /weights of shapes \[2, 3, 4\] do not broadcast to \[3, 4\]/,
  );
});

test('negative log-likelihood is cross entropy of logarithms, and averages over the rows that count', async () => {
  const targets = [2, -100, 0];
  const index = engine.tensor(Int32Array.from(targets));
  const picked = (t: Float64Array) => targets.map((at, row) => (at < 0 ? 0 : -t[row * 4 + at]!));
  await gradcheck(
    (t) => nllLoss(t, index),
    (t) => [sum(picked(t!)) / 2],
    [x],
  );
  await gradcheck(
    (t) => nllLoss(t, index, { reduction: 'none' }),
    (t) => picked(t!),
    [x],
  );
  const weight = [1, 5, 0.25, 7];
  await gradcheck(
    (t) => nllLoss(t, index, { weight: engine.tensor(weight) }),
    (t) => [(0.25 * picked(t!)[0]! + picked(t!)[2]!) / 1.25],
    [x],
  );
  const all = engine.tensor(Int32Array.of(1, 3, 0));
  await near(nllLoss(logSoftmax(x), all), await crossEntropy(x, all).data(), 1e-6);
  const maps = engine.tensor(uniform(24, 6), [2, 3, 4]);
  const places = engine.tensor(Int32Array.of(0, 1, 2, 3, 0, 1), [2, 3]);
  assert.equal(nllLoss(maps, places, { reduction: 'none' }).shape, [2, 3]);
  // −∞ elsewhere is no concern of a row's.
  const certain = engine.tensor([[0, -Infinity]]);
  assert.is(await nllLoss(certain, engine.tensor(Int32Array.of(0))).item(), 0);
  assert.match(
    errorOf(() => nllLoss(x, engine.tensor(Int32Array.of(1)))).message,
    /nllLoss: takes logProbabilities f32/,
  );
});

test('divergence of distributions, by its definition with batchmean', async () => {
  const q = engine.tensor(rowsOf(await x.data(), 4).flatMap(logRow), shape);
  const p = engine.tensor(rowsOf(await y.data(), 4).flatMap(softRow), shape);
  const all = (a: Float64Array, b: Float64Array) => [...a].map((value, i) => b[i]! * (Math.log(b[i]!) - value));
  for (const [reduction, of] of [
    ['none', (terms: number[]) => terms],
    ['mean', (terms: number[]) => [mean(terms)]],
    ['batchmean', (terms: number[]) => [sum(terms) / 3]],
  ] as const) {
    await gradcheck(
      (a, b) => klDiv(a, b, { reduction }),
      (a, b) => of(all(a!, b!)),
      [q, p],
    );
  }
  const zero = klDiv(engine.tensor([-1e30, Math.log(0.5)]), engine.tensor([0, 1]), { reduction: 'none' });
  await near(zero, [0, Math.LN2], 1e-6);
  const [inf, nan] = [Infinity, Number.NaN];
  const masked = engine.tensor([-inf, -inf, nan, 0]);
  const other = klDiv(masked, engine.tensor([0, 0.5, 0, nan]), { reduction: 'none' });
  assert.equal([...(await other.data())], [nan, inf, nan, nan]);
});

test('cosines along any axis, of zeros too', async () => {
  const rows = (t: Float64Array | undefined) => rowsOf(t!, 4);
  await gradcheck(
    (a, b) => cosineSimilarity(a, b),
    (a, b) => rows(a).map((row, i) => cosine(row, rows(b)[i]!)),
    [x, y],
  );
  const columns = (t: Float64Array | undefined) => [0, 1, 2, 3].map((c) => rows(t).map((row) => row[c]!));
  await gradcheck(
    (a, b) => cosineSimilarity(a, b, { axis: 0 }),
    (a, b) => columns(a).map((column, i) => cosine(column, columns(b)[i]!)),
    [x, y],
  );
  const zeros = leaf([0, 0, 3, 4], [2, 2]);
  const cosines = cosineSimilarity(zeros, engine.tensor([1, 2]));
  cosines.sum().backward();
  await near(cosines, [0, 11 / (5 * Math.sqrt(5))], 1e-6);
  assert.ok((await zeros.grad!.data()).every(Number.isFinite));
});

test('cosines of shapes that broadcast are those of the vectors spread out', async () => {
  /** Both spread out to [2, 2, 2], along the axis in the middle. */
  const at = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    [0, 1, 2, 3].map((i) => {
      const [outer, inner] = [i >> 1, i & 1];
      const along = (of: ArrayLike<number>, base: number) => [0, 1].map((j) => of[base + 2 * j + inner]!);
      return cosine(along(a, 4 * outer), along(b, 0));
    });
  await gradcheck(
    (a, b) => cosineSimilarity(a, b, { axis: 1 }),
    (a, b) => at(a!, b!),
    [engine.tensor(uniform(8, 3), [2, 2, 2]), engine.tensor(uniform(4, 4), [2, 2])],
  );
  await near(cosineSimilarity(engine.ones([1, 4]), engine.ones([1, 1])), [1], 1e-6);
  const even = engine.tensor([1, -2, 3], [3, 1]); // its gradient is zero: lengths of vectors change no angle
  await gradcheck(
    (a) => cosineSimilarity(a, even),
    (a) => rowsOf(a!, 4).map((row, i) => cosine(row, Array(4).fill(i === 1 ? -1 : 1))),
    [x],
  );
});

test('pairs that are alike come closer, others part up to a margin', async () => {
  const signs = [1, -1, -1];
  const at = (a: Float64Array, b: Float64Array) =>
    rowsOf(a, 4).map((row, i) => {
      const similar = cosine(row, rowsOf(b, 4)[i]!);
      return signs[i]! > 0 ? 1 - similar : Math.max(0, similar + 0.9);
    });
  for (const target of [engine.tensor(signs), engine.tensor(Int32Array.from(signs))]) {
    await gradcheck(
      (a, b) => cosineEmbeddingLoss(a, b, target, { margin: -0.9 }),
      (a, b) => [mean(at(a!, b!))],
      [x, y],
    );
  }
  assert.match(
    errorOf(() => cosineEmbeddingLoss(x, y, engine.ones([2]))).message,
    /cosineEmbeddingLoss: takes a f32\[n0, features\]/,
  );
});

test('shapes that only broadcast, and settings out of range, are refused', () => {
  const row = engine.zeros([4]);
  for (const of of [mseLoss, l1Loss, huberLoss, smoothL1Loss, klDiv]) {
    assert.match(
      errorOf(() => of(x, row)).message,
      /the input has shape \[3, 4\], the target \[4\]; they must be the same/,
    );
  }
  assert.match(errorOf(() => huberLoss(x, y, { delta: 0 })).message, /delta must be above 0, not 0/);
  assert.match(errorOf(() => smoothL1Loss(x, y, { beta: -1 })).message, /beta must be at least 0, not -1/);
  assert.match(errorOf(() => mseLoss(x, y, { reduction: 'max' as 'mean' })).message, /reduction is max/);
});

test.run();
