/** A captured step does what the step does: the same parameters to the last bit, whatever is random or changes in it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { denseKD } from '../src/distill/dense-kd.ts';
import { GroupDraw } from '../src/distill/group-draw.ts';
import { TaskPool } from '../src/distill/task-pool.ts';
import { capture, crossEntropy, dropout, Engine, type Tensor } from '../src/index.ts';
import { createResNet } from '../src/nn/resnet.ts';
import { AdamW } from '../src/optim/adam.ts';
import { clipGradNorm } from '../src/optim/clipping.ts';
import { SGD } from '../src/optim/sgd.ts';
import { engine, leaf, uniform } from './support/engine.ts';

const CLASSES = 6;

/** Takes five steps with everything in them that changes from step to step, and reads the losses and all parameters. */
async function train(captured: boolean, kind: 'sgd' | 'adamw', batches: readonly number[]) {
  engine.seed(5);
  const model = createResNet(engine, 'resnet8', { classes: CLASSES, width: 4, inChannels: 1, seed: 3 });
  const optimizer = kind === 'sgd' ? new SGD(model, { lr: 0.1, momentum: 0.9 }) : new AdamW(model, { lr: 0.01 });
  const draw = new GroupDraw(engine, TaskPool.of('dense', [2, 1, 1]), { seed: 9 });
  const step = (images: Tensor, targets: Tensor, old: Tensor) => {
    const logits = dropout(model.forward(images), 0.2);
    const kd = denseKD(logits, old, { taskSizes: [2, 1, 1], variant: 'random', draw });
    const loss = crossEntropy(logits, targets).add(kd);
    loss.backward();
    clipGradNorm(model.parameters(), 1);
    optimizer.step();
    optimizer.zeroGrad();
    return { loss };
  };
  const run = captured ? capture(engine, step) : null;
  const losses: number[] = [];
  for (const [i, batch] of batches.entries()) {
    optimizer.lr *= 0.9;
    losses.push(
      await engine.scope(() => {
        const images = engine.tensor(uniform(batch * 64, i, -1, 1), [batch, 8, 8, 1]);
        const targets = engine.tensor(Int32Array.from({ length: batch }, (_, b) => (b * 5 + i) % CLASSES));
        const old = engine.tensor(uniform(batch * 4, i + 50, -2, 2), [batch, 4]);
        return { read: (run ?? step)(images, targets, old).loss.item() };
      }).read,
    );
  }
  const state = new Map<string, Float32Array>();
  for (const [name, tensor] of [...model.namedParameters(), ...model.namedBuffers()].map(
    (t) => [t.name, t.tensor] as const,
  )) {
    state.set(name, (await tensor.data()) as Float32Array);
  }
  const { steps } = optimizer;
  const recordings = run?.recordings ?? 0;
  run?.dispose();
  optimizer.dispose();
  draw.dispose();
  model.dispose();
  return { losses, state, steps, recordings };
}

for (const kind of ['sgd', 'adamw'] as const) {
  test(`a captured step leaves the same parameters as the step itself: ${kind}`, async () => {
    const batches = [4, 4, 4, 3, 4, 3, 4, 3, 4];
    const eager = await train(false, kind, batches);
    const captured = await train(true, kind, batches);
    assert.equal(captured.losses, eager.losses);
    assert.ok(new Set(eager.losses).size === batches.length);
    assert.equal(captured.steps, batches.length);
    assert.is(captured.recordings, 2);
    for (const [name, values] of eager.state) assert.equal(captured.state.get(name), values, name);
  });
}

test('unnamed random numbers are new in every replay, named ones are not', async () => {
  const draws = capture(engine, () => ({
    fresh: engine.uniform([4]),
    fixed: engine.uniform([4], { from: { seed: 2 } }),
  }));
  const seen: { fresh: string; fixed: string }[] = [];
  for (let i = 0; i < 5; i++) {
    const { fresh, fixed } = draws();
    seen.push({ fresh: String(await fresh.data()), fixed: String(await fixed.data()) });
  }
  assert.is(new Set(seen.map(({ fresh }) => fresh)).size, 5);
  assert.is(new Set(seen.map(({ fixed }) => fixed)).size, 1);
  draws.dispose();
});

test('numbers uploaded inside are there in every replay, though their buffer is written over', async () => {
  const step = capture(engine, (x: Tensor) => {
    const table = engine.tensor([1, 2, 3, 4]);
    const sum = x.add(table);
    table.dispose();
    // Takes the table's buffer, were it not kept; and the next table that of what was in use before.
    const twice = sum.mul(2);
    sum.dispose();
    return twice.add(engine.tensor([10, 10, 10, 10]));
  });
  for (let i = 0; i < 4; i++) {
    const x = engine.tensor([i, i, i, i]);
    assert.equal(
      [...(await step(x).data())],
      [1, 2, 3, 4].map((n) => (n + i) * 2 + 10),
    );
  }
  step.dispose();
});

