/** Mini-batch CKA against its formula in float64, what it does and does not see, and a run's drift by it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { featuresOf } from '../src/analysis/run/analysed-run.ts';
import { AnalysedRun, analyse, innerProducts, minibatchCKA, type Stage } from '../src/entries/analysis.ts';
import type { Tensor } from '../src/index.ts';
import { saveWeights } from '../src/nn/weights.ts';
import { engine, errorOf, uniform } from './support/engine.ts';
import { refusal } from './support/refusal.ts';
import { dot, mean, rowsOf, sum } from './support/rows.ts';
import { makeBenchmark } from './support/run-benchmark.ts';
import { small } from './support/small-run.ts';

/** HSIC₁ as Song et al. have it, from Gram matrices of features as they are. */
function hsic(x: readonly number[][], y: readonly number[][]): number {
  const n = x.length;
  const gram = (rows: readonly number[][]) => rows.map((a, i) => rows.map((b, j) => (i === j ? 0 : dot(a, b))));
  const [k, l] = [gram(x), gram(y)];
  const pairs = k.flatMap((row, i) => row.map((value, j) => value * l[j]![i]!));
  const [inK, inL] = [k.map(sum), l.map(sum)];
  return (sum(pairs) + (sum(inK) * sum(inL)) / ((n - 1) * (n - 2)) - (2 / (n - 2)) * dot(inK, inL)) / (n * (n - 3));
}

function reference(x: readonly number[][][], y: readonly number[][][]): number {
  const over = (a: readonly number[][][], b: readonly number[][][]) => mean(a.map((batch, i) => hsic(batch, b[i]!)));
  return over(x, y) / Math.sqrt(over(x, x) * over(y, y));
}

/** Batches of features, as rows and as inner products on the device. */
function batches(count: number, n: number, size: number, seed: number, shift = 0) {
  const values = Array.from({ length: count }, (_, i) => uniform(n * size, seed + i, shift - 1, shift + 1));
  return {
    rows: values.map((one) => rowsOf(one, size)),
    on: values.map((one) => innerProducts(engine.tensor(one, [n, size]))),
  };
}

for (const [count, n, p, q, shift] of [
  [1, 4, 3, 2, 0],
  [3, 8, 20, 5, 0],
  [2, 16, 6, 6, 30],
] as const) {
  test(`${count} batches of ${n} images by ${p} and ${q} features around ${shift} are as the formula has them`, async () => {
    const [x, y] = [batches(count, n, p, 1, shift), batches(count, n, q, 50, shift)];
    const found = await minibatchCKA(x.on, y.on);
    const expected = reference(x.rows, y.rows);
    assert.ok(Math.abs(found - expected) < 1e-4, `${found}, ${expected}`);
    assert.ok(Math.abs((await minibatchCKA(x.on, x.on)) - 1) < 1e-6);
  });
}

test('it does not see rotations, factors and shifts, and sees everything else', async () => {
  const turn = engine.tensor([
    [0.6, -0.8],
    [0.8, 0.6],
  ]);
  const features = [1, 2].map((seed) => engine.tensor(uniform(24, seed), [12, 2]));
  const of = (change: (x: Tensor) => Tensor) => features.map((x) => innerProducts(change(x)));
  const own = of((x) => x);
  assert.ok(
    Math.abs(
      (await minibatchCKA(
        own,
        of((x) => x.matmul(turn).mul(7).sub(3)),
      )) - 1,
    ) < 1e-5,
  );
  const stretched = await minibatchCKA(
    own,
    of((x) => x.mul(engine.tensor([[1, 9]]))),
  );
  assert.ok(stretched < 0.95, `${stretched}`);
  assert.is(
    await minibatchCKA(
      own,
      of((x) => x.mul(0).add(0.1)),
    ),
    0,
    'what does not vary has nothing in common',
  );
});

test('features that have nothing in common are about 0, where the biased estimate is far above', async () => {
  // As many features as images: the biased estimate of independent ones is about a half and more.
  const [x, y] = [batches(20, 16, 16, 100), batches(20, 16, 16, 900)];
  const found = await minibatchCKA(x.on, y.on);
  assert.ok(Math.abs(found) < 0.08, `${found}`);
});

test('maps are flattened, nothing has a gradient, and what does not fit is refused', async () => {
  const maps = engine.tensor(uniform(5 * 12, 3), [5, 2, 2, 3]);
  maps.requiresGrad = true;
  const products = innerProducts(maps);
  assert.equal([products.shape, products.requiresGrad], [[1, 5, 5], false]);
  assert.match(errorOf(() => innerProducts(engine.ones([3, 2]))).message, /features of 3 images.*at least 4/);
  assert.match((await refusal(minibatchCKA([products], []))).message, /1 and 0 batches/);
  const other = innerProducts(engine.ones([6, 2]));
  assert.match((await refusal(minibatchCKA([products], [other]))).message, /\[1, 6, 6\], the first one \[1, 5, 5\]/);
});

test('the drift of a run is that of all its images at once: no batch is of few classes', async () => {
  // Of 256 images, two batches: in the order in which they are kept each would be of one task's two classes.
  const benchmark = makeBenchmark({ ...small, trainPerClass: 64, epochs: 2, method: 'replay' });
  const stages: Stage[] = [];
  for await (const { type } of benchmark.run())
    if (type === 'task') {
      const weights = await saveWeights(benchmark.learner.model!);
      stages.push({ tasks: benchmark.tasksDone, where: 'a stage', read: async () => weights });
    }
  const run = new AnalysedRun(benchmark, { stages });
  const { record } = await analyse(run, { name: 'run', state: '1', only: ['drift'] });
  const whole = await run.with(run.train, async (images) => {
    assert.is(images.labels.length, 256);
    const products = (tasks: number) => run.after(tasks, async (model) => [innerProducts(featuresOf(model, images))]);
    return minibatchCKA(await products(1), await products(2));
  });
  const found = record.parts.drift!.result.similarity.at(-1)![0]![1]!;
  assert.ok(Math.abs(found - whole) < 0.01, `${found} in batches, ${whole} of all images`);
  run.dispose();
  benchmark.dispose();
});

test.run();
