/** An engine on an app's device: what it asks for, what it misses, whose errors are whose, and what it leaves behind. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { requestAdapter } from '#adapter';
import { subgroupMatrix } from '../src/entries/subgroup-matrix.ts';
import {
  borrow,
  capture,
  copyTo,
  createResNet,
  crossEntropy,
  DeviceLostError,
  deviceRequirements,
  Engine,
  encode,
  missing,
  recordInto,
  SGD,
  submitted,
  type Tensor,
  ValidationError,
  wgsl,
  wrap,
} from '../src/index.ts';
import { errorOf } from './support/engine.ts';
import { hostBuffer, hostDevice, hostPass, hostRead, submit, watchDevice } from './support/host.ts';

const reasonOf = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => new Error('nothing was thrown'),
    (error) => error,
  );

/** What the app hears of its device. */
function heard(device: GPUDevice): { listener: string[]; handler: string[] } {
  const told = { listener: [] as string[], handler: [] as string[] };
  device.addEventListener('uncapturederror', (event) => told.listener.push(event.error.message));
  device.onuncapturederror = (event) => told.handler.push(event.error.message);
  return told;
}

test('an app asks for what its adapter offers of what the engine uses, and misses nothing then', async () => {
  const { adapter, device } = await hostDevice();
  const { requiredFeatures, requiredLimits } = deviceRequirements(adapter);
  assert.ok(requiredFeatures.every((feature) => adapter.features.has(feature)));
  for (const [limit, value] of Object.entries(requiredLimits)) {
    assert.is(device.limits[limit as 'maxBufferSize'], value, limit);
  }
  assert.equal(missing(device, adapter), []);
  assert.equal(deviceRequirements(adapter, { subgroupMatrix }).requiredLimits, requiredLimits);
  device.destroy();
});

test('a device that was made without is told what it goes without', async () => {
  const { adapter } = await requestAdapter();
  const device = await adapter.requestDevice();
  const all = missing(device, adapter);
  assert.equal(
    all.flatMap(({ name, has }) => (has === false ? [name] : [])),
    ['shader-f16', 'subgroups', 'timestamp-query'].filter((name) => adapter.features.has(name)),
  );
  const low = all.filter(({ has }) => has !== false);
  assert.ok(low.some(({ name }) => name === 'maxBufferSize'));
  for (const { name, has, offers, lost } of low) {
    const limit = name as 'maxBufferSize';
    assert.ok(lost.length > 10, name);
    assert.equal([has, offers], [device.limits[limit], adapter.limits[limit]]);
    assert.ok(device.limits[limit] < adapter.limits[limit]);
  }
  const unknown = missing(device);
  assert.equal(
    unknown.slice(0, 3).map(({ name, has, offers }) => ({ name, has, offers })),
    [
      { name: 'shader-f16', has: false, offers: undefined },
      { name: 'subgroups', has: false, offers: undefined },
      { name: 'timestamp-query', has: false, offers: undefined },
    ],
  );
  assert.ok(low.every(({ name }) => unknown.some((other) => other.name === name)));
  device.destroy();
});

test('destroying the engine leaves nothing of its own on the device, and all of the app’s', async () => {
  const { device } = await hostDevice();
  const own = hostBuffer(device, [1, 2, 3, 4]);
  const watch = watchDevice(device);
  const engine = Engine.from(device);
  const model = createResNet(engine, 'resnet8', { classes: 3, width: 4, inChannels: 1 });
  const optimizer = new SGD(model, { lr: 0.1, momentum: 0.9 });
  const train = capture(engine, (images: Tensor, targets: Tensor) => {
    const loss = crossEntropy(model.forward(images), targets);
    loss.backward();
    optimizer.step();
    optimizer.zeroGrad();
    return loss;
  });
  const images = engine.normal([2, 8, 8, 1]);
  const targets = engine.tensor(Int32Array.of(0, 2));
  for (let i = 0; i < 3; i++) await train(images, targets).item();
  if (device.features.has('timestamp-query')) await engine.profile(() => void train(images, targets));
  const wrapped = wrap(engine, own, { shape: [4] });
  const doubled = wrapped.mul(2);
  await engine.flush();
  const lease = borrow(doubled);
  const encoder = device.createCommandEncoder();
  optimizer.lr = 0.05;
  encode(train, encoder, images, targets);
  optimizer.lr = 0.02; // the rates are uploaded within the encoder
  encode(train, encoder, images, targets);
  submitted(engine);
  const { buffer } = lease;
  void engine.ones([5]).add(1);
  await engine.destroy();
  assert.ok(watch.made > 50, `${watch.made} made`);
  assert.is(watch.alive.size, 0);
  lease.dispose();
  wrapped.dispose();
  assert.is(watch.alive.has(buffer), false);
  assert.equal(await hostRead(device, own), [1, 2, 3, 4]);
  assert.instance(
    errorOf(() => submitted(engine)),
    DeviceLostError,
  );
  assert.instance(
    errorOf(() => wrap(engine, own, { shape: [4] })),
    DeviceLostError,
  );
  device.destroy();
});

