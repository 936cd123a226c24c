/** Buffers shared with an app: the engine's lent to it, and its own wrapped as tensors. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ArgumentError,
  borrow,
  capture,
  copyTo,
  DTypeError,
  Engine,
  FreedTensorError,
  Linear,
  recordInto,
  SGD,
  ShapeError,
  submitted,
  supportsF16,
  type Tensor,
  ValidationError,
  wrap,
} from '../src/index.ts';
import { errorOf } from './support/engine.ts';
import { ALL, hostBuffer, hostDevice, hostPass, hostRead, submit, watchDevice } from './support/host.ts';

const { device } = await hostDevice();
const engine = Engine.from(device);
test.after(async () => {
  await engine.destroy();
  device.destroy();
});

/** What a call is refused with. */
function refused(fn: () => unknown, message: RegExp, type: typeof ArgumentError = ArgumentError): void {
  const error = errorOf(fn);
  assert.instance(error, type, String(error));
  assert.match(error.message, message);
}

const reasonOf = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => new Error('nothing was thrown'),
    (error) => error,
  );

test('a kernel of the app’s runs on a borrowed buffer, without a copy', async () => {
  const x = engine.arange(100);
  await engine.flush();
  const watch = watchDevice(device);
  const lease = borrow(x);
  assert.equal([lease.offset, lease.size], [0, 400]);
  submit(device, (encoder) => hostPass(device, 'value * 2.0 + 1.0')(encoder, lease));
  const y = x.add(0.5);
  assert.equal([watch.maps, watch.copies, watch.uploads], [0, 0, 0]);
  lease.dispose();
  assert.equal(
    [...(await y.data())],
    Array.from({ length: 100 }, (_, i) => 2 * i + 1.5),
  );
});

test('a lease keeps the buffer from the pool, also when the tensor is freed', async () => {
  const fill = hostPass(device, '7.0');
  const x = engine.ones([33]);
  await engine.flush();
  const { liveBuffers } = engine.memory();
  const lease = borrow(x);
  const { buffer } = lease;
  x.dispose();
  assert.is(engine.memory().liveBuffers, liveBuffers);
  const others = Array.from({ length: 4 }, (_, i) => engine.full([33], i));
  assert.ok(others.every(({ storage }) => storage.buffer !== buffer));
  submit(device, (encoder) => fill(encoder, lease));
  assert.equal(await hostRead(device, buffer), new Array(33).fill(7));
  for (const [i, other] of others.entries()) assert.equal([...(await other.data())], new Array(33).fill(i));
  lease.dispose();
  lease.dispose();
  assert.is(engine.memory().liveBuffers, liveBuffers - 1 + 4);
  assert.is(engine.zeros([33]).storage.buffer, buffer, 'it is the pool’s again');
  for (const property of ['buffer', 'offset', 'size'] as const) {
    assert.instance(
      errorOf(() => lease[property]),
      FreedTensorError,
    );
  }
  assert.match(errorOf(() => lease.buffer).message, /^borrow: this lease was disposed of.*Borrow the tensor again/);
  assert.instance(
    errorOf(() => borrow(x)),
    FreedTensorError,
  );
});

test('a lease ends with its block', () => {
  const { liveBuffers } = engine.memory();
  {
    using lease = borrow(engine.scope(() => engine.zeros([7])));
    assert.is(lease.size, 28);
  }
  assert.is(engine.memory().liveBuffers, liveBuffers + 1, 'the tensor itself');
});

test('what is borrowed is in the queue, or the call says what to wait for', async () => {
  const fresh = Engine.from(device);
  const x = fresh.arange(2000).mul(3);
  refused(() => borrow(x), /^borrow: what was recorded waits for kernels to compile\. `await engine\.flush\(\)` first/);
  await fresh.flush();
  const y = x.mul(2);
  const lease = borrow(y);
  assert.is((await hostRead(device, lease.buffer))[1999], 1999 * 6);
  lease.dispose();
  let calls = 0;
  const step = capture(fresh, (input: Tensor) => {
    const made = input.mul(2);
    if (++calls === 2)
      refused(() => borrow(made), /^borrow: a tensor of a step that is being recorded has no buffer yet/);
    return made;
  });
  for (let i = 0; i < 3; i++) assert.is((await step(x).data())[1], 6);
  assert.is(calls, 2);
  await fresh.destroy();
});

test('what a captured step returns stays in the same buffer', async () => {
  const double = capture(engine, (x: Tensor) => x.mul(2));
  for (const value of [1, 2]) await double(engine.full([8], value)).data();
  const lease = borrow(double(engine.full([8], 3)));
  await engine.flush();
  assert.is((await hostRead(device, lease.buffer))[0], 6);
  double(engine.full([8], 4));
  await engine.flush();
  assert.is((await hostRead(device, lease.buffer))[0], 8);
  lease.dispose();
  double.dispose();
});

