/** What the engine owes its user and its host: errors that surface, an order, and an end that leaves nothing behind. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { recordingMeans } from '../src/gpu/recording/recordings.ts';
import { wgsl } from '../src/gpu/wgsl/link-wgsl.ts';
import {
  ArgumentError,
  capture,
  DeviceLostError,
  Engine,
  EngramError,
  enableGrad,
  noGrad,
  OutOfMemoryError,
  type Tensor,
  ValidationError,
} from '../src/index.ts';
import { engine, errorOf } from './support/engine.ts';
import { unheardWhile } from './support/unheard.ts';

const reasonOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'nothing was thrown',
    (error) => error,
  );

/** Calls `fn` while the device says of the next buffer that there was no memory for it, and gives one that cannot be used. */
function withoutMemory<T>(device: GPUDevice, fn: () => T): T {
  const { createBuffer, popErrorScope } = device;
  device.createBuffer = (descriptor) => {
    device.createBuffer = createBuffer;
    device.pushErrorScope('validation');
    const invalid = createBuffer.call(device, { ...descriptor, usage: 0xffff });
    void popErrorScope.call(device);
    return invalid;
  };
  device.popErrorScope = () => {
    device.popErrorScope = popErrorScope;
    return popErrorScope.call(device).then(() => ({ message: 'no memory' }) as GPUError);
  };
  return fn();
}

test('a buffer that the device had no memory for serves no other tensor', async () => {
  const own = await Engine.create();
  const x = withoutMemory(own.device, () => own.zeros([333]));
  const reason = await reasonOf(x.data());
  assert.instance(reason, OutOfMemoryError, String(reason));
  assert.match((reason as Error).message, /^zeros: the device could not give 1332 bytes/);
  await reasonOf(own.sync());
  x.dispose();
  for (let i = 0; i < 3; i++) assert.equal(await own.full([333], i).data(), new Float32Array(333).fill(i));
  own.scope(() => withoutMemory(own.device, () => own.zeros([444])));
  await reasonOf(own.sync());
  await reasonOf(own.sync());
  assert.equal(await own.ones([444]).data(), new Float32Array(444).fill(1));
  await own.destroy();
});

test('a buffer that is refused at once is an OutOfMemoryError too', async () => {
  const own = await Engine.create();
  const { createBuffer } = own.device;
  own.device.createBuffer = () => {
    own.device.createBuffer = createBuffer;
    throw new RangeError('createBuffer failed');
  };
  const error = errorOf(() => own.zeros([5]));
  assert.instance(error, OutOfMemoryError);
  assert.instance(error.cause, RangeError);
  await own.sync();
  assert.is(own.memory().liveBuffers, 0);
  await own.destroy();
});

test('a read that there is no memory for says so, and the next one works', async () => {
  const own = await Engine.create();
  const x = own.ones([7]);
  const reason = await reasonOf(withoutMemory(own.device, () => x.data()));
  assert.instance(reason, EngramError);
  await reasonOf(own.sync());
  assert.equal(await x.data(), new Float32Array(7).fill(1));
  await own.destroy();
});

test('what the device refuses where nobody listens surfaces at the next read', async () => {
  const own = await Engine.create();
  const x = own.ones([2]);
  own.device.queue.writeBuffer(x.storage.buffer, 0, new Float32Array(9));
  const reason = await reasonOf(x.data());
  assert.instance(reason, ValidationError);
  assert.equal([...(await x.data())], [1, 1]);
  await own.destroy();
});

