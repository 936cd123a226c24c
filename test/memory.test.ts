/** What is live, what was live at most, and what a recorded step holds: each buffer serves many of its tensors. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { capture, createResNet, crossEntropy, Engine, SGD, type Tensor } from '../src/index.ts';
import { countCalls } from './support/count-calls.ts';
import { uniform } from './support/engine.ts';

const KIB = 1024;
const MIB = 2 ** 20;

test('the peak is the most that was live at once, from the start or from a reset', async () => {
  const own = await Engine.create();
  const kibi = (n: number) => own.zeros([n, 256]);
  const kept = kibi(1);
  own.scope(() => {
    kibi(4);
    own.scope(() => void kibi(8));
    kibi(2);
  });
  assert.is(own.memory().peakBytes, 13 * KIB);
  assert.is(own.memory().liveBytes, 1 * KIB);
  own.resetPeak();
  assert.is(own.memory().peakBytes, 1 * KIB);
  own.scope(() => void kibi(4));
  assert.is(own.memory().peakBytes, 5 * KIB);
  kept.dispose();
  assert.is(own.memory().peakBytes, 5 * KIB);
  await own.destroy();
});

/** A step of a small network on a batch of this size, run anew each time. */
function trainer(own: Engine) {
  const model = createResNet(own, 'resnet8', { classes: 5, width: 4, seed: 2 });
  const optimizer = new SGD(model, { lr: 0.1, momentum: 0.9 });
  return (batch: number) =>
    own.scope(() => {
      const images = own.normal([batch, 8, 8, 3]);
      const targets = own.tensor(Int32Array.from({ length: batch }, (_, i) => i % 5));
      const loss = crossEntropy(model.forward(images), targets);
      loss.backward();
      optimizer.step();
      optimizer.zeroGrad();
    });
}

test('buffers whose size does not return are given back', async () => {
  const own = await Engine.create();
  const sizes = uniform(500, 1, 0.05 * MIB, 0.2 * MIB);
  let most = 0;
  let groups = 0;
  own.resetPeak();
  for (const [i, size] of sizes.entries()) {
    own.scope(() => {
      let x = own.ones([Math.round(size)]);
      for (let n = 0; n < 6; n++) x = x.add(n + 1);
    });
    await own.sync();
    const { liveBytes, pooledBytes, bindGroups } = own.memory();
    most = Math.max(most, liveBytes + pooledBytes);
    if (i === 100) groups = bindGroups;
  }
  const { peakBytes, bindGroups, uniforms } = own.memory();
  assert.ok(most < 2 * peakBytes, `${most} bytes were held, and ${peakBytes} lived at most`);
  assert.ok(bindGroups < 2 * groups, `${bindGroups} bind groups after 500 shapes, ${groups} after 100`);
  assert.ok(uniforms < 8192, `${uniforms} uniforms`);
  await own.destroy();
});

test('a loop over one shape makes no buffer and no bind group', async () => {
  const own = await Engine.create();
  const step = trainer(own);
  const once = async () => {
    step(32);
    await own.sync();
  };
  for (let i = 0; i < 3; i++) await once();
  const made = countCalls(own.device, ['createBuffer', 'createBindGroup']);
  for (let i = 0; i < 100; i++) await once();
  assert.equal(made, { createBuffer: 0, createBindGroup: 0 });
  await own.destroy();
});

test('a loop that goes round several shapes comes to rest', async () => {
  const own = await Engine.create();
  const step = trainer(own);
  const round = async () => {
    for (const batch of [256, 150, 200]) step(batch);
    await own.sync();
  };
  for (let i = 0; i < 6; i++) await round();
  const made = countCalls(own.device, ['createBuffer', 'createBindGroup']);
  for (let i = 0; i < 10; i++) await round();
  assert.equal(made, { createBuffer: 0, createBindGroup: 0 });
  const { liveBytes, pooledBytes, peakBytes } = own.memory();
  assert.ok(liveBytes + pooledBytes < 3 * peakBytes + MIB);
  await own.destroy();
});

test('a pool forgets what once lived', async () => {
  const own = await Engine.create();
  own.scope(() => {
    const big = [1, 2, 3, 4].map(() => own.zeros([4 * MIB]));
    return void big;
  });
  const x = own.ones([256]);
  const step = () => {
    own.scope(() => void x.add(1));
    own.flush();
  };
  step();
  await own.sync();
  assert.ok(own.memory().pooledBytes > 60 * MIB);
  for (let i = 0; i < 4000; i++) step();
  await own.sync();
  assert.ok(own.memory().pooledBytes <= 2 * MIB, `${own.memory().pooledBytes} bytes wait`);
  await own.destroy();
});

test('what a recorded step frees serves its later tensors', async () => {
  const own = await Engine.create();
  const step = capture(own, (x: Tensor) => {
    let y = x.add(1);
    for (let i = 0; i < 8; i++) {
      const next = y.mul(2);
      y.dispose();
      y = next;
    }
    return y;
  });
  assert.equal(step.memory, { bytes: 0, buffers: 0, bytesWithoutReuse: 0, leastBytes: 0 });
  const x = own.ones([256]);
  for (let i = 0; i < 3; i++) {
    const [first] = await own.scope(() => ({ read: step(x).data() })).read;
    assert.is(first, 512);
  }
  // Eight results take turns in two buffers. The input and the ninth have their own, and x + 1 and x * 2 their uniforms.
  const { bytes, bytesWithoutReuse, leastBytes, buffers } = step.memory;
  assert.is(buffers, 6);
  assert.is(bytes, leastBytes);
  assert.is(bytesWithoutReuse - bytes, 6 * KIB);
  assert.ok(bytes > 4 * KIB && bytes < 5 * KIB, `${bytes} bytes`);
  // They stay, with x itself.
  assert.is(own.memory().liveBytes, 5 * KIB);
  step.dispose();
  assert.is(own.memory().liveBytes, 1 * KIB);
  await own.destroy();
});

for (const gradientCheckpointing of [false, true]) {
  test(`a training step takes little more than its backward pass needs${gradientCheckpointing ? ', blocks made again' : ''}`, async () => {
    const own = await Engine.create();
    const model = createResNet(own, 'resnet20', { classes: 5, width: 4, seed: 2, gradientCheckpointing });
    const optimizer = new SGD(model, { lr: 0.1, momentum: 0.9 });
    const images = own.normal([32, 16, 16, 3]);
    const targets = own.tensor(Int32Array.from({ length: 32 }, (_, i) => i % 5));
    const before = own.memory().liveBytes;
    let kept = 0;
    const step = capture(own, () => {
      const loss = crossEntropy(model.forward(images), targets);
      kept = own.memory().liveBytes - before;
      loss.backward();
      optimizer.step();
      optimizer.zeroGrad();
    });
    own.resetPeak();
    step();
    const peak = own.memory().peakBytes - before;
    // Made again, a block of the first stage adds as much as half of all blocks' outputs.
    const most = (gradientCheckpointing ? 2.5 : 1.5) * kept;
    assert.ok(peak < most, `${peak} bytes at most, ${kept} after the forward pass`);
    step();
    const { bytes, bytesWithoutReuse } = step.memory;
    assert.ok(bytes < 0.7 * bytesWithoutReuse, `${bytes} of ${bytesWithoutReuse} bytes`);
    await own.sync();
    await own.destroy();
  });
}

test.run();