test('numbers uploaded inside that the step itself writes over are uploaded again', async () => {
  const step = capture(engine, (x: Tensor) => {
    const table = engine.tensor([1, 2]);
    const sum = x.add(table);
    engine.copy(x.storage, table.storage, 8);
    return sum;
  });
  for (let i = 0; i < 4; i++) {
    const x = engine.tensor([10 * i, 10 * i]);
    assert.equal([...(await step(x).data())], [10 * i + 1, 10 * i + 2]);
  }
  step.dispose();
});

test('replaying takes no more memory, and disposing gives it back', async () => {
  const own = await Engine.create();
  const step = capture(own, (x: Tensor) =>
    x
      .mul(own.tensor([2]))
      .exp()
      .sum(),
  );
  const call = () => own.scope(() => ({ read: step(own.ones([1000])).item() })).read;
  let value = 0;
  for (let i = 0; i < 3; i++) value = await call();
  const { dispatches, ...before } = own.memory();
  for (let i = 0; i < 20; i++) assert.is(await call(), value);
  const { dispatches: more, ...after } = own.memory();
  assert.equal(after, before);
  assert.is((more - dispatches) % 20, 0);
  step.dispose();
  assert.is(own.memory().liveBuffers, 0);
  assert.is(await call(), value);
  step.dispose();
  await own.destroy();
});

test('of more shapes than are kept, the one that was called longest ago is recorded anew', async () => {
  const own = await Engine.create();
  let runs = 0;
  const step = capture(
    own,
    (x: Tensor) => {
      runs++;
      return x.mul(3);
    },
    { maxRecordings: 2 },
  );
  /** How often the step runs for calls with as many numbers. */
  const calls = async (...sizes: number[]) => {
    const before = runs;
    for (const n of sizes) {
      const result = await own.scope(() => ({ read: step(own.full([n], n)).data() })).read;
      assert.equal([...result], Array<number>(n).fill(3 * n));
    }
    return runs - before;
  };
  assert.is(await calls(1, 1, 2, 2), 4);
  assert.is(await calls(1, 2, 1), 0);
  assert.is(step.recordings, 2);
  // 2 has to go, and comes back like a new one.
  assert.is(await calls(3, 3, 3), 2);
  assert.is(step.recordings, 2);
  assert.is(await calls(1, 3), 0);
  assert.is(await calls(2, 2, 2), 2);
  assert.is(await calls(3, 2), 0);
  const { liveBytes } = own.memory();
  for (let n = 1; n <= 60; n++) await calls(n, n, n);
  assert.ok(own.memory().liveBytes <= liveBytes + 4 * 60 * 4, `${own.memory().liveBytes} bytes live`);
  assert.throws(() => capture(own, (x: Tensor) => x, { maxRecordings: 0 }), /maxRecordings is 0/);
  step.dispose();
  assert.is(own.memory().liveBuffers, 0);
  await own.destroy();
});

test('a recording outlives the cache of what it uses', async () => {
  const own = await Engine.create();
  const step = capture(own, (x: Tensor) => x.mul(3));
  const call = () => own.scope(() => ({ read: step(own.ones([2])).data() })).read;
  for (let i = 0; i < 3; i++) await call();
  const x = own.ones([2]);
  for (let i = 0; i < 17; i++) {
    // Every number is a uniform of its own: more than are kept.
    own.scope(() => {
      for (let j = 0; j < 500; j++) x.mul(10 + i * 500 + j).dispose();
    });
    await own.sync();
  }
  assert.equal([...(await call())], [3, 3]);
  step.dispose();
  await own.destroy();
});

test('a recorded step may copy between what it makes, and write where it has written', async () => {
  const step = capture(engine, (x: Tensor) => {
    const y = x.mul(2);
    const z = engine.zeros([6]);
    engine.copy(y.storage, z.storage, 8, 4);
    engine.copy(x.storage, z.storage, 8, 16);
    y.dispose();
    const more = x.add(1);
    engine.copy(more.storage, z.storage, 4);
    return z.mul(1);
  });
  for (let i = 1; i <= 4; i++) {
    const x = engine.tensor([i, 10 * i]);
    assert.equal([...(await step(x).data())], [i + 1, 2 * i, 20 * i, 0, i, 10 * i]);
  }
  step.dispose();
});

test('recordings take turns in the same buffers', async () => {
  const own = await Engine.create();
  const step = capture(own, (x: Tensor) => {
    let y = x;
    for (let i = 0; i < 6; i++) y = y.add(1).exp().log();
    return y.sum();
  });
  const call = (n: number) => own.scope(() => ({ read: step(own.zeros([n])).item() })).read;
  const sizes = [8000, 6000, 4000];
  for (let i = 0; i < 2; i++) assert.ok(Math.abs((await call(8000)) - 48000) < 1);
  const { bytes } = step.memory;
  for (let round = 0; round < 3; round++) {
    for (const n of sizes) assert.ok(Math.abs((await call(n)) - 6 * n) < 1, `${n} numbers`);
  }
  assert.is(step.recordings, 3);
  // Two more inputs, a few results and their sums.
  const more = step.memory.bytes - bytes;
  assert.ok(more < 4 * 10000 + 4000, `${more} bytes more`);
  step.dispose();
  await own.destroy();
});

