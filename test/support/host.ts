/** What an app around the engine has: a device of its own, kernels of its own, and a count of what is asked of the device. */

import { requestAdapter } from '#adapter';
import { deviceRequirements } from '../../src/index.ts';

const READ = 0x01 | 0x08; // MAP_READ | COPY_DST
/** STORAGE | COPY_SRC | COPY_DST */
export const ALL = 0x80 | 0x04 | 0x08;

/** A device as an app makes it for an engine. */
export async function hostDevice(): Promise<{ adapter: GPUAdapter; device: GPUDevice }> {
  const { adapter } = await requestAdapter();
  return { adapter, device: await adapter.requestDevice(deviceRequirements(adapter)) };
}

/** A buffer of the app's with these numbers. */
export function hostBuffer(device: GPUDevice, data: ArrayLike<number>, usage = ALL, offset = 0): GPUBuffer {
  const buffer = device.createBuffer({
    label: 'of the app',
    size: offset + 4 * data.length,
    usage,
    mappedAtCreation: true,
  });
  new Float32Array(buffer.getMappedRange()).set(data, offset / 4);
  buffer.unmap();
  return buffer;
}

export type HostPass = (encoder: GPUCommandEncoder, values: GPUBufferBinding) => void;

/** A pass that replaces each of `values`, f32, by an expression of `value` and its index `i`. */
export function hostPass(device: GPUDevice, expression: string): HostPass {
  const code = `
    @group(0) @binding(0) var<storage, read_write> values: array<f32>;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
      let i = id.x;
      if (i >= arrayLength(&values)) { return; }
      let value = values[i];
      values[i] = ${expression};
    }`;
  const pipeline = device.createComputePipeline({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code }), entryPoint: 'main' },
  });
  return (encoder, values) => {
    const resource = { buffer: values.buffer, offset: values.offset ?? 0, size: values.size ?? values.buffer.size };
    const group = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource }],
    });
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(Math.ceil(resource.size / 256));
    pass.end();
  };
}

/** Submits what `encode` puts into an encoder. */
export function submit(device: GPUDevice, encode: (encoder: GPUCommandEncoder) => void): void {
  const encoder = device.createCommandEncoder();
  encode(encoder);
  device.queue.submit([encoder.finish()]);
}

/** The f32 numbers in a buffer, read by the app. */
export async function hostRead(device: GPUDevice, buffer: GPUBuffer, offset = 0): Promise<number[]> {
  const size = buffer.size - offset;
  const staging = device.createBuffer({ size, usage: READ });
  submit(device, (encoder) => encoder.copyBufferToBuffer(buffer, offset, staging, 0, size));
  await staging.mapAsync(1);
  const values = [...new Float32Array(staging.getMappedRange())];
  staging.destroy();
  return values;
}

export interface DeviceWatch {
  /** Buffers, query sets and textures made so far, and those of them that were not destroyed. */
  made: number;
  readonly alive: Set<object>;
  /** Calls so far. */
  maps: number;
  copies: number;
  uploads: number;
  submissions: number;
  /** Forgets the calls. */
  reset(): void;
}

/** Counts what is asked of a device from now on, whoever asks. */
export function watchDevice(device: GPUDevice): DeviceWatch {
  const none = { maps: 0, copies: 0, uploads: 0, submissions: 0 };
  const watch: DeviceWatch = { made: 0, alive: new Set(), ...none, reset: () => Object.assign(watch, none) };
  /** Calls `before` ahead of the method. */
  const ahead = <T extends object>(of: T, method: keyof T, before: () => void) => {
    const original = of[method] as (...args: unknown[]) => unknown;
    Object.defineProperty(of, method, {
      configurable: true,
      value: (...args: unknown[]) => {
        before();
        return original.apply(of, args);
      },
    });
  };
  /** Calls `after` with what the method makes. */
  const made = <K extends 'createBuffer' | 'createQuerySet' | 'createTexture' | 'createCommandEncoder'>(
    method: K,
    after: (result: ReturnType<GPUDevice[K]>) => void,
  ) => {
    const original = device[method] as (...args: unknown[]) => ReturnType<GPUDevice[K]>;
    Object.defineProperty(device, method, {
      configurable: true,
      value: (...args: unknown[]) => {
        const result = original.apply(device, args);
        after(result);
        return result;
      },
    });
  };
  const lives = <T extends { destroy(): undefined }>(resource: T) => {
    watch.made++;
    watch.alive.add(resource);
    ahead(resource, 'destroy', () => watch.alive.delete(resource));
  };
  made('createBuffer', (buffer) => {
    lives(buffer);
    ahead(buffer, 'mapAsync', () => watch.maps++);
  });
  made('createQuerySet', lives);
  made('createTexture', lives);
  made('createCommandEncoder', (encoder) => {
    for (const method of ['copyBufferToBuffer', 'copyBufferToTexture', 'copyTextureToBuffer'] as const) {
      ahead(encoder, method, () => watch.copies++);
    }
  });
  ahead(device.queue, 'writeBuffer', () => watch.uploads++);
  ahead(device.queue, 'submit', () => watch.submissions++);
  return watch;
}
