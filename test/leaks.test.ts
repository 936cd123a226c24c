/** A training loop of any length takes no more memory than a short one, on the device and in the process. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { capture, createResNet, crossEntropy, dropout, type MemoryReport, SGD, type Tensor } from '../src/index.ts';
import { collectGarbage } from './support/collect-garbage.ts';
import { engine } from './support/engine.ts';
import { heldBytes, residentBytes } from './support/process-memory.ts';

/** The process's memory in MiB without what the collector would free. The least of several: it comes in gusts. */
async function residentMemory(): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < 5; i++) {
    await collectGarbage();
    await new Promise((done) => setTimeout(done, 20));
    least = Math.min(least, residentBytes() / 2 ** 20);
  }
  return least;
}

async function deviceMemory(): Promise<Omit<MemoryReport, 'dispatches'>> {
  await engine.sync();
  const { dispatches, ...memory } = engine.memory();
  return memory;
}

/** Batches come from the CPU and losses go back to it, as in any training loop. */
test('a thousand training steps end with the memory of the tenth', async () => {
  const model = createResNet(engine, 'resnet8', { classes: 4, width: 4, seed: 1 });
  const optimizer = new SGD(model, { lr: 0.01, momentum: 0.9 });
  const pixels = new Float32Array(4 * 8 * 8 * 3);
  const step = (count: number) =>
    engine.scope(() => {
      const images = engine.tensor(
        pixels.map((_, i) => Math.sin(i * count)),
        [4, 8, 8, 3],
      );
      const targets = engine.tensor(Int32Array.of(0, 1, 2, count % 4));
      optimizer.zeroGrad();
      const loss = crossEntropy(model.forward(images), targets);
      loss.backward();
      optimizer.step();
      return loss;
    });
  let early: Omit<MemoryReport, 'dispatches'> | undefined;
  let warm = 0;
  for (let count = 1; count <= 1000; count++) {
    const loss = step(count);
    if (count % 10 === 0) assert.ok(Number.isFinite(await loss.item()), `the loss of step ${count}`);
    loss.dispose();
    if (count === 10) early = await deviceMemory();
    if (count === 300) warm = await residentMemory();
  }
  assert.equal(await deviceMemory(), early);
  const end = await residentMemory();
  assert.ok(Math.abs(end - warm) < 0.05 * warm, `${warm.toFixed(0)} MiB after 300 steps, ${end.toFixed(0)} after 1000`);
  optimizer.zeroGrad();
  optimizer.dispose();
  model.dispose();
});

/** Without what the collector would free. */
async function heldByProcess(): Promise<number> {
  for (let i = 0; i < 3; i++) await collectGarbage();
  return heldBytes();
}

/** With dropout, batches of two sizes, and a rate that is another one in every step. */
test('two thousand replayed and three hundred unrecorded steps at changing rates end with what they began with', async () => {
  const model = createResNet(engine, 'resnet8', { classes: 4, width: 4, seed: 1 });
  const optimizer = new SGD(model, { lr: 0.01, momentum: 0.9 });
  const pixels = Float32Array.from({ length: 4 * 8 * 8 * 3 }, (_, i) => Math.sin(i));
  const step = (images: Tensor, targets: Tensor) => {
    const loss = crossEntropy(dropout(model.forward(images), 0.1), targets);
    loss.backward();
    optimizer.step();
    optimizer.zeroGrad();
    return loss;
  };
  const captured = capture(engine, step);
  const take = async (run: typeof step, count: number): Promise<void> => {
    optimizer.lr = 0.01 / (1 + count / 100);
    const batch = count % 10 === 0 ? 3 : 4;
    const loss = engine.scope(() =>
      run(
        engine.tensor(pixels.subarray(0, batch * 192), [batch, 8, 8, 3]),
        engine.tensor(Int32Array.of(0, 1, 2, 3).subarray(0, batch)),
      ),
    );
    if (count % 20 === 0) assert.ok(Number.isFinite(await loss.item()), `the loss of step ${count}`);
    loss.dispose();
  };
  for (const [run, steps, warm] of [
    [step, 300, 40],
    [captured, 2000, 200],
  ] as const) {
    let early: Omit<MemoryReport, 'dispatches'> | undefined;
    let held = 0;
    for (let count = 1; count <= steps; count++) {
      await take(run, count);
      if (count !== warm) continue;
      early = await deviceMemory();
      held = await heldByProcess();
    }
    assert.equal(await deviceMemory(), early);
    const more = ((await heldByProcess()) - held) / 2 ** 20;
    assert.ok(more < 2, `${more.toFixed(1)} MiB more after ${steps} steps than after ${warm}`);
  }
  captured.dispose();
  optimizer.dispose();
  model.dispose();
});

test('what is made and freed leaves nothing alive', async () => {
  const before = (await deviceMemory()).liveBuffers;
  for (let round = 0; round < 3; round++) {
    const model = createResNet(engine, 'resnet8', { classes: 4, width: 4 });
    const optimizer = new SGD(model, { lr: 0.1, momentum: 0.9 });
    engine.scope(() => {
      model
        .forward(engine.zeros([2, 8, 8, 3]))
        .sum()
        .backward();
      optimizer.step();
    });
    model.growHead(6);
    optimizer.dispose();
    model.dispose();
  }
  assert.is((await deviceMemory()).liveBuffers, before);
});

test.run();
