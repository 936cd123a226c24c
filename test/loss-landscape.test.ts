/** The loss on a plane through a model: where its points are, and that nothing is read on the way to a picture of them. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type LandscapeProgress, LossLandscape } from '../src/entries/analysis.ts';
import { capture, createResNet, crossEntropy, Linear, noGrad, stateDict } from '../src/index.ts';
import { engine, errorOf, near, uniform } from './support/engine.ts';

const evaluated = (landscape: LossLandscape): LandscapeProgress[] => [...landscape.evaluate()];
const norm = (values: ArrayLike<number>) => Math.hypot(...Array.from(values));

test('each point is the loss of the weights along two directions, each filter of which is as long as the model’s own', async () => {
  const layer = new Linear(engine, 3, 2);
  const before = await layer.weight.data();
  // Sum of w · r, r fixed: linear in both directions, so that the plane gives the directions' own products.
  const r = engine.tensor(uniform(6, 3), [3, 2]);
  const landscape = new LossLandscape(layer, () => layer.weight.mul(r).sum(), { points: 5, extent: 0.5, seed: 4 });
  const found: LandscapeProgress[] = evaluated(landscape);
  assert.equal(
    found.map(({ done }) => done),
    Array.from({ length: 25 }, (_, i) => i + 1),
  );
  assert.equal(
    [null, 4, 2, 1].map((stride) => found.findIndex((one) => one.stride === stride) + 1),
    [1, 4, 9, 25],
  );
  const losses = [...(await landscape.losses.data())];
  const at = (row: number, column: number) => losses[5 * row + column] as number;
  const [middle, right, down] = [at(2, 2), at(2, 4) - at(2, 2), at(4, 2) - at(2, 2)];
  const expected = Array.from({ length: 25 }, (_, place) => {
    const [row, column] = [Math.floor(place / 5), place % 5];
    return middle + right * ((column - 2) / 2) + down * ((row - 2) / 2);
  });
  await near(landscape.losses, expected, 1e-5);
  const products = [...before].map((w, i) => w * (uniform(6, 3)[i] as number));
  assert.ok(Math.abs(middle - products.reduce((sum, x) => sum + x, 0)) < 1e-5, 'the model is in the middle');
  assert.equal(await layer.weight.data(), before, 'and where it was');
  landscape.dispose();

  // The direction itself, from losses that are single weights: those of filter k are as long as the model's.
  for (const filter of [0, 1]) {
    const along: number[] = [];
    for (const row of [0, 1, 2]) {
      const single = engine.tensor(
        Float32Array.from({ length: 6 }, (_, i) => (i === 2 * row + filter ? 1 : 0)),
        [3, 2],
      );
      const one = new LossLandscape(layer, () => layer.weight.mul(single).sum(), { points: 3, seed: 4 });
      evaluated(one);
      const values = await one.losses.data();
      along.push((values[5] as number) - (values[4] as number));
      one.dispose();
    }
    const own = [0, 1, 2].map((row) => before[2 * row + filter] as number);
    assert.ok(Math.abs(norm(along) - norm(own)) < 1e-5 * norm(own), `${norm(along)} and ${norm(own)}`);
  }
  layer.dispose();
});

test('of a network filters are moved alone, by a captured loss, and all of it is where it was', async () => {
  const model = createResNet(engine, 'resnet8', { classes: 3, width: 4, inChannels: 1, seed: 1 }).eval();
  const images = engine.tensor(uniform(4 * 64, 1), [4, 8, 8, 1]);
  const labels = engine.tensor(Int32Array.of(0, 1, 2, 0));
  const of = () => crossEntropy(model.forward(images), labels);
  const own = noGrad(engine, () => engine.scope(of));
  const expected = await own.item();
  own.dispose();
  const before = await stateDict(model);
  const live = engine.memory().liveBuffers;
  const step = capture(engine, () => noGrad(engine, of));
  const landscape = new LossLandscape(model, step, { points: 5, seed: 2 });
  evaluated(landscape);
  const losses = await landscape.losses.data();
  assert.ok(Math.abs((losses[12] as number) - expected) < 1e-5 * expected, `${losses[12]} in the middle, ${expected}`);
  assert.ok(losses.every(Number.isFinite));
  assert.ok(new Set(losses).size > 20, 'the others are others');
  assert.equal(await stateDict(model), before);
  const again = new LossLandscape(model, of, { points: 5, seed: 2 });
  evaluated(again);
  await near(again.losses, losses, 1e-6);
  for (const one of [landscape, again]) one.dispose();
  step.dispose();
  assert.is(engine.memory().liveBuffers, live);
  for (const one of [images, labels]) one.dispose();
  model.dispose();
});

test('what is no plane is refused', () => {
  const layer = new Linear(engine, 2, 2);
  const loss = () => layer.weight.sum();
  assert.match(
    errorOf(() => new LossLandscape(layer, loss, { points: 30 })).message,
    /2\^k \+ 1 were expected.*17, 33/,
  );
  assert.match(errorOf(() => new LossLandscape(layer, loss, { extent: 0 })).message, /extent is 0/);
  const landscape = new LossLandscape(layer, () => layer.weight.sum(0), { points: 3 });
  assert.match(errorOf(() => evaluated(landscape)).message, /one f32 was expected/);
  landscape.dispose();
  layer.dispose();
});

test.run();
