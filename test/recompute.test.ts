/** Gradient checkpointing: the same numbers to the last bit, from less memory. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  capture,
  crossEntropy,
  Dropout,
  dropout,
  Embedding,
  Engine,
  Identity,
  noGrad,
  recomputed,
  Sequential,
  type Tensor,
} from '../src/index.ts';
import { checkpointed } from '../src/nn/checkpointed.ts';
import { createResNet, type ResNet } from '../src/nn/resnet.ts';
import { SGD } from '../src/optim/sgd.ts';
import { engine, leaf, near, uniform } from './support/engine.ts';

async function train(gradientCheckpointing: boolean, captured = false) {
  const own = await Engine.create();
  const model = createResNet(own, 'resnet20', { classes: 5, width: 8, seed: 2, gradientCheckpointing });
  const optimizer = new SGD(model, { lr: 0.1, momentum: 0.9 });
  const images = own.tensor(uniform(32 * 16 * 16 * 3, 1), [32, 16, 16, 3]);
  const targets = own.tensor(Int32Array.from({ length: 32 }, (_, i) => i % 5));
  const step = () => {
    const loss = crossEntropy(model.forward(images), targets);
    loss.backward();
    optimizer.step();
    optimizer.zeroGrad();
    return loss;
  };
  const run = captured ? capture(own, step) : step;
  const before = own.memory().liveBytes;
  const losses: number[] = [];
  for (let i = 0; i < 4; i++) losses.push(await own.scope(() => ({ read: run().item() })).read);
  const { peakBytes } = own.memory();
  const state = await stateOf(model);
  await own.destroy();
  return { losses, state, bytes: peakBytes - before };
}

async function stateOf(model: ResNet): Promise<[string, number[]][]> {
  const entries: [string, number[]][] = [];
  for (const { name, tensor } of model.namedTensors()) entries.push([name, [...(await tensor.data())]]);
  return entries;
}

test('blocks that are made again train as those that are kept, and take less memory', async () => {
  const kept = await train(false);
  const again = await train(true);
  assert.equal(again.losses, kept.losses);
  assert.equal(again.state, kept.state);
  assert.ok(again.bytes < 0.65 * kept.bytes, `${again.bytes} of ${kept.bytes} bytes`);
  const replayed = await train(true, true);
  assert.equal(replayed.losses, kept.losses);
  assert.equal(replayed.state, kept.state);
});

test('a function of one’s own is made again too, with its parameters', async () => {
  const data = uniform(6, 3);
  const both = async (checkpointed: boolean) => {
    const [x, w] = [leaf(data, [2, 3]), leaf([0.5, -1, 2], [3])];
    const fn = (input: Tensor) => input.mul(w).tanh().mul(w);
    const y = checkpointed ? recomputed(fn, x, [w]) : fn(x);
    y.mul(y).sum().backward();
    return { y: await y.data(), x: await x.grad!.data(), w: await w.grad!.data() };
  };
  const [plain, again] = [await both(false), await both(true)];
  assert.equal(again, plain);
});

test('without gradients it is a plain call', async () => {
  const x = leaf([1, 2], [2]);
  let runs = 0;
  const triple = (input: Tensor) => {
    runs++;
    return input.mul(3);
  };
  const y = noGrad(engine, () => recomputed(triple, x, []));
  assert.is(y.node, null);
  assert.is(runs, 1);
  await near(y, [3, 6], 0);
});

test('what was there before keeps its own history', async () => {
  const w = leaf([1, 2], [2]);
  const made = w.mul(2);
  checkpointed(new Identity(engine), made).sum().backward();
  await near(w.grad, [2, 2], 0);
  const x = leaf([3, 4], [2]);
  checkpointed(new Dropout(engine, 0.5).eval(), x).mul(3).sum().backward();
  await near(x.grad, [3, 3], 0);
  const v = leaf([5, 6], [2]);
  recomputed(() => v, x, [v])
    .sum()
    .backward();
  await near(v.grad, [1, 1], 0);
});

test('a part that begins with an embedding is made again too', async () => {
  const embedding = new Embedding(engine, 4, 2);
  checkpointed(embedding, engine.tensor(Int32Array.of(1, 1, 3)))
    .sum()
    .backward();
  await near(embedding.weight.grad, [0, 0, 2, 2, 0, 0, 1, 1], 0);
});

test('the second run drops what the first one dropped, in replays too', async () => {
  const dropouts = new Sequential(engine, new Dropout(engine, 0.5), new Dropout(engine, 0.2));
  const x = leaf(new Array(64).fill(1), [64]);
  const step = () => {
    x.grad?.dispose();
    x.grad = null;
    const y = checkpointed(dropouts, x);
    y.sum().backward();
    return y;
  };
  const captured = capture(engine, step);
  const seen = new Set<string>();
  for (let i = 0; i < 4; i++) {
    const y = [...(await captured().data())];
    assert.equal([...((await x.grad?.data()) ?? [])], y);
    seen.add(`${y}`);
  }
  assert.is(seen.size, 4, 'every call drops others');
  captured.dispose();
});

test('a second run that draws more is refused', async () => {
  let runs = 0;
  const x = leaf([1, 1], [2]);
  const y = recomputed((a) => (runs++ === 0 ? a.mul(1) : dropout(a, 0.5)), x, []);
  assert.throws(() => y.sum().backward(), /recomputed.*draws more random numbers than it did before/s);
});

test.run();
