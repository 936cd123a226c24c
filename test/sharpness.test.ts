/** Adaptive sharpness against its closed form for quadratic losses, and on a network. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { averageSharpness, worstSharpness } from '../src/entries/analysis.ts';
import { createResNet, crossEntropy, stateDict, type Tensor } from '../src/index.ts';
import { engine, leaf, uniform } from './support/engine.ts';
import { refusal } from './support/refusal.ts';
import { sum } from './support/rows.ts';

/** Σ aᵢwᵢ²/2 over two parameters, in one part or two, where L(w + |w|u) − L(w) = Σ aᵢwᵢ²(sᵢuᵢ + uᵢ²/2), s the sign of w. */
function quadratic(weights: readonly number[], curvatures: readonly number[]) {
  const half = weights.length / 2;
  const [w1, w2] = [leaf(weights.slice(0, half), [half]), leaf(weights.slice(half), [half])];
  const parts = [w1, w2].map((w, i) => {
    const a = engine.tensor(curvatures.slice(i * half, (i + 1) * half));
    return () => w.square().mul(a).sum().mul(0.5);
  });
  return { parameters: [w1, w2], parts, whole: () => parts[0]!().add(parts[1]!()) };
}

const weights = [1, -2, 0.5, 3];
const curvatures = [2, 1, 4, 0.5];
/** aᵢwᵢ². */
const sizes = weights.map((w, i) => w * w * curvatures[i]!);
const close = (actual: number, expected: number, tolerance: number) =>
  assert.ok(Math.abs(actual / expected - 1) < tolerance, `${actual} where ${expected} was expected`);

test('average sharpness of a quadratic loss is ρ²/2 · Σ aᵢwᵢ², and its error tells how near it is', async () => {
  const { parameters, parts, whole } = quadratic(weights, curvatures);
  const rho = 0.3;
  const expected = (rho ** 2 / 2) * sum(sizes);
  const { sharpness, standardError } = await averageSharpness(parameters, parts, { rho, samples: 200, seed: 5 });
  assert.ok(Math.abs(sharpness - expected) < 3 * standardError, `${sharpness} ± ${standardError}, ${expected}`);
  // Of a pair the rise is Σ aᵢwᵢ²εᵢ²ρ²/2, whose variance is that of chi-squared.
  const spread = (rho ** 2 / 2) * Math.sqrt((2 * sum(sizes.map((size) => size ** 2))) / 200);
  close(standardError, spread, 0.25);
  const again = await averageSharpness(parameters, whole, { rho, samples: 200, seed: 5 });
  close(again.sharpness, sharpness, 1e-4);
  const other = await averageSharpness(parameters, whole, { rho, samples: 200, seed: 6 });
  assert.ok(Math.abs(other.sharpness / sharpness - 1) > 1e-3, 'another seed, other draws');
  assert.equal(
    (await Promise.all(parameters.map((one) => one.data()))).flatMap((part) => [...part]),
    weights,
  );
});

test('worst sharpness in the maximum norm is at the corner that the gradient points to', async () => {
  const { parameters, parts, whole } = quadratic(weights, curvatures);
  const rho = 0.25;
  const expected = sum(sizes.map((size) => size * (rho + rho ** 2 / 2)));
  close(await worstSharpness(parameters, whole, { rho }), expected, 1e-5);
  close(await worstSharpness(parameters, parts, { rho, steps: 1 }), expected, 1e-5);
  assert.equal([...(await parameters[0]!.data())], weights.slice(0, 2));
  assert.is(parameters[0]!.grad, null);
});

test('worst sharpness in the Euclidean norm is where the Lagrangian has it', async () => {
  const { parameters, parts } = quadratic(weights, curvatures);
  const rho = 0.4;
  // max Σ sᵢ(uᵢ + uᵢ²/2) over ‖u‖ = ρ, for signs turned to be positive: uᵢ = sᵢ/(λ − sᵢ), λ above all sᵢ, by bisection.
  let [low, high] = [Math.max(...sizes) + 1e-9, 1e4];
  const at = (lambda: number) => sizes.map((size) => size / (lambda - size));
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (Math.hypot(...at(middle)) > rho) low = middle;
    else high = middle;
  }
  const expected = sum(at(low).map((u, i) => sizes[i]! * (u + u ** 2 / 2)));
  const found = await worstSharpness(parameters, parts, { rho, norm: 'l2', steps: 40 });
  close(found, expected, 1e-4);
  assert.ok(found < sum(sizes.map((size) => size * (rho + rho ** 2 / 2))), 'the ball lies within the cube');
});

test('it does not see a scale that the function does not see', async () => {
  const product = (scale: number) => {
    const [a, b] = [leaf([2 * scale], [1]), leaf([3 / scale], [1])];
    return { parameters: [a, b], loss: () => a.mul(b).sub(5).square().sum() };
  };
  for (const of of [
    (p: Tensor[], l: () => Tensor) => worstSharpness(p, l, { rho: 0.1 }),
    async (p: Tensor[], l: () => Tensor) => (await averageSharpness(p, l, { samples: 4 })).sharpness,
  ]) {
    const [one, other] = [product(1), product(8)];
    close(await of(other.parameters, other.loss), await of(one.parameters, one.loss), 1e-4);
  }
});

test('of a network the worst is worse than the average at the same size, and all is as it was', async () => {
  const model = createResNet(engine, 'resnet8', { classes: 3, width: 4, inChannels: 1, seed: 1 }).eval();
  const images = engine.tensor(uniform(8 * 64, 1), [8, 8, 8, 1]);
  const labels = engine.tensor(Int32Array.of(0, 1, 2, 0, 1, 2, 0, 1));
  const loss = () => crossEntropy(model.forward(images), labels);
  const before = await stateDict(model);
  const live = engine.memory().liveBuffers;
  const parameters = model.parameters();
  const average = await averageSharpness(parameters, loss, { rho: 0.05, samples: 3 });
  const worst = await worstSharpness(parameters, loss, { rho: 0.05, steps: 6 });
  assert.ok(worst > 5 * Math.abs(average.sharpness), `${worst} and ${average.sharpness}`);
  assert.equal(await stateDict(model), before);
  assert.is(engine.memory().liveBuffers, live, 'nothing is left on the device');
  for (const one of [images, labels, model]) one.dispose();
});

test('what cannot be asked is refused', async () => {
  const { parameters, whole } = quadratic(weights, curvatures);
  assert.match((await refusal(averageSharpness(parameters, whole, { rho: 0 }))).message, /ρ is 0/);
  assert.match((await refusal(averageSharpness(parameters, whole, { samples: 1 }))).message, /in 1 draws/);
  assert.match((await refusal(worstSharpness(parameters, whole, { steps: 0 }))).message, /at least 1/);
  assert.match((await refusal(worstSharpness(parameters, []))).message, /no parts/);
  const plain = engine.tensor([1]);
  assert.match((await refusal(worstSharpness([plain], () => plain.sum()))).message, /requires? a gradient/);
});

test.run();
