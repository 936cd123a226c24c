/** What is measured of a model: similarity of representations, curvature of the loss. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { largestEigenvalues } from '../src/analysis/tridiagonal.ts';
import { Hessian, linearCKA } from '../src/entries/analysis.ts';
import { gradcheck } from '../src/entries/testing.ts';
import { createResNet, crossEntropy, type Tensor } from '../src/index.ts';
import { engine, near, relativeL2, uniform } from './support/engine.ts';
import * as rows from './support/rows.ts';

const { rowsOf, sum, dot } = rows;

/** By images: the sums over pairs of them. */
function cka(x: ArrayLike<number>, y: ArrayLike<number>, p: number, q: number): number {
  const centred = (values: ArrayLike<number>, columns: number) => {
    const of = rowsOf(values, columns);
    return of.map((row) => row.map((value, c) => value - rows.mean(of.map((other) => other[c]!))));
  };
  const [a, b] = [centred(x, p), centred(y, q)];
  const inner = (s: number[][], t: number[][]) =>
    sum(s.flatMap((u, i) => s.map((w, j) => dot(u, w) * dot(t[i]!, t[j]!))));
  return inner(a, b) / Math.sqrt(inner(a, a) * inner(b, b));
}

for (const [n, p, q] of [
  [8, 3, 2],
  [4, 6, 5],
  [5, 5, 1],
] as const) {
  test(`linear CKA of ${n} images by ${p} and ${q} features, with its slopes`, async () => {
    await gradcheck(
      (x, y) => linearCKA(x!, y!),
      (x, y) => [cka(x!, y!, p, q)],
      [engine.tensor(uniform(n * p, 1, 0, 2), [n, p]), engine.tensor(uniform(n * q, 2), [n, q])],
    );
  });
}

test('linear CKA does not see rotations, factors and shifts, and is 0 for what does not vary', async () => {
  const x = engine.tensor(uniform(20, 3), [10, 2]);
  const turned = x
    .matmul(
      engine.tensor([
        [0.6, -0.8],
        [0.8, 0.6],
      ]),
    )
    .mul(5)
    .add(3);
  await near(linearCKA(x, turned), [1], 1e-6);
  const same = engine.full([10, 3], 0.1);
  same.requiresGrad = true;
  const similarity = linearCKA(same, x);
  similarity.backward();
  assert.is(await similarity.item(), 0);
  assert.ok((await same.grad!.data()).every(Number.isFinite));
  assert.is(await linearCKA(engine.ones([1, 3]), engine.ones([1, 2])).item(), 0);
  assert.throws(
    () => linearCKA(x, engine.ones([9, 2])),
    /linearCKA: takes x f32\[n, p\], y f32\[n, q\]; was given .*\[9, 2\]/,
  );
});

/** Softmax regression, whose Hessian is known: Σ_b x xᵀ ⊗ (diag p − p pᵀ)/n. */
function regression(n: number, size: number, classes: number) {
  const [data, weights] = [uniform(n * size, 1), uniform(size * classes, 2, -2, 2)];
  const x = engine.tensor(data, [n, size]);
  const weight = engine.tensor(weights, [size, classes]);
  weight.requiresGrad = true;
  const targets = engine.tensor(Int32Array.from({ length: n }, (_, i) => i % classes));
  const matrix = Array.from({ length: size * classes }, () => new Array<number>(size * classes).fill(0));
  for (const row of rowsOf(data, size)) {
    const p = rows.softmax(
      Array.from({ length: classes }, (_, c) => sum(row.map((v, i) => v * weights[i * classes + c]!))),
    );
    for (let r = 0; r < matrix.length; r++)
      for (let c = 0; c < matrix.length; c++) {
        const [i, a, j, b] = [Math.floor(r / classes), r % classes, Math.floor(c / classes), c % classes];
        matrix[r]![c]! += (row[i]! * row[j]! * p[a]! * ((a === b ? 1 : 0) - p[b]!)) / n;
      }
  }
  return { weight, matrix, loss: () => crossEntropy(x.matmul(weight), targets) };
}

