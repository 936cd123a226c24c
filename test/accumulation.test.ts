/** Gradients over several steps, and averages of weights, both within captured steps. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  capture,
  clipGradNorm,
  crossEntropy,
  GradientAccumulator,
  Linear,
  MovingAverage,
  Random,
  SGD,
  type Tensor,
} from '../src/index.ts';
import { engine, errorOf, leaf, near, uniform } from './support/engine.ts';

const SIZE = 8;
const batch = (seed: number, count = SIZE) => engine.keep(engine.tensor(uniform(count * 3, seed), [count, 3]));
const labels = (seed: number, count = SIZE) =>
  engine.keep(engine.tensor(Int32Array.from(uniform(count, seed, 0, 4), Math.floor)));
const classifier = () => new Linear(engine, 3, 4, { random: Random.of(1, 'accumulation') });
const state = (model: Linear) => Promise.all([model.weight.data(), model.bias!.data()]);

test('four small batches train as one large one, captured or not', async () => {
  const parts = [1, 2, 3, 4].map((seed) => [batch(seed), labels(seed + 10)] as const);
  const train = async (isCaptured: boolean) => {
    const model = classifier();
    const optimizer = new SGD(model, { lr: 0.5, momentum: 0.9 });
    const accumulator = new GradientAccumulator(optimizer.parameters);
    const gather = (x: Tensor, y: Tensor) => {
      const loss = crossEntropy(model.forward(x), y);
      loss.div(parts.length).backward();
      accumulator.add();
      return loss;
    };
    const update = () => {
      accumulator.load();
      clipGradNorm(optimizer.parameters, 0.3);
      optimizer.step();
      accumulator.reset();
    };
    const [step, move] = isCaptured
      ? [capture(engine, gather), capture(engine, update)]
      : [(x: Tensor, y: Tensor) => engine.scope(() => gather(x, y)), () => engine.scope(update)];
    for (let round = 0; round < 5; round++) {
      for (const [x, y] of parts) step(x, y);
      move();
    }
    assert.is(optimizer.steps, 5);
    return state(model);
  };
  const model = classifier();
  const optimizer = new SGD(model, { lr: 0.5, momentum: 0.9 });
  const all = [0, 1].map((i) => parts.map((part) => part[i]!));
  const images = engine.tensor(
    Float32Array.from((await Promise.all(all[0]!.map((t) => t.data()))).flatMap((t) => [...t])),
    [32, 3],
  );
  const targets = engine.tensor(
    Int32Array.from((await Promise.all(all[1]!.map((t) => t.data()))).flatMap((t) => [...t])),
  );
  for (let round = 0; round < 5; round++) {
    engine.scope(() => {
      crossEntropy(model.forward(images), targets).backward();
      clipGradNorm(optimizer.parameters, 0.3);
      optimizer.step();
      optimizer.zeroGrad();
    });
  }
  const expected = await state(model);
  for (const isCaptured of [false, true]) {
    const [weight, bias] = await train(isCaptured);
    await near(engine.tensor(weight), expected[0], 1e-5);
    await near(engine.tensor(bias), expected[1], 1e-5);
  }
});

test('a parameter that had no gradient is left alone, captured or not', async () => {
  for (const captured of [[], ['gather'], ['gather', 'update']]) {
    const [p, r] = [leaf([1, 2], [2]), leaf([3, 4], [2])];
    const optimizer = new SGD([p, r], { lr: 0.5, momentum: 0.9, weightDecay: 0.1 });
    const accumulator = new GradientAccumulator(optimizer.parameters);
    const made = <A extends readonly Tensor[]>(name: string, step: (...inputs: A) => void) =>
      captured.includes(name) ? capture(engine, step) : (...inputs: A) => engine.scope(() => step(...inputs));
    const gather = made('gather', (x: Tensor) => {
      p.mul(x).sum().backward();
      accumulator.add();
    });
    const gatherBoth = made('gather', (x: Tensor) => {
      p.mul(x).add(r).sum().backward();
      accumulator.add();
    });
    const update = () => {
      accumulator.load();
      optimizer.step();
      accumulator.reset();
    };
    const [updateOne, updateBoth] = [made('update', update), made('update', update)];
    const [expected, velocity] = [
      [1, 2, 3, 4],
      [0, 0, 0, 0],
    ];
    for (let round = 0; round < 8; round++) {
      // Replays are taken apart by whether r had a gradient.
      const both = round % 2 === 1;
      const [first, second] = [uniform(2, round), uniform(2, round + 10)];
      for (const x of [first, second]) (both ? gatherBoth : gather)(engine.tensor(x));
      (both ? updateBoth : updateOne)();
      for (let i = 0; i < (both ? 4 : 2); i++) {
        const gradient = i < 2 ? first[i]! + second[i]! : 2;
        velocity[i] = 0.9 * velocity[i]! + gradient + 0.1 * expected[i]!;
        expected[i]! -= 0.5 * velocity[i]!;
      }
      await near(p, expected.slice(0, 2), 1e-5);
      await near(r, expected.slice(2), 1e-5);
    }
  }
});

test('what is not a parameter adds up nowhere', () => {
  const told = (parameters: Tensor[]) => errorOf(() => new GradientAccumulator(parameters)).message;
  assert.match(told([]), /GradientAccumulator: needs at least one tensor/);
  assert.match(told([engine.ones([2])]), /Tensor\(f32\[2\]\) is not an f32 leaf that requires a gradient/);
  assert.match(told([leaf([1], [1]).mul(2)]), /is not an f32 leaf/);
});

test('averages follow the parameters by their definition, captured or not', async () => {
  for (const isCaptured of [false, true]) {
    const model = classifier();
    const optimizer = new SGD(model, { lr: 0.3 });
    const average = new MovingAverage(model, { decay: 0.8 });
    const expected = (await state(model)).map((values) => Float64Array.from(values));
    const step = (x: Tensor, y: Tensor) => {
      crossEntropy(model.forward(x), y).backward();
      optimizer.step();
      optimizer.zeroGrad();
      average.update();
    };
    const taken = isCaptured ? capture(engine, step) : (x: Tensor, y: Tensor) => engine.scope(() => step(x, y));
    for (let i = 0; i < 5; i++) {
      taken(batch(i), labels(i));
      for (const [k, values] of (await state(model)).entries()) {
        values.forEach((value, j) => {
          expected[k]![j] = 0.8 * expected[k]![j]! + 0.2 * value;
        });
      }
    }
    assert.equal(
      average.state.map(({ name }) => name),
      ['weight', 'bias'],
    );
    for (const [k, { tensor }] of average.state.entries()) await near(tensor, expected[k]!, 1e-6);
    const trained = await state(model);
    average.swap();
    await near(model.weight, expected[0]!, 1e-6);
    average.swap();
    assert.equal(await state(model), trained);
    average.dispose();
  }
});

test('a decay out of range, or nothing to average, is refused', () => {
  const model = classifier();
  assert.match(errorOf(() => new MovingAverage(model, { decay: 1 })).message, /the decay must be in \[0, 1\), not 1/);
  model.freeze();
  assert.match(errorOf(() => new MovingAverage(model)).message, /MovingAverage: Linear has nothing to train/);
});

test.run();