test('an engine destroyed before the app submits leaves nothing either', async () => {
  const { device } = await hostDevice();
  const watch = watchDevice(device);
  const engine = Engine.from(device);
  const x = engine.ones([4]);
  await x.add(1).data();
  const encoder = device.createCommandEncoder();
  recordInto(engine, encoder, () => {
    x.add(1);
    engine.write(x.storage, Float32Array.of(1, 2, 3, 4));
  });
  x.add(2);
  await engine.destroy();
  assert.is(watch.alive.size, 0);
  device.destroy();
});

test('errors of the engine’s own work reach its user alone', async () => {
  const { device } = await hostDevice();
  const told = heard(device);
  const engine = Engine.from(device);
  const kernel = { name: 'broken', source: wgsl`@compute @workgroup_size(1) fn main() { let x = 1.0 + true; }` };
  engine.dispatch({ kernel, buffers: [], workgroups: [1] });
  const reason = await reasonOf(engine.sync());
  assert.instance(reason, ValidationError);
  assert.match(reason.message, /^broken\/?\w*: the kernel did not compile/);
  assert.equal(told, { listener: [], handler: [] });
  await engine.destroy();
  device.destroy();
});

test('errors of the app reach the app, and the engine only with work of its own', async () => {
  const { device } = await hostDevice();
  const told = heard(device);
  const engine = Engine.from(device);
  const x = engine.ones([4]);
  const target = hostBuffer(device, [0, 0, 0, 0]);
  const y = engine.scope(() => x.add(1));
  await engine.sync();
  /** Copies beyond the end of a buffer. */
  const fail = (encoder: GPUCommandEncoder) => encoder.copyBufferToBuffer(target, 0, target, 16, 16);
  submit(device, fail);
  await device.queue.onSubmittedWorkDone();
  assert.ok(told.listener.length > 0);
  assert.equal(told.handler, told.listener);
  await engine.sync();

  const before = told.listener.length;
  submit(device, (encoder) => {
    copyTo(y, encoder, target);
    fail(encoder);
  });
  submitted(engine);
  const reason = await reasonOf(engine.sync());
  assert.instance(reason, ValidationError);
  assert.ok(told.listener.length > before);
  assert.equal(told.handler, told.listener);
  await engine.sync();
  assert.equal(await hostRead(device, target), [0, 0, 0, 0]);

  await engine.destroy();
  submit(device, fail);
  await device.queue.onSubmittedWorkDone();
  assert.ok(told.listener.length > before + 1, 'the app still hears when the engine is gone');
  device.destroy();
});

test('the loss of the device reaches both', async () => {
  const { device } = await hostDevice();
  const engine = Engine.from(device);
  const x = engine.ones([4]);
  await x.data();
  device.destroy();
  assert.is((await device.lost).reason, 'destroyed');
  assert.instance(await reasonOf(x.data()), DeviceLostError);
  assert.instance(
    errorOf(() => recordInto(engine, {} as GPUCommandEncoder, () => {})),
    DeviceLostError,
  );
  await engine.destroy();
});

test('two engines share one device, and a buffer of one is a tensor of the other', async () => {
  const { device } = await hostDevice();
  const [one, other] = [Engine.from(device), Engine.from(device)];
  const x = one.arange(4).add(1);
  await one.flush();
  const lease = borrow(x);
  const y = wrap(other, lease.buffer, { shape: [2, 2] }).mul(10);
  assert.equal(await y.array(), [
    [10, 20],
    [30, 40],
  ]);
  lease.dispose();
  await one.destroy();
  assert.equal([...(await y.add(1).data())], [11, 21, 31, 41]);
  await other.destroy();
  const pass = hostPass(device, 'value + 1.0');
  const buffer = hostBuffer(device, [1]);
  submit(device, (encoder) => pass(encoder, { buffer }));
  assert.equal(await hostRead(device, buffer), [2]);
  device.destroy();
});

test.run();