test('a flush has handed everything over, kernels that were still compiling included', async () => {
  const own = await Engine.create();
  const host = own.device.createBuffer({ size: 16, usage: 0x04 | 0x08 | 0x01 });
  const target = own.zeros([4]);
  const sum = target.add(3).mul(7).sub(1);
  own.copy(sum.storage, target.storage, 16);
  let submissions = 0;
  const { queue } = own.device;
  const { submit } = queue;
  queue.submit = (commands) => {
    submissions++;
    return submit.call(queue, commands);
  };
  const flushed = own.flush();
  assert.instance(flushed, Promise);
  assert.is(submissions, 0, 'the kernels are new');
  await flushed;
  assert.is(submissions, 1);
  queue.submit = submit;
  // The host's own submission comes behind it.
  const staging = own.device.createBuffer({ size: 16, usage: 0x01 | 0x08 });
  const encoder = own.device.createCommandEncoder();
  encoder.copyBufferToBuffer(target.storage.buffer, 0, staging, 0, 16);
  queue.submit([encoder.finish()]);
  await staging.mapAsync(1);
  assert.equal([...new Float32Array(staging.getMappedRange())], [20, 20, 20, 20]);
  host.destroy();
  staging.destroy();
  await own.flush();
  await own.destroy();
  assert.instance(await reasonOf(own.flush()), DeviceLostError);
});

const later = async (): Promise<never> => {
  await null;
  throw new Error('nobody hears this');
};
// biome-ignore lint/suspicious/noThenProperty: a promise that is none of JavaScript's own
const thenable = { then: (_: unknown, no: (error: Error) => void) => no(new Error('nor this')) };

for (const [name, run] of [
  ['scope', (fn: () => unknown) => engine.scope(fn)],
  ['noGrad', (fn: () => unknown) => noGrad(engine, fn)],
  ['enableGrad', (fn: () => unknown) => enableGrad(engine, fn)],
  ['capture', (fn: () => unknown) => capture(engine, fn)()],
  ['capture', (fn: () => unknown) => engine.makeRecording(fn, recordingMeans)],
] as const) {
  test(`an asynchronous function in ${name} is refused, and its rejection does not end the process`, async () => {
    const unheard = await unheardWhile(() => {
      for (const fn of [later, () => thenable]) {
        const error = errorOf(() => run(fn));
        assert.instance(error, ArgumentError);
        assert.match(
          error.message,
          new RegExp(`^${name}: the function is asynchronous.*await their data\\(\\) outside`),
        );
      }
    });
    assert.is(unheard, 0);
    assert.is(engine.scopes.length, 0);
    assert.ok(engine.gradEnabled && !engine.isRecording);
  });
}

test('what a refused asynchronous function makes belongs to no scope', async () => {
  let early!: Tensor;
  let late!: Tensor;
  let done!: Promise<void>;
  errorOf(() =>
    engine.scope(() => {
      done = (async () => {
        early = engine.ones([1]);
        await null;
        late = engine.ones([1]);
      })();
      return done;
    }),
  );
  assert.ok(early.isFreed);
  await done;
  engine.scope(() => {});
  assert.equal([...(await late.data())], [1]);
  late.dispose();
});

