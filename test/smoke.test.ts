/** Tells in seconds whether anything works at all: device, upload, kernels, reduction, gradient, read. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Engine } from '../src/index.ts';

const engine = await Engine.create();

test.after(() => engine.destroy());

test('numbers go to the device and come back', async () => {
  assert.equal(
    await engine
      .tensor([
        [1, 2],
        [3, -4],
      ])
      .data(),
    new Float32Array([1, 2, 3, -4]),
  );
});

test('kernels compute, broadcast and reduce', async () => {
  const x = engine.tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  const y = x.mul(2).add(engine.tensor([10, 20, 30]));
  assert.equal(await y.sum(0).data(), new Float32Array([30, 54, 78]));
});

test('gradients flow back', async () => {
  const x = engine.tensor([-1, 2, 3]);
  x.requiresGrad = true;
  x.relu().mul(x).sum().backward();
  assert.equal(await x.grad?.data(), new Float32Array([0, 4, 6]));
});

test.run();