/** The largest eigenvalue of a symmetric matrix, by powers of it, and the matrix without it. */
function byPowers(matrix: readonly number[][]): [value: number, rest: number[][]] {
  let vector = matrix.map((_, i) => Math.sin(i + 1));
  let value = 0;
  for (let i = 0; i < 5000; i++) {
    const next = matrix.map((row) => dot(row, vector));
    value = Math.hypot(...next);
    vector = next.map((x) => x / value);
  }
  return [value, matrix.map((row, i) => row.map((x, j) => x - value * vector[i]! * vector[j]!))];
}

for (const [by, tolerance] of [
  ['auto', 2e-6],
  ['differences', 1e-4],
] as const) {
  test(`the Hessian of softmax regression ${by === 'auto' ? 'is exact' : 'by differences is close'}`, async () => {
    const { weight, matrix, loss } = regression(12, 4, 3);
    const hessian = new Hessian([weight], loss, { by });
    const before = await weight.data();
    const vector = uniform(12, 7);
    const { product, error } = await hessian.product([engine.tensor(vector, [4, 3])]);
    const expected = matrix.map((row) => dot(row, [...vector]));
    await near(product[0], expected, tolerance);
    if (by === 'auto') assert.is(error, 0);
    else assert.ok(error > 0 && relativeL2(await product[0]!.data(), expected) < 10 * error);
    const [largest, rest] = byPowers(matrix);
    assert.ok(Math.abs((await hessian.topEigenvalue()) / largest - 1) < tolerance);
    const [first, second] = await hessian.topEigenvalues({ count: 2 });
    for (const [found, expected] of [
      [first!, largest],
      [second!, byPowers(rest)[0]],
    ] as const)
      assert.ok(Math.abs(found / expected - 1) < tolerance, `${found} and ${expected}`);
    const diagonal = sum(matrix.map((row, i) => row[i]!));
    const { trace, standardError } = await hessian.trace();
    assert.ok(Math.abs(trace / diagonal - 1) < tolerance && standardError === 0);
    assert.equal(await weight.data(), before);
    assert.is(weight.grad, null);
  });
}

for (const by of ['auto', 'differences'] as const) {
  test(`a loss in parts has the Hessian of their sum, ${by === 'auto' ? 'exactly' : 'by differences'}`, async () => {
    const { weight, loss } = regression(12, 4, 3);
    const parts = [() => loss().mul(0.25), () => loss().mul(0.75)];
    const vector = [engine.tensor(uniform(12, 7), [4, 3])];
    const [{ product: whole }, { product: summed }] = [
      await new Hessian([weight], loss, { by }).product(vector),
      await new Hessian([weight], parts, { by }).product(vector),
    ];
    await near(summed[0], await whole[0]!.data(), by === 'auto' ? 1e-6 : 2e-4);
    const taken: number[] = [];
    await new Hessian([weight], parts, { by }).topEigenvalues({
      iterations: 3,
      tolerance: 0,
      onProduct: (n) => taken.push(n),
    });
    assert.equal(taken, [1, 2, 3], 'a product an iteration');
  });
}

test('the trace of many parameters is estimated, with an error that tells how well', async () => {
  const { weight, matrix, loss } = regression(12, 4, 3);
  const estimate = await new Hessian([weight], loss).trace({ samples: 11, seed: 3 });
  const diagonal = sum(matrix.map((row, i) => row[i]!));
  assert.ok(estimate.standardError > 0);
  assert.ok(Math.abs(estimate.trace - diagonal) < 4 * estimate.standardError);
  assert.is.not(estimate.trace, diagonal);
});

test('a gradient that was there stays, and several parameters are one vector', async () => {
  const [a, b] = [engine.tensor([1, 2]), engine.tensor([3])];
  for (const leaf of [a, b]) leaf.requiresGrad = true;
  const loss = () => a.square().sum().mul(b.sum());
  loss().backward();
  const held = a.grad;
  const { product } = await new Hessian([a, b], loss).product([engine.tensor([1, 0]), engine.tensor([2])]);
  // H = [[2b, 0, 2a₁], [0, 2b, 2a₂], [2a₁, 2a₂, 0]].
  await near(product[0], [6 + 4, 8], 1e-6);
  await near(product[1], [2], 1e-6);
  assert.is(a.grad, held);
  const linear = new Hessian([b], () => b.mul(2).sum());
  assert.is(await (await linear.product([engine.tensor([1])])).product[0]!.item(), 0);
  assert.is(await linear.topEigenvalue(), 0);
});

