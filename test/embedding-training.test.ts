/** Training inside an app: on what its kernels write, in its command buffers, as without it. */

import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as engram from '../src/index.ts';
import { hostApp } from './examples/host-app.ts';
import { openPage } from './support/browser.ts';
import { hostBuffer, hostDevice, watchDevice } from './support/host.ts';
import { trainInApp } from './support/train-in-app.ts';

const FRAMES = 12;

function check(embedded: readonly number[], plain: readonly number[]): void {
  assert.is(plain.length, FRAMES);
  assert.equal(embedded, plain);
  assert.is(new Set(plain).size, FRAMES);
  const late = plain.slice(-3).reduce((sum, loss) => sum + loss / 3, 0);
  assert.ok(late < 0.5 * plain[0]!, `the loss falls: ${plain}`);
}

test('a captured step on what an app’s kernel wrote learns as it does without the app', async () => {
  const { device } = await hostDevice();
  check(await trainInApp(engram, device, FRAMES, true), await trainInApp(engram, device, FRAMES, false));
  device.destroy();
});

test('so it does in a page', async () => {
  const { page, close } = await openPage();
  try {
    const [embedded, plain] = await page.evaluate<[number[], number[]]>(`import('/browser.js').then(async (library) => {
      const adapter = await navigator.gpu.requestAdapter();
      const device = await adapter.requestDevice(library.deviceRequirements(adapter));
      const train = ${trainInApp};
      return [await train(library, device, ${FRAMES}, true), await train(library, device, ${FRAMES}, false)];
    })`);
    check(embedded, plain);
  } finally {
    await close();
  }
});

test('a frame of training copies, uploads, reads and submits nothing of its own', async () => {
  const { device } = await hostDevice();
  const engine = engram.Engine.from(device);
  const model = engram.createResNet(engine, 'resnet8', { classes: 2, width: 4, inChannels: 1 });
  const optimizer = new engram.SGD(model, { lr: 0.01, momentum: 0.9 });
  const train = engram.capture(engine, (x: engram.Tensor, y: engram.Tensor) => {
    const loss = engram.crossEntropy(model.forward(x), y);
    loss.backward();
    optimizer.step();
    optimizer.zeroGrad();
    return loss;
  });
  const pixels = Float32Array.from({ length: 2 * 64 }, (_, i) => Math.sin(i * i));
  const images = engram.wrap(engine, hostBuffer(device, pixels), { shape: [2, 8, 8, 1] });
  const labels = engram.wrap(engine, hostBuffer(device, [0, 0]), { shape: [2], dtype: 'i32' });
  for (let i = 0; i < 2; i++) await train(images, labels).data();
  const before = engine.memory();
  const watch = watchDevice(device);
  let loss!: engram.Tensor;
  for (let frame = 0; frame < 10; frame++) {
    const encoder = device.createCommandEncoder();
    loss?.dispose();
    loss = engram.encode(train, encoder);
    device.queue.submit([encoder.finish()]);
    engram.submitted(engine);
  }
  const { made, maps, copies, uploads, submissions } = watch;
  assert.equal(
    { made, maps, copies, uploads, submissions },
    { made: 0, maps: 0, copies: 0, uploads: 0, submissions: 10 },
  );
  const after = engine.memory();
  assert.is(after.liveBuffers, before.liveBuffers);
  assert.ok(after.dispatches - before.dispatches > 100);
  assert.ok((await loss.item()) < 0.5);
  await engine.destroy();
  device.destroy();
});

test('an app fits on a page, and takes what the package exports', async () => {
  const text = readFileSync('test/examples/host-app.ts', 'utf8');
  assert.ok(text.trimEnd().split('\n').length < 56);
  assert.equal(
    [...text.matchAll(/from '(.*)'/g)].map(([, from]) => from),
    ['../../src/index.ts'],
  );
  const { requestAdapter } = await import('#adapter');
  const { adapter } = await requestAdapter();
  const found = await hostApp(adapter, 60);
  [3, -2, 0.5].forEach((wanted, i) => {
    assert.ok(Math.abs(found[i]! - wanted) < 1e-3, `${found}`);
  });
});

test.run();