test('a wrapped buffer is a tensor where it lies', async () => {
  const buffer = hostBuffer(device, [1, 2, 3, 4, 5, 6], ALL, 256);
  const before = engine.memory();
  const watch = watchDevice(device);
  const x = wrap(engine, buffer, { shape: [2, 3], offset: 256 });
  assert.equal([x.shape, x.dtype], [[2, 3], 'f32']);
  const y = x.matmul(x.transpose());
  assert.equal([watch.maps, watch.copies, watch.uploads], [0, 0, 0]);
  assert.equal(await y.array(), [
    [14, 32],
    [32, 77],
  ]);
  assert.equal(await x.array(), [
    [1, 2, 3],
    [4, 5, 6],
  ]);
  assert.equal(await x.reshape([3, 2]).sum().item(), 21);
  assert.is(wrap(engine, buffer, { shape: [1], dtype: 'u32', offset: 256 }).dtype, 'u32');
  y.dispose();
  x.dispose();
  assert.ok(engine.memory().liveBytes <= before.liveBytes + 4 + 24, 'none of it counts as the engine’s');
  assert.equal(await hostRead(device, buffer, 256), [1, 2, 3, 4, 5, 6]);
  refused(() => x.add(1), /was freed/, FreedTensorError);
  buffer.destroy();
});

test('what is written in place is written there, in order with what was recorded', async () => {
  const buffer = hostBuffer(device, [1, 2, 3, 4]);
  const x = wrap(engine, buffer, { shape: [4] });
  const same = wrap(engine, buffer, { shape: [4] });
  const first = x.add(0);
  engine.write(same.storage, Float32Array.of(9, 9), 8);
  const second = x.add(0);
  engine.copy(engine.full([4], 5).storage, x.storage, 8);
  const third = same.add(0);
  assert.equal([...(await first.data())], [1, 2, 3, 4]);
  assert.equal([...(await second.data())], [1, 2, 9, 9]);
  assert.equal([...(await third.data())], [5, 5, 9, 9]);
  assert.equal(await hostRead(device, buffer), [5, 5, 9, 9]);
  assert.equal([...(await x.data())], [5, 5, 9, 9]);
});

test('an optimizer updates a parameter in the app’s buffer', async () => {
  const buffer = hostBuffer(device, [4, -2]);
  const layer = new Linear(engine, 2, 1, { bias: false });
  layer.weight.dispose();
  const parameter = wrap(engine, buffer, { shape: [2, 1] });
  parameter.requiresGrad = true;
  layer.weight = parameter;
  const optimizer = new SGD(layer, { lr: 0.25 });
  engine.scope(() => parameter.square().sum().backward());
  optimizer.step();
  optimizer.zeroGrad();
  await engine.flush();
  assert.equal(await hostRead(device, buffer), [2, -1]);
  optimizer.dispose();
});

test('a snapshot is what the tensor holds at that point', async () => {
  const target = hostBuffer(device, [0, 0, 0, 0, 0]);
  const x = engine.full([2], 3);
  await x.add(1).data();
  submit(device, (encoder) => {
    copyTo(x, encoder, target, 4);
    x.dispose();
    // Whatever takes the buffer now comes behind the app's submission.
    engine.full([2], 8);
  });
  const later = engine.full([2], 9).add(1);
  submitted(engine);
  assert.equal(await hostRead(device, target), [0, 3, 3, 0, 0]);
  assert.equal([...(await later.data())], [10, 10]);
});

