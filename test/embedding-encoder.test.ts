/** The engine's work in an app's own command encoder: its order, its uploads, and what cannot be put there. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ArgumentError,
  borrow,
  capture,
  copyTo,
  dropout,
  Engine,
  encode,
  recordInto,
  submitted,
  type Tensor,
  wgsl,
  wrap,
} from '../src/index.ts';
import { errorOf, uniform } from './support/engine.ts';
import { hostBuffer, hostDevice, hostPass, hostRead, submit, watchDevice } from './support/host.ts';

const { device } = await hostDevice();
test.after(() => device.destroy());

let engine!: Engine;
test.before.each(() => {
  engine = Engine.from(device);
});
test.after.each(() => engine.destroy());

function refused(fn: () => unknown, message: RegExp): void {
  const error = errorOf(fn);
  assert.instance(error, ArgumentError, String(error));
  assert.match(error.message, message);
}

const reasonOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'nothing was thrown',
    (error: Error) => error.message,
  );

test('three passes of the app’s and three of the engine’s take turns in one command buffer', async () => {
  const times = hostPass(device, 'value * 3.0');
  const buffer = hostBuffer(device, [1, 2, 3, 4]);
  const shared = wrap(engine, buffer, { shape: [4] });
  // Each turn subtracts the index of the turn, in the app's buffer.
  const turn = (i: number) => engine.copy(shared.sub(i).storage, shared.storage, 16);
  const last = capture(engine, (x: Tensor) => x.sub(3));
  for (let i = 0; i < 3; i++) last(shared);
  engine.scope(() => void shared.sub(1));
  await engine.flush();

  const watch = watchDevice(device);
  const encoder = device.createCommandEncoder();
  times(encoder, { buffer });
  recordInto(engine, encoder, () => turn(1));
  times(encoder, { buffer });
  recordInto(engine, encoder, () => turn(2));
  times(encoder, { buffer });
  const result = encode(last, encoder, shared);
  assert.equal([watch.submissions, watch.maps, watch.uploads], [0, 0, 0]);
  assert.is(watch.copies, 2, 'those of the two turns, and none of an input');
  device.queue.submit([encoder.finish()]);
  submitted(engine);
  assert.is(watch.submissions, 1);
  const expected = [1, 2, 3, 4].map((x) => ((x * 3 - 1) * 3 - 2) * 3);
  assert.equal(
    [...(await result.data())],
    expected.map((x) => x - 3),
  );
  assert.equal(await hostRead(device, buffer), expected);
  last.dispose();
});

test('what comes before, between and after keeps its place', async () => {
  const buffer = hostBuffer(device, [1]);
  const x = wrap(engine, buffer, { shape: [1] });
  const add = hostPass(device, 'value + 1.0');
  await x.mul(10).add(x).data();
  const before = x.mul(10); // 10, of 1
  let inside!: Tensor;
  let between!: Tensor;
  let second!: Tensor;
  submit(device, (encoder) => {
    add(encoder, { buffer }); // 2
    inside = recordInto(engine, encoder, () => x.mul(10)); // 20
    add(encoder, { buffer }); // 3
    between = x.mul(10); // 30: it goes there with the next piece
    second = recordInto(engine, encoder, () => between.add(x)); // 33
    add(encoder, { buffer }); // 4
  });
  const after = x.mul(10); // 40
  submitted(engine);
  const values = await Promise.all([before, inside, between, second, after].map((y) => y.item()));
  assert.equal(values, [10, 20, 30, 33, 40]);
});

test('what is made inside is freed, but for what is returned', async () => {
  const x = engine.ones([50]);
  await engine.scope(() => x.mul(2).add(1)).data();
  const { liveBuffers } = engine.memory();
  submit(device, (encoder) => {
    const y = recordInto(engine, encoder, () => x.mul(2).add(1));
    assert.is(engine.memory().liveBuffers, liveBuffers + 1);
    y.dispose();
  });
  submitted(engine);
  assert.is(engine.memory().liveBuffers, liveBuffers);
});

test('uploads inside come where they were made', async () => {
  const x = engine.ones([4]);
  await x.add(1).data();
  const y = [1, 2, 3].map(() => [] as Tensor[]);
  const upload = (value: number) => engine.write(x.storage, new Float32Array(4).fill(value));
  submit(device, (encoder) => {
    upload(2);
    recordInto(engine, encoder, () => {
      y[0]!.push(engine.keep(x.add(1)));
      upload(3);
      y[0]!.push(engine.keep(x.add(1)));
    });
    upload(4);
    recordInto(engine, encoder, () => {
      y[1]!.push(engine.keep(x.add(1)));
      // Of the buffers that the first piece has freed.
      for (let i = 0; i < 4; i++) y[1]!.push(engine.keep(engine.full([4], 10 + i).add(1)));
    });
    upload(5);
    y[2]!.push(x.add(1));
  });
  upload(6);
  submitted(engine);
  const values = async (of: Tensor[]) => Promise.all(of.map(async (t) => (await t.data())[3]));
  assert.equal(await Promise.all(y.map(values)), [[3, 4], [5, 11, 12, 13, 14], [6]]);
  assert.equal([...(await x.data())], [6, 6, 6, 6]);
});

test('an upload to what the app’s own passes read comes behind them', async () => {
  const scale = hostPass(device, 'value * 2.0');
  const buffer = hostBuffer(device, [1, 1]);
  const wrapped = wrap(engine, buffer, { shape: [2] });
  const [x, freed, other] = [engine.ones([2]), engine.ones([3]), engine.ones([4])];
  const seen = [2, 2, 3].map((n) => hostBuffer(device, new Array(n).fill(0)));
  await other.add(1).data();
  const [lease, ended] = [borrow(x), borrow(freed)];
  let next!: Tensor;
  submit(device, (encoder) => {
    recordInto(engine, encoder, () => void other.add(1));
    for (const [i, target] of [{ buffer }, lease, ended].entries()) {
      scale(encoder, target);
      encoder.copyBufferToBuffer(target.buffer, 0, seen[i]!, 0, seen[i]!.size);
    }
    engine.write(x.storage, Float32Array.of(7, 7));
    engine.write(wrapped.storage, Float32Array.of(8, 8));
    const of = ended.buffer;
    ended.dispose();
    freed.dispose();
    next = engine.tensor([9, 9, 9]);
    assert.is(next.storage.buffer, of, 'the pool’s again');
  });
  submitted(engine);
  for (const copy of seen) assert.ok((await hostRead(device, copy)).every((value) => value === 2));
  assert.equal([...(await x.data())], [7, 7]);
  assert.equal([...(await wrapped.data())], [8, 8]);
  assert.equal([...(await next.data())], [9, 9, 9]);
});

test('a step with random numbers draws the same, encoded or not, several times in one encoder', async () => {
  const draws = async (encoded: boolean) => {
    engine.seed(3);
    const step = capture(engine, (x: Tensor) => dropout(x, 0.5).add(engine.uniform([20])));
    const x = engine.ones([20]);
    const results: number[][] = [];
    const target = hostBuffer(device, new Array(60).fill(0));
    for (let i = 0; i < 2; i++) results.push([...(await step(x).data())]);
    for (let frame = 0; frame < 2; frame++) {
      const encoder = device.createCommandEncoder();
      for (let i = 0; i < 3; i++) {
        if (encoded) copyTo(encode(step, encoder, x), encoder, target, 80 * i);
        else results.push([...(await step(x).data())]);
      }
      device.queue.submit([encoder.finish()]);
      submitted(engine);
      if (!encoded) continue;
      const all = await hostRead(device, target);
      results.push(all.slice(0, 20), all.slice(20, 40), all.slice(40));
    }
    step.dispose();
    return results;
  };
  const plain = await draws(false);
  assert.is(new Set(plain.map(String)).size, 8);
  assert.equal(await draws(true), plain);
});

test('a step encodes its latest inputs again where they lie, and needs a recording', async () => {
  const double = capture(engine, (x: Tensor) => x.mul(2));
  const x = engine.full([4], 3);
  const encoder = device.createCommandEncoder();
  refused(() => encode((() => x) as never, encoder, x), /^encode: takes a captured step; a function.*capture\(/);
  refused(() => encode(double, encoder), /^encode: the step is not recorded for inputs \(\)\. Call it twice with them/);
  double(x);
  refused(() => encode(double, encoder, x), /not recorded for inputs \(f32\[4\]\)/);
  double(x);
  await engine.flush();
  refused(() => encode(double, encoder, engine.ones([5])), /not recorded for inputs \(f32\[5\]\)/);
  const result = encode(double, encoder);
  device.queue.submit([encoder.finish()]);
  submitted(engine);
  assert.equal([...(await result.data())], [6, 6, 6, 6]);
  double.dispose();
});

test('a buffer of the app’s is an input by reference, and each has a recording of its own', async () => {
  const told: string[] = [];
  const own = Engine.from(device, { warn: (message) => told.push(message) });
  const step = capture(own, (x: Tensor, y: Tensor) => x.mul(y), { maxRecordings: 2 });
  const buffers = [hostBuffer(device, [1, 2]), hostBuffer(device, [3, 4])];
  const y = own.full([2], 10);
  const call = (buffer: GPUBuffer) => own.scope(() => step(wrap(own, buffer, { shape: [2] }), y));
  for (let i = 0; i < 3; i++) {
    for (const buffer of buffers)
      assert.equal([...(await call(buffer).data())], buffer === buffers[0] ? [10, 20] : [30, 40]);
  }
  assert.is(step.recordings, 2);
  const watch = watchDevice(device);
  const encoder = device.createCommandEncoder();
  encode(step, encoder, wrap(own, buffers[0]!, { shape: [2] }), y);
  assert.is(watch.copies, 1, 'the other input');
  device.queue.submit([encoder.finish()]);
  submitted(own);
  assert.equal(told, []);
  const { bytes } = step.memory;
  assert.is(bytes % 8, 0);
  call(hostBuffer(device, [5, 6]));
  call(hostBuffer(device, [5, 6]));
  assert.is(told.length, 1);
  assert.match(told[0]!, /given 3 buffers of the app's, each of which takes a recording of its own/);
  await own.destroy();
});

test('one encoder at a time, until the app has submitted', async () => {
  const x = engine.ones([2]);
  await x.add(1).data();
  const [first, second] = [device.createCommandEncoder(), device.createCommandEncoder()];
  const y = recordInto(engine, first, () => x.add(1));
  const unsubmitted =
    /an encoder of the app's holds work .* not been submitted\. Submit it and call submitted\(engine\) first/;
  refused(() => recordInto(engine, second, () => {}), unsubmitted);
  refused(() => copyTo(x, second, hostBuffer(device, [0, 0])), unsubmitted);
  for (const wait of [() => y.data(), () => engine.sync(), () => engine.flush(), () => engine.profile(() => {})]) {
    assert.match(await reasonOf(wait()), unsubmitted);
  }
  assert.is(borrow(y).size, 8, 'it is in the encoder');
  const later = x.add(5);
  refused(() => borrow(later), unsubmitted);
  device.queue.submit([first.finish()]);
  submitted(engine);
  assert.equal([...(await y.data())], [2, 2]);
  assert.equal([...(await later.data())], [6, 6]);
  submitted(engine);
  recordInto(engine, second, () => {});
  await engine.sync();
});

test('an encoder that the app gives up takes its work with it, and the engine goes on', async () => {
  const x = engine.ones([2]);
  await x.add(1).data();
  recordInto(engine, device.createCommandEncoder(), () => engine.copy(x.add(1).storage, x.storage, 8));
  const y = x.add(1);
  submitted(engine);
  assert.equal([...(await y.data())], [2, 2]);
});

test('nothing is read inside', async () => {
  const x = engine.ones([2]);
  await x.add(1).data();
  let reading!: Promise<string>;
  const encoder = device.createCommandEncoder();
  recordInto(engine, encoder, () => {
    reading = reasonOf(x.add(1).data());
  });
  assert.match(await reading, /^read: what is recorded for an app's encoder has not run.*Return the tensors/);
  device.queue.submit([encoder.finish()]);
  submitted(engine);
  refused(() => recordInto(engine, encoder, async () => {}), /the function is asynchronous/);
});

/** A kernel that no other test has compiled. */
const fresh = (value: number) => ({
  name: `fresh${value}`,
  source: wgsl`@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn main() { y[0] = f32(VALUE); }`,
});
const launch = (y: Tensor, value: number) =>
  engine.dispatch({ kernel: fresh(value), constants: { VALUE: value }, buffers: [y.storage], workgroups: [1] });