test('profile refuses what is asynchronous, and two at once', async (context) => {
  void context;
  if (!engine.device.features.has('timestamp-query')) return;
  const reason = await reasonOf(engine.profile(later as unknown as () => void));
  assert.match(String(reason), /profile: the function is asynchronous/);
  const both = await Promise.allSettled([
    engine.profile(() => void engine.ones([2]).add(1)),
    engine.profile(() => void engine.ones([2]).add(1)),
  ]);
  assert.equal(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  assert.is((await engine.profile(() => void engine.ones([2]).add(1))).launches.length, 1);
});

/** Every buffer that is made on the device from now on, and how many were destroyed. */
function watchBuffers(device: GPUDevice): { made: number; alive: Set<GPUBuffer>; restore(): void } {
  const { createBuffer } = device;
  const watched = { made: 0, alive: new Set<GPUBuffer>(), restore: () => Object.assign(device, { createBuffer }) };
  device.createBuffer = (descriptor) => {
    const buffer = createBuffer.call(device, descriptor);
    watched.made++;
    watched.alive.add(buffer);
    const { destroy } = buffer;
    buffer.destroy = () => {
      watched.alive.delete(buffer);
      return destroy.call(buffer);
    };
    return buffer;
  };
  return watched;
}

test('an engine gives a host’s device back without a buffer, whatever is still alive', async () => {
  const buffers = watchBuffers(engine.device);
  const guest = Engine.from(engine.device);
  const x = guest.arange(3).add(1);
  const step = capture(guest, (input: Tensor) => input.mul(2));
  for (let i = 0; i < 3; i++) await step(x).data();
  guest.full([2000], 1).mul(x.sum());
  const pending = x.data();
  const ending = guest.destroy();
  assert.is(guest.destroy(), ending);
  assert.throws(() => x.add(1), /add.*: the engine was destroyed/);
  assert.equal([...(await pending)], [1, 2, 3]);
  await ending;
  buffers.restore();
  assert.ok(buffers.made > 5);
  assert.is(buffers.alive.size, 0);
  for (const use of [
    () => x.add(1),
    () => step(x),
    () => guest.zeros([1]),
    () => guest.write(x.storage, new Uint32Array(1)),
  ]) {
    assert.instance(errorOf(use), DeviceLostError);
  }
  assert.match(String(await reasonOf(x.data())), /the engine was destroyed/);
  step.dispose();
  x.dispose();
  assert.equal([...(await engine.ones([1]).add(1).data())], [2]);
});

test('subgroup matrices are asked for by a value, not by a flag', () => {
  const flag = true as never;
  assert.throws(
    () => Engine.from(engine.device, { subgroupMatrix: flag }),
    /Engine\.from: subgroupMatrix is true.*import \{ subgroupMatrix \} from 'engram\/subgroup-matrix'/,
  );
});

test('two kernels of one name are told apart by their sources', async () => {
  const writer = (value: string) => ({
    name: 'writer',
    source: wgsl`@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn main() { y[0] = ${value}; }`,
  });
  const written = async (value: string) => {
    const y = engine.zeros([1]);
    engine.dispatch({ kernel: writer(value), buffers: [y.storage], workgroups: [1] });
    return y.item();
  };
  assert.is(await written('1.0'), 1);
  assert.is(await written('2.0'), 2);
});

test('workgroups are whole numbers within the limit', async () => {
  const kernel = {
    name: 'ones',
    source: wgsl`@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) { y[id.x] = 1.0; }`,
  };
  const y = engine.zeros([96]);
  const launch = (...workgroups: [number, number?, number?]) =>
    engine.dispatch({ kernel, buffers: [y.storage], workgroups });
  for (const wrong of [96 / 64, -1, Number.NaN, Infinity]) {
    const error = errorOf(() => launch(1, wrong));
    assert.instance(error, ArgumentError);
    assert.match(
      error.message,
      /^ones: needs 1×\S+ workgroups; they must be whole numbers\. .*Math\.ceil\(rows \/ 64\)/,
    );
  }
  assert.match(errorOf(() => launch(2 ** 20)).message, /^ones: needs 1048576×1×1 workgroups; the device allows \d+ a/);
  launch(0);
  assert.is(await y.sum().item(), 0);
  launch(Math.ceil(96 / 64));
  assert.is(await y.sum().item(), 96);
});

test('what is no device is refused', () => {
  for (const device of [undefined, Promise.resolve(engine.device), {}]) {
    const error = errorOf(() => Engine.from(device as unknown as GPUDevice));
    assert.instance(error, ArgumentError);
    assert.match(error.message, /^Engine\.from: takes a GPUDevice\. Await requestDevice\(\)/);
  }
});

test('warnings go where the engine’s maker says', () => {
  const told: string[] = [];
  const guest = Engine.from(engine.device, { warn: (message) => told.push(message) });
  guest.warn('so');
  assert.equal(told, ['so']);
  return guest.destroy();
});

test.run();