test('an eigenvalue that is there more than once is found as often', async () => {
  const values = [5, 5, 1, 0.5];
  const w = engine.tensor([1, 2, 3, 4]);
  w.requiresGrad = true;
  const hessian = new Hessian([w], () =>
    w
      .square()
      .mul(engine.tensor(values.map((value) => value / 2)))
      .sum(),
  );
  const found = await hessian.topEigenvalues({ count: 4 });
  assert.is(found.length, 4);
  for (const [at, value] of values.entries()) assert.ok(Math.abs(found[at]! - value) < 1e-5, `${found}`);
  const same = new Hessian([w], () => w.square().sum());
  assert.ok((await same.topEigenvalues({ count: 3 })).every((value) => Math.abs(value - 2) < 1e-6));
});

for (const [by, least, most, asymmetry] of [
  ['auto', 0, 0, 1e-5],
  ['differences', 1e-9, 0.1, 0.05],
] as const) {
  test(`products of a network ${by === 'auto' ? 'are exact' : 'by differences are close'}: they are symmetric, and the model is left as it was`, async () => {
    const model = createResNet(engine, 'resnet8', { classes: 3, width: 4, inChannels: 1, seed: 2 }).eval();
    const x = engine.tensor(uniform(2 * 64, 1), [2, 8, 8, 1]);
    const targets = engine.tensor(Int32Array.of(0, 2));
    const before = await model.conv1.weight.data();
    const parameters = model.parameters();
    const hessian = new Hessian(parameters, () => crossEntropy(model.forward(x), targets), { by, step: 0.01 });
    const directions = [20, 60].map((seed) =>
      parameters.map(({ size, shape }, i) => engine.tensor(uniform(size, seed + i), shape)),
    );
    const [u, v] = directions as [Tensor[], Tensor[]];
    const inner = async (s: readonly Tensor[], t: readonly Tensor[]) =>
      sum(await Promise.all(s.map((part, i) => part.mul(t[i]!).sum().item())));
    const [{ product: hu, error }, { product: hv }] = [await hessian.product(u), await hessian.product(v)];
    const [uhv, vhu] = [await inner(u, hv), await inner(v, hu)];
    const scale = Math.sqrt((await inner(hu, hu)) * (await inner(v, v)));
    assert.ok(error >= least && error <= most, `error ${error}`);
    assert.ok(Math.abs(uhv - vhu) < asymmetry * scale, `${uhv} and ${vhu} at ${scale}`);
    assert.equal(await model.conv1.weight.data(), before);
    model.dispose();
  });
}

test('a Hessian refuses what it cannot answer for', async () => {
  const x = engine.tensor([1, 2]);
  assert.throws(() => new Hessian([x], () => x.sum()), /parameters are Tensor\(f32\[2\]\); f32 leaves/);
  x.requiresGrad = true;
  assert.throws(() => new Hessian([x], () => x.sum(), { levels: 1 }), /levels 1/);
  assert.throws(() => new Hessian([x], []), /no parts/);
  const rejected = async (promise: Promise<unknown>, pattern: RegExp) =>
    assert.match(await promise.then(() => 'nothing', String), pattern);
  const hessian = new Hessian([x], () => x.square().sum());
  await rejected(hessian.product([engine.tensor([1])]), /shapes \[1\]; the parameters \[2\]/);
  await rejected(hessian.trace({ samples: 1 }), /samples is 1/);
  await rejected(hessian.topEigenvalues({ count: 0 }), /count is 0/);
  const broken = new Hessian([x], () => x.sub(1).log().sum());
  await rejected(broken.product([engine.tensor([1, 1])]), /not finite/);
});

test('the largest eigenvalues of a tridiagonal matrix', () => {
  assert.equal(largestEigenvalues([3], [], 1), [3]);
  assert.equal(largestEigenvalues([-3], [], 2), [-3], 'no more than there are');
  const [three, one] = largestEigenvalues([2, 2], [1], 2);
  assert.ok(Math.abs(three! - 3) < 1e-15 && Math.abs(one! - 1) < 1e-15);
  // −1, 2, −1: 2 − 2 cos(kπ/(n + 1)).
  const n = 30;
  for (const [place, value] of largestEigenvalues(new Array(n).fill(2), new Array(n - 1).fill(-1), 4).entries())
    assert.ok(Math.abs(value - (2 - 2 * Math.cos(((n - place) * Math.PI) / (n + 1)))) < 1e-13);
});

test.run();