test('a step takes no more memory while it is recorded', async () => {
  const own = await Engine.create();
  const step = capture(own, (x: Tensor) => {
    let y = x;
    for (let i = 0; i < 6; i++) y = y.add(1).exp();
    return y.sum();
  });
  const x = own.zeros([2 ** 18]);
  step(x).dispose();
  await own.sync();
  const before = own.memory();
  assert.ok(before.pooledBytes > 6 * 2 ** 20);
  own.resetPeak();
  step(x).dispose();
  const { liveBytes, pooledBytes, peakBytes } = own.memory();
  // Each result is needed by the next one only: two are alive at once, and x is copied.
  assert.ok(liveBytes < 4.1 * 2 ** 20 && peakBytes < 4.1 * 2 ** 20, `${peakBytes} bytes at most, ${liveBytes} then`);
  assert.is(pooledBytes, 0);
  step.dispose();
  await own.destroy();
});

test('what a step has launched before it fails is done, recorded or not', async () => {
  const own = await Engine.create();
  const count = own.zeros([1]);
  let calls = 0;
  const step = capture(own, () => {
    own.copy(count.add(1).storage, count.storage, 4);
    if (++calls < 4) throw new RangeError('no');
  });
  for (let i = 1; i <= 3; i++) {
    assert.throws(() => step(), /no/);
    assert.is(await count.item(), i);
  }
  for (let i = 4; i <= 6; i++) {
    step();
    assert.is(await count.item(), i);
  }
  step.dispose();
  await own.destroy();
});

test('a step that fails while it is recorded leaves nothing behind', async () => {
  const own = await Engine.create();
  let calls = 0;
  const step = capture(own, (x: Tensor) => {
    const y = x.mul(2);
    if (++calls === 2) throw new RangeError('no');
    return y.add(1);
  });
  const call = () => own.scope(() => ({ read: step(own.ones([2])).data() })).read;
  assert.equal([...(await call())], [3, 3]);
  assert.throws(() => own.scope(() => step(own.ones([2]))), /no/);
  assert.is(own.memory().liveBuffers, 0);
  for (let i = 0; i < 3; i++) assert.equal([...(await call())], [3, 3]);
  assert.is(calls, 3);
  step.dispose();
  await own.destroy();
});

test('inputs take no gradient, in no call', async () => {
  const weight = leaf([2], [1]);
  const step = capture(engine, (x: Tensor) => {
    const loss = x.mul(weight).sum();
    loss.backward();
    const gradient = weight.grad!.mul(1);
    weight.grad!.dispose();
    weight.grad = null;
    return gradient;
  });
  for (let i = 0; i < 4; i++) {
    const x = leaf([i], [1]);
    assert.is(await step(x).item(), i);
    assert.is(x.grad, null);
  }
  step.dispose();
});

test('what cannot be replayed is refused with a reason', () => {
  const twice = capture(engine, () => {
    const x = engine.tensor([1]);
    engine.write(x.storage, Float32Array.of(2));
    return x;
  });
  twice();
  assert.throws(twice, /uploads to one tensor twice/);
  const late = capture(engine, () => {
    const x = engine.ones([1]).add(1);
    engine.write(x.storage, Float32Array.of(2));
    return x;
  });
  late();
  assert.throws(late, /uploads to a tensor that it has used before/);
  const step = capture(engine, (x: Tensor) => x.add(1));
  assert.throws(() => step(3 as unknown as Tensor), /input 0 is not a tensor.*Hand in tensors/);
});

test('what a step reads inside is what stands there at that point, also while it is recorded', async () => {
  const own = await Engine.create({ warn: () => {} });
  const weight = own.keep(own.tensor([1]));
  const reads: Promise<number>[] = [];
  const step = capture(own, () => {
    const doubled = weight.mul(2);
    reads.push(doubled.item(), weight.item());
    own.copy(doubled.storage, weight.storage, 4);
    return weight.add(0);
  });
  for (const expected of [2, 4, 8, 16]) {
    const result = step();
    assert.is(await result.item(), expected);
    result.dispose();
  }
  assert.equal(await Promise.all(reads), [2, 1, 4, 2]);
  step.dispose();
  weight.dispose();
  assert.is(own.memory().liveBuffers, 0);
  await own.destroy();
});

test('what a step gave as it came may be handed to it again in another place', async () => {
  const leap = (now: Tensor, before: Tensor) => [now.mul(2).sub(before), now] as const;
  const swap = (a: Tensor, b: Tensor) => [b, a] as const;
  for (const [step, expected] of [
    [leap, [7, 6]],
    [swap, [1, 0]],
  ] as const) {
    const captured = capture(engine, step);
    let [a, b]: readonly [Tensor, Tensor] = [engine.tensor([1]), engine.tensor([0])];
    for (let i = 0; i < 6; i++) [a, b] = captured(a, b);
    assert.equal([await a.item(), await b.item()], expected);
    captured.dispose();
  }
});

test.run();
