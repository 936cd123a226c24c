/** A second device that compiles kernels while the first one is busy. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { requestAdapter } from '#adapter';
import { deviceDescriptor } from '../src/gpu/adapter/device-descriptor.ts';
import { CompileAhead } from '../src/gpu/compile-ahead.ts';
import { PipelineCache } from '../src/gpu/pipelines.ts';
import type { Kernel } from '../src/gpu/wgsl/kernel.ts';
import { wgsl } from '../src/gpu/wgsl/link-wgsl.ts';
import './support/engine.ts';

/** A kernel that never ends if it is run, and its number. */
function kernel(id: number): Kernel {
  const source = wgsl`
struct Params { turns: u32, far: array<vec4<u32>, 1000> }
@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read_write> result: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;
@compute @workgroup_size(1) fn main() {
  for (var i = 0u; i < params.turns + 1u; i = i * 2u) {
    result[0] = input[0] + ${id}.0;
  }
}`;
  return { name: `endless${id}`, source };
}

interface Second {
  readonly device: GPUDevice;
  /** Kernels in the order in which they were compiled. */
  readonly compiled: string[];
  /** What was told of, and what was kept back. */
  readonly errors: string[];
  readonly silenced: string[];
}

/** Real devices that tell what is asked of them. */
async function second(): Promise<Second> {
  const choice = await requestAdapter();
  const device = await choice.adapter.requestDevice(deviceDescriptor(choice, () => {}));
  const own: Second = { device, compiled: [], errors: [], silenced: [] };
  const compile = device.createComputePipelineAsync.bind(device);
  device.createComputePipelineAsync = (descriptor) => {
    own.compiled.push(descriptor.label as string);
    return compile(descriptor);
  };
  device.addEventListener('uncapturederror', (event) => {
    own.errors.push(event.error.message);
  });
  const pop = device.popErrorScope.bind(device);
  device.popErrorScope = async () => {
    const error = await pop();
    if (error) own.silenced.push(error.message);
    return error;
  };
  return own;
}

const pipelinesOn = (device: GPUDevice) => new PipelineCache(device, () => {});

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A promise to be resolved by hand. */
function deferred() {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

test('the last kernels come first, none is run, and the device is given back', async () => {
  const own = await second();
  const ahead = new CompileAhead(async () => own.device, pipelinesOn, 0);
  const launches = deferred();
  for (const id of [1, 2, 3]) ahead.add(kernel(id), {});
  ahead.launched(() => launches.promise);
  const { reason } = await own.device.lost;
  assert.is(reason, 'destroyed');
  assert.equal(own.compiled, ['endless3', 'endless2', 'endless1']);
  assert.equal([own.errors, own.silenced], [[], []]);
  launches.resolve();
  await ahead.stop();
});

test('nothing is compiled twice, and nothing more once the launches have ended', async () => {
  const own = await second();
  const launches = deferred();
  const ahead = new CompileAhead(
    async () => {
      launches.resolve();
      await pause(0);
      return own.device;
    },
    pipelinesOn,
    0,
  );
  ahead.add(kernel(1), {});
  ahead.launched(() => launches.promise);
  await own.device.lost;
  assert.equal(own.compiled, []);
  await ahead.stop();
});

test('a kernel that does not compile keeps none from compiling, and is not told of', async () => {
  const own = await second();
  const ahead = new CompileAhead(async () => own.device, pipelinesOn, 0);
  const launches = deferred();
  const broken = { ...kernel(2), source: wgsl`this is not WGSL` };
  const unknown = {
    ...kernel(3),
    source: { ...kernel(3).source, text: kernel(3).source.text.replace('result[0]', 'nothing[0]') },
  };
  for (const each of [kernel(1), broken, unknown]) ahead.add(each, {});
  ahead.launched(() => launches.promise);
  await own.device.lost;
  assert.equal(own.compiled, ['endless3', 'endless2', 'endless1']);
  assert.equal(own.errors, []);
  assert.match(own.silenced.join(), /WGSL/);
  launches.resolve();
  await ahead.stop();
});

test('short launches need no second device', async () => {
  let opened = 0;
  const ahead = new CompileAhead(
    async () => {
      opened++;
      throw new Error('there is none');
    },
    pipelinesOn,
    50,
  );
  ahead.launched(() => Promise.resolve()); // no kernel is new
  ahead.add(kernel(1), {});
  ahead.launched(() => Promise.resolve());
  await pause(100);
  assert.is(opened, 0);
  ahead.add(kernel(2), {});
  ahead.launched(() => Promise.reject(new Error('the device was lost')));
  await pause(100);
  assert.is(opened, 0);
  // What has been launched is compiled by now: only new kernels ask for help, and one that fails is no harm.
  const launches = deferred();
  ahead.launched(() => launches.promise);
  await pause(100);
  assert.is(opened, 0);
  ahead.add(kernel(3), {});
  ahead.launched(() => launches.promise);
  await pause(100);
  assert.is(opened, 1);
  launches.resolve();
  await ahead.stop();
  ahead.add(kernel(4), {});
  ahead.launched(() => deferred().promise);
  await pause(100);
  assert.is(opened, 1);
});

test.run();
