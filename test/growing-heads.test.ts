/** Classifiers that grow a task at a time: LUCIR's, PODNet's, BiC's correction, and the nearest mean. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BiasCorrection, CosineLinear, correctBias, nearestMean, ProxyClassifier } from '../src/entries/methods.ts';
import { gradcheck } from '../src/entries/testing.ts';
import { crossEntropy, loadStateDict, Prototypes, Random, SGD, stateDict, type Tensor } from '../src/index.ts';
import { widerLinear } from '../src/nn/head.ts';
import { Linear } from '../src/nn/layers.ts';
import { concat } from '../src/ops/strided.ts';
import { engine, near, uniform } from './support/engine.ts';
import { cosine, dot, rowsOf, softmax } from './support/rows.ts';

const [n, size] = [4, 3];
const features = engine.tensor(uniform(n * size, 1), [n, size]);
const column = (values: ArrayLike<number>, columns: number, c: number) => rowsOf(values, columns).map((row) => row[c]!);
const labels = (...values: number[]) => engine.tensor(Int32Array.from(values));

test('a cosine classifier gives its scale times cosines, with their slopes', async () => {
  const head = new CosineLinear(engine, size, 5, { scale: 4, random: new Random(2) });
  const run = (f: Tensor, w: Tensor, scale: Tensor) => {
    Object.assign(head, { weights: [w], scale });
    return head.forward(f);
  };
  await gradcheck(
    run,
    (f, w, scale) =>
      rowsOf(f!, size).flatMap((row) => [0, 1, 2, 3, 4].map((c) => scale![0]! * cosine(row, column(w!, 5, c)))),
    [features, engine.tensor(uniform(size * 5, 3), [size, 5]), engine.tensor([4])],
  );
});

test('a proxy classifier weighs a class’s proxies by their softmax, with their slopes', async () => {
  const [classes, proxies] = [2, 3];
  const head = new ProxyClassifier(engine, size, classes, { proxies });
  await gradcheck(
    (f, w) => {
      Object.assign(head, { weights: [w] });
      return head.cosines(f!);
    },
    (f, w) =>
      rowsOf(f!, size).flatMap((row) =>
        [0, 1].map((c) => {
          const cosines = [0, 1, 2].map((k) => cosine(row, column(w!, 6, c * proxies + k)));
          return dot(softmax(cosines), cosines);
        }),
      ),
    [features, engine.tensor(uniform(size * 6, 4), [size, 6])],
  );
  assert.is(new ProxyClassifier(engine, size, 1).proxies, 10);
});

test('a linear classifier is widened by inputs, outputs or both, and keeps what it had between its own', async () => {
  const layer = new Linear(engine, size, 2, { random: new Random(1) });
  const before = await layer.forward(features).data();
  const more = engine.tensor(uniform(n * 2, 2), [n, 2]);
  for (const [inputs, outputs] of [
    [size, 2],
    [size + 2, 2],
    [size, 5],
    [size + 2, 5],
  ] as const) {
    const wider = widerLinear(layer, inputs, outputs, new Random(3));
    const fresh = new Linear(engine, inputs, outputs, { random: new Random(3) });
    assert.equal(wider.weight.shape, [inputs, outputs]);
    assert.equal(
      wider.namedParameters().map(({ name }) => name),
      ['weight', 'bias'],
    );
    // With nothing in the new features, the old classes' logits are as they were.
    const joint = inputs > size ? concat([features, more.mul(0)], 1) : features;
    await near(wider.forward(joint).slice([null, [0, 2]]), before, 1e-6);
    if (outputs > 2) assert.equal(await wider.bias?.slice([[2, 5]]).data(), await fresh.bias?.slice([[2, 5]]).data());
    if (inputs > size)
      assert.equal(
        await wider.weight.slice([[size, inputs]]).data(),
        await fresh.weight.slice([[size, inputs]]).data(),
      );
    wider.dispose();
  }
  assert.equal(await layer.forward(features).data(), before, 'the old one stays');
  for (const [inputs, outputs] of [
    [size - 1, 2],
    [size, 1],
  ] as const)
    assert.throws(() => widerLinear(layer, inputs, outputs, new Random(1)), /cannot widen \[3, 2\] to/);
});

test('growing keeps the old classes’ logits and names a tensor a task', async () => {
  for (const head of [new CosineLinear(engine, size, 1), new ProxyClassifier(engine, size, 1, { proxies: 2 })]) {
    const before = await head.forward(features).data();
    head.grow(3, new Random(1));
    head.grow(4, new Random(2));
    assert.is(head.classes, 4);
    const after = head.forward(features);
    assert.equal(after.shape, [n, 4]);
    await near(after.slice([null, [0, 1]]), before, 1e-6);
    assert.equal([...(await stateDict(head)).keys()], ['weights.0', 'weights.1', 'weights.2', 'scale']);
    for (const less of [4, 2, 4.5]) assert.throws(() => head.grow(less), /cannot grow from 4 to/);
    const again = new (head.constructor as typeof CosineLinear)(engine, size, 1, { proxies: 2 } as object);
    again.grow(3);
    again.grow(4);
    loadStateDict(again, await stateDict(head));
    assert.equal(await again.forward(features).data(), await after.data());
    head.dispose();
  }
});

test('old weights are held still on request, while the new ones and the scale learn', async () => {
  const head = new CosineLinear(engine, size, 2);
  head.grow(4);
  head.freezeOld();
  const names = () => head.namedParameters().map(({ name }) => name);
  assert.equal(names(), ['weights.1', 'scale']);
  const [old, fresh] = await Promise.all(head.weights.map((weight) => weight.data()));
  const sgd = new SGD(head, { lr: 0.5 });
  crossEntropy(head.forward(features), labels(0, 1, 2, 3)).backward();
  sgd.step();
  assert.equal(await head.weights[0]!.data(), old);
  assert.not.equal(await head.weights[1]!.data(), fresh);
  head.freezeOld(false);
  assert.equal(names(), ['weights.0', 'weights.1', 'scale']);
});

test('imprinted weights point where they are told, as long as the old ones', async () => {
  const head = new CosineLinear(engine, 2, 2);
  head.imprint(
    engine.tensor([
      [0, 3],
      [5, 0],
    ]),
  );
  assert.equal([...(await head.weights[0]!.data())], [0, 1, 1, 0]);
  loadStateDict(head, new Map([['weights.0', { shape: [2, 2], data: Float32Array.of(3, 0, 0, 5) }]]), {
    strict: false,
  });
  head.grow(3);
  head.imprint(engine.tensor([[-2, 0]]));
  await near(head.weights[1], [-4, 0], 1e-6);
  assert.throws(() => head.imprint(engine.zeros([2, 2])), /vectors f32\[1, 2\]; was given f32\[2, 2\]/);
});

test('features or weights of zeros have the cosine 0 and finite gradients', async () => {
  for (const Head of [CosineLinear, ProxyClassifier]) {
    const head = new Head(engine, 2, 2, { proxies: 2 } as object);
    const zeros = engine.zeros([3, 2]);
    zeros.requiresGrad = true;
    const logits = head.forward(zeros);
    assert.ok((await logits.data()).every((value) => value === 0));
    crossEntropy(logits, labels(0, 1, 0)).backward();
    for (const { grad } of [zeros, ...head.parameters()]) assert.ok((await grad!.data()).every(Number.isFinite));
  }
});

test('a classifier refuses other features and sizes', () => {
  const head = new CosineLinear(engine, size, 2);
  assert.throws(
    () => head.forward(engine.zeros([1, 4])),
    /CosineLinear: takes features f32\[n, 3\]; was given f32\[1, 4\]/,
  );
  assert.throws(() => new CosineLinear(engine, 0, 2), /CosineLinear: has 0 features/);
  assert.throws(() => new CosineLinear(engine, 2, 0), /cannot grow from 0 to 0 classes/);
  assert.throws(() => new ProxyClassifier(engine, 2, 2, { proxies: 0 }), /ProxyClassifier: .* 0 vectors a class/);
});

test('bias correction scales and shifts every task but the first, with its slopes', async () => {
  const sizes = [1, 2, 1];
  const task = [0, 1, 1, 2];
  await gradcheck(
    (z, alpha, beta) => correctBias(z!, alpha!, beta!, sizes),
    (z, alpha, beta) =>
      z!.map((value, i) => {
        const t = task[i % 4]!;
        return t === 0 ? value : value * (1 + alpha![t]!) + beta![t]!;
      }),
    [engine.tensor(uniform(12, 5), [3, 4]), engine.tensor([0.3, -0.2, 0.5]), engine.tensor([1, 2, -1])],
  );
  const flat = engine.zeros([2]);
  assert.throws(() => correctBias(engine.zeros([1, 4]), flat, flat, [1, 2]), /tasks of \[1, 2\] classes need \[n, 3\]/);
  assert.throws(() => correctBias(engine.zeros([1, 4]), flat, flat, sizes), /alpha f32\[3\].*f32\[2\]/);
});

test('a correction starts as none, and trains the newest task’s alone', async () => {
  const correction = new BiasCorrection(engine, [2]);
  const one = engine.tensor([[1, -1]]);
  assert.equal(await correction.forward(one).data(), await one.data());
  assert.equal(correction.namedParameters(), []);
  correction.grow(3);
  correction.grow(5);
  assert.equal(correction.taskSizes, [2, 1, 2]);
  assert.equal(
    correction.namedParameters().map(({ name }) => name),
    ['alpha.1', 'beta.1'],
  );
  assert.equal([...(await stateDict(correction)).keys()], ['alpha.0', 'alpha.1', 'beta.0', 'beta.1']);
  const logits = engine.tensor(uniform(10, 6), [2, 5]);
  assert.equal(await correction.forward(logits).data(), await logits.data());
  const sgd = new SGD(correction, { lr: 1 });
  crossEntropy(correction.forward(logits), labels(0, 1)).backward();
  sgd.step();
  assert.ok((await correction.beta[1]!.item()) < 0);
  assert.is(await correction.beta[0]!.item(), 0);
  assert.throws(() => correction.grow(5), /cannot grow from 5 to 5 classes/);
});

test('the nearest mean is of directions, whatever the lengths', async () => {
  const means = new Prototypes(engine, 3, 2);
  means.update(
    engine.tensor([
      [100, 0],
      [0, 0.1],
      [1, 1],
    ]),
    labels(0, 1, 1),
  );
  const queries = engine.tensor([
    [1, 0.01],
    [0.2, 9],
    [-1, -1],
    [3, 4],
  ]);
  // The third class has no exemplar: its mean is zeros, nearer than what points away.
  assert.equal([...(await nearestMean(queries, means.means()).data())], [0, 1, 2, 1]);
  assert.equal([...(await nearestMean(engine.tensor([[0, 0]]), engine.tensor([[1, 1]])).data())], [0]);
  assert.throws(() => nearestMean(queries, engine.zeros([2, 3])), /means f32\[classes, size\].*f32\[2, 3\]/);
});

test.run();
