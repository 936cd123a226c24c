/** What is live, what was live at most, and what a recorded step holds: each buffer serves many of its tensors. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createResNet, crossEntropy, Engine, SGD, type Tensor } from '../src/index.ts';

const KIB = 1024;

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

test('what a recorded step frees serves its later tensors', async () => {
  const own = await Engine.create();
  const step = own.capture((x: Tensor) => {
    let y = x.add(1);
    for (let i = 0; i < 8; i++) {
      const next = y.mul(2);
      y.dispose();
      y = next;
    }
    return y;
  });
  assert.equal(step.memory, { bytes: 0, buffers: 0, bytesWithoutReuse: 0 });
  const x = own.ones([256]);
  for (let i = 0; i < 3; i++) {
    const [first] = await own.scope(() => ({ read: step(x).data() })).read;
    assert.is(first, 512);
  }
  // Nine results take turns in two buffers.
  assert.equal(step.memory, { bytes: 2 * KIB, buffers: 2, bytesWithoutReuse: 9 * KIB });
  // They stay, with the input's buffer and x itself.
  assert.is(own.memory().liveBytes, 4 * KIB);
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
    const step = own.capture(() => {
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