test('buffers that do not fit are refused with what to do', async () => {
  const usage = 0x80 | 0x08;
  const buffer = hostBuffer(device, new Array(128).fill(0), usage);
  const none = undefined as unknown as GPUBuffer;
  const wrapped =
    (of: GPUBuffer, shape: number[], offset = 0) =>
    () =>
      wrap(engine, of, { shape, offset });
  refused(wrapped(none, [1]), /^wrap: takes a GPUBuffer/);
  refused(
    wrapped(buffer, [129]),
    /^wrap: 516 bytes at offset 0 do not fit into the buffer "of the app" of 512 bytes\. Elements take 4/,
  );
  refused(wrapped(buffer, [65], 256), /260 bytes at offset 256 do not fit/);
  for (const offset of [4, -256, 0.5, Number.NaN])
    refused(wrapped(buffer, [1], offset), /is not a multiple of 256 bytes/);
  refused(
    wrapped(hostBuffer(device, [1], 0x40 | 0x08), [1]),
    /without the usage STORAGE\. Create it with GPUBufferUsage\.STORAGE/,
  );
  refused(wrapped(buffer, [0]), /wrap/, ShapeError);
  refused(() => wrap(engine, buffer, { shape: [1], dtype: 'f64' as 'f32' }), /unknown dtype f64/, DTypeError);
  const mapped = device.createBuffer({ size: 4, usage: ALL, mappedAtCreation: true });
  refused(wrapped(mapped, [1]), /is mapped, which keeps the GPU from it\. Call unmap\(\) first/);
  mapped.destroy();
  if (supportsF16(engine)) {
    refused(() => wrap(engine, hostBuffer(device, [0]), { shape: [3], dtype: 'f16' }), /8 bytes at offset 0/);
    assert.is(wrap(engine, hostBuffer(device, [0]), { shape: [2], dtype: 'f16' }).size, 2);
  }

  const unreadable = wrap(engine, buffer, { shape: [2] });
  assert.equal([...(await unreadable.add(1).data())], [1, 1]);
  const reason = await reasonOf(unreadable.data());
  assert.match(reason.message, /^read: the buffer "of the app" of 512 bytes was made without the usage COPY_SRC/);
  const constant = wrap(engine, hostBuffer(device, [1, 2], 0x80), { shape: [2] });
  refused(() => engine.write(constant.storage, Float32Array.of(1)), /^write: .*without the usage COPY_DST/);
  refused(() => engine.copy(unreadable.storage, engine.zeros([2]).storage, 8), /^copy: .*COPY_SRC/);

  const x = engine.ones([2]);
  const encoder = device.createCommandEncoder();
  refused(() => copyTo(x, encoder, none), /^copyTo: takes a GPUBuffer/);
  refused(() => copyTo(x, encoder, buffer, 508), /^copyTo: 8 bytes at offset 508 do not fit/);
  refused(() => copyTo(x, encoder, buffer, 2), /offset 2 is not a multiple of 4 bytes/);
  refused(() => copyTo(x, encoder, hostBuffer(device, [1, 2], 0x80)), /^copyTo: .*without the usage COPY_DST/);
  refused(() => copyTo(x, {} as GPUCommandEncoder, buffer), /^copyTo: takes a GPUCommandEncoder/);
  refused(() => copyTo(unreadable, encoder, buffer), /^copyTo: the tensor lies in the buffer/);
  await engine.sync();
});

test('a buffer of another device is told at the next wait', async () => {
  const other = await hostDevice();
  const buffer = hostBuffer(other.device, [1, 2]);
  const own = Engine.from(device);
  own.scope(() => wrap(own, buffer, { shape: [2] }).add(1));
  const reason = await reasonOf(own.sync());
  assert.instance(reason, ArgumentError, String(reason));
  assert.match(
    reason.message,
    /^wrap: the device cannot use the buffer "of the app" of 8 bytes: .*Wrap buffers of the engine's own device/,
  );
  await reasonOf(own.sync());
  assert.equal([...(await own.ones([2]).add(1).data())], [2, 2]);
  await own.destroy();
  other.device.destroy();
});

test('a wrapped buffer that the app destroyed is told at the next wait, and the engine goes on', async () => {
  const unheard: string[] = [];
  const listen = ({ error }: GPUUncapturedErrorEvent) => unheard.push(error.message);
  device.addEventListener('uncapturederror', listen);
  const buffer = hostBuffer(device, [1, 2]);
  const x = wrap(engine, buffer, { shape: [2] });
  const double = capture(engine, (input: Tensor) => input.mul(2));
  for (let i = 0; i < 3; i++) assert.equal([...(await double(x).data())], [2, 4]);
  buffer.destroy();
  for (const use of [() => x.add(1), () => double(x), () => engine.write(x.storage, Float32Array.of(1))]) {
    engine.scope(() => void use());
    const reason = await reasonOf(engine.sync());
    assert.instance(reason, ValidationError, String(reason));
    assert.match(reason.message, /destroyed.* Dispose of tensors that wrap a buffer.*before you destroy it/);
  }
  assert.equal(unheard, [], 'they are the engine’s');
  submit(device, (encoder) => recordInto(engine, encoder, () => void x.add(1)));
  submitted(engine);
  assert.match((await reasonOf(engine.sync())).message, /destroyed.* Dispose of tensors/);
  assert.ok(unheard.length > 0, 'that submission was the app’s');
  x.dispose();
  double.dispose();
  device.removeEventListener('uncapturederror', listen);
  assert.equal([...(await engine.ones([2]).add(1).data())], [2, 2]);
});

test.run();
