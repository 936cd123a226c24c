/** A linear classifier on frozen features: the solution of its convex problem, and how a classifier weighs its classes. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CosineNet } from '../src/continual/methods/cosine-net.ts';
import { classifierBlocks, LinearProbe } from '../src/entries/analysis.ts';
import { createBackbone, createResNet } from '../src/index.ts';
import { CosineLinear } from '../src/nn/cosine-linear.ts';
import { engine, uniform } from './support/engine.ts';
import { refusal } from './support/refusal.ts';
import { dot, mean, rowsOf, softmax, sum } from './support/rows.ts';

/** Points around three corners, far apart or not. */
function points(count: number, spread: number, seed: number) {
  const corners = [
    [5, 0, 100],
    [-3, 4, 100],
    [-3, -4, 100],
  ];
  const noise = uniform(3 * count, seed, -spread, spread);
  const labels = Int32Array.from({ length: count }, (_, i) => i % 3);
  const values = Float32Array.from(noise, (x, i) => x + corners[labels[Math.floor(i / 3)]!]![i % 3]!);
  return { labels, values, features: engine.tensor(values, [count, 3]) };
}

test('what is linearly separable is told apart, on images that were not learnt too', async () => {
  const [train, other] = [points(60, 1, 1), points(90, 1, 2)];
  const probe = await LinearProbe.fit(train.features, train.labels, 3);
  assert.equal(await probe.predict(train.features), train.labels);
  assert.equal(await probe.predict(other.features), other.labels);
  probe.dispose();
});

test('labels that have nothing to do with the features are told no better than by chance', async () => {
  const train = points(300, 1, 1);
  const strange = Int32Array.from(uniform(300, 9, 0, 3), Math.floor);
  const probe = await LinearProbe.fit(train.features, strange, 3);
  const said = await probe.predict(train.features);
  const right = said.filter((label, i) => label === strange[i]).length / 300;
  assert.ok(right < 0.45, `${right}`);
  probe.dispose();
});

test('it is where the gradient of its convex problem is zero, in float64', async () => {
  const decay = 0.05;
  const { features, labels, values } = points(45, 6, 3);
  const rows = rowsOf(values, 3);
  const centres = [0, 1, 2].map((c) => mean(rows.map((row) => row[c]!)));
  const sizes = centres.map((centre, c) => Math.sqrt(mean(rows.map((row) => (row[c]! - centre) ** 2))));
  const x = rows.map((row) => [...row.map((value, c) => (value - centres[c]!) / sizes[c]!), 1]);
  // Plain gradient descent in float64, until it stands still.
  const weight = Array.from({ length: 4 }, () => [0, 0, 0]);
  for (let step = 0; step < 20000; step++) {
    const errors = x.map((row, i) => {
      const p = softmax([0, 1, 2].map((c) => sum(row.map((value, k) => value * weight[k]![c]!))));
      return p.map((share, c) => share - (labels[i] === c ? 1 : 0));
    });
    for (let k = 0; k < 4; k++)
      for (let c = 0; c < 3; c++) {
        const slope = mean(x.map((row, i) => row[k]! * errors[i]![c]!)) + (k < 3 ? decay * weight[k]![c]! : 0);
        weight[k]![c]! -= 0.5 * slope;
      }
  }
  const probe = await LinearProbe.fit(features, labels, 3, { decay });
  const logits = probe.logits(features);
  const found = rowsOf(await logits.data(), 3);
  const column = (c: number) => weight.map((row) => row[c]!);
  for (const [i, row] of x.entries())
    for (const c of [0, 1, 2])
      assert.ok(Math.abs(found[i]![c]! - dot(row, column(c))) < 2e-3, `${found[i]![c]} and ${dot(row, column(c))}`);
  for (const one of [logits, probe]) one.dispose();
});

test('nothing is left on the device, and labels that are no classes are refused', async () => {
  const { features, labels } = points(12, 1, 1);
  const live = engine.memory().liveBuffers;
  (await LinearProbe.fit(features, labels, 3, { steps: 3 })).dispose();
  assert.is(engine.memory().liveBuffers, live);
  assert.match((await refusal(LinearProbe.fit(features, labels, 2))).message, /a label is 2; there are 2 classes/);
  assert.match((await refusal(LinearProbe.fit(features, [0, 1], 2))).message, /2 labels for features of 12 images/);
});

test('weights and biases of a classifier are told task by task, and of one by cosines they are not', async () => {
  const model = createResNet(engine, 'resnet8', { classes: 3, width: 2, inChannels: 1, seed: 1 });
  const weight = rowsOf(await model.fc.weight.data(), 3);
  const biases = await model.fc.bias!.data();
  const norm = (label: number) => Math.hypot(...weight.map((row) => row[label]!));
  const [first, second] = (await classifierBlocks(model, [1, 2]))!;
  for (const [found, expected] of [
    [first!.norm, norm(0)],
    [second!.norm, (norm(1) + norm(2)) / 2],
    [first!.bias!, biases[0]!],
    [second!.bias!, (biases[1]! + biases[2]!) / 2],
  ] as const)
    assert.ok(Math.abs(found - expected) < 1e-6, `${found}, ${expected}`);
  assert.match((await refusal(classifierBlocks(model, [1, 1]))).message, /brought 2 classes.*tells 3 apart/);
  model.dispose();
  const backbone = createBackbone(engine, 'resnet8', { width: 2, inChannels: 1 });
  const cosines = new CosineNet(backbone, new CosineLinear(engine, backbone.featureSize, 3));
  assert.is(await classifierBlocks(cosines, [1, 2]), null);
  cosines.dispose();
});

test.run();