test('what still compiles is refused, and runs without the encoder', async () => {
  const x = engine.ones([1]);
  const encoder = device.createCommandEncoder();
  launch(x, 1001);
  refused(
    () => recordInto(engine, encoder, () => {}),
    /^recordInto: what was recorded waits for kernels.*`await engine\.flush\(\)` first/,
  );
  await engine.flush();
  refused(
    () => recordInto(engine, encoder, () => launch(x, 1002)),
    /^recordInto: what was recorded waits for kernels to compile \(fresh1002\S*\)\. What the function did goes to the queue without/,
  );
  assert.is(await x.item(), 1002);
  const before = engine.memory().liveBuffers;
  const result = () => {
    const y = x.mul(2);
    launch(y, 1004);
    return y;
  };
  refused(() => recordInto(engine, encoder, result), /^recordInto: what was recorded waits for kernels/);
  assert.is(engine.memory().liveBuffers, before, 'what it returned is nobody’s');
  await engine.flush();
  recordInto(engine, encoder, () => launch(x, 1001));
  device.queue.submit([encoder.finish()]);
  submitted(engine);
  assert.is(await x.item(), 1001);

  const step = capture(engine, (y: Tensor) => {
    const z = y.add(0);
    launch(z, calls++ === 0 ? 1001 : 1003);
    return z;
  });
  let calls = 0;
  step(x);
  step(x);
  refused(
    () => encode(step, device.createCommandEncoder(), x),
    /^encode: what was recorded waits for kernels to compile \(.*fresh1003/,
  );
  await engine.flush();
  const last = device.createCommandEncoder();
  const z = encode(step, last, x);
  device.queue.submit([last.finish()]);
  submitted(engine);
  assert.is(await z.item(), 1003);
  step.dispose();
});

test('a kernel that is wrong, and a function that throws, leave the encoder as it was', async () => {
  const x = engine.ones([1]);
  const kernel = { name: 'wrong', source: wgsl`@compute @workgroup_size(1) fn main() { let x = 1.0 + true; }` };
  engine.dispatch({ kernel, buffers: [], workgroups: [1] });
  assert.match(await reasonOf(engine.sync()), /the kernel did not compile/);
  const encoder = device.createCommandEncoder();
  const wrong = () => engine.dispatch({ kernel, buffers: [], workgroups: [1] });
  assert.match(errorOf(() => recordInto(engine, encoder, wrong)).message, /wrong.*the kernel did not compile/);
  assert.match(await reasonOf(engine.sync()), /the kernel did not compile/);
  const fail = () => {
    engine.copy(engine.full([1], 5).storage, x.storage, 4);
    throw new Error('as it does');
  };
  assert.is(errorOf(() => recordInto(engine, encoder, fail)).message, 'as it does');
  assert.is(await x.item(), 5, 'what it did goes to the queue by itself');
  await engine.sync();
});

test('inside a captured step or a profile there is no encoder', async () => {
  const encoder = device.createCommandEncoder();
  const step = capture(engine, (x: Tensor) => {
    if (engine.isRecording)
      refused(() => recordInto(engine, encoder, () => x.add(1)), /was called inside a captured step/);
    return x.add(1);
  });
  const x = engine.ones([2]);
  for (let i = 0; i < 3; i++) step(x);
  if (device.features.has('timestamp-query')) {
    await engine.profile(() => refused(() => recordInto(engine, encoder, () => {}), /was called inside a profile/));
  }
  await engine.sync();
  step.dispose();
});

test('captured steps, scopes and snapshots go inside', async () => {
  const step = capture(engine, (x: Tensor) => x.mul(2));
  const x = engine.tensor(uniform(5, 1));
  const expected = (await x.data()).map((v) => Math.fround(v * 2) + 1);
  for (let i = 0; i < 2; i++) await step(x).add(1).data();
  const target = hostBuffer(device, new Array(5).fill(0));
  submit(device, (encoder) => {
    recordInto(engine, encoder, () => {
      const y = engine.scope(() => step(x).add(1));
      copyTo(y, encoder, target);
      return encode(step, encoder, y);
    });
  });
  submitted(engine);
  assert.equal(await hostRead(device, target), [...Float32Array.from(expected)]);
  step.dispose();
});

test.run();
