/** A host's buffer, and what it must be like. `GPUBufferUsage` is not a global everywhere, so its bits are spelt out. */

import { pollGently } from '#adapter';
import { type CopyUsage, DeviceBuffer } from '../device-buffer.ts';
import type { EmbeddingGround } from './ground.ts';
import { refusal } from './refusal.ts';

const USAGES = { COPY_SRC: 0x04, COPY_DST: 0x08, STORAGE: 0x80 } as const;
const COMPUTE_STAGE = 4; // GPUShaderStage.COMPUTE

const named = ({ label, size }: GPUBuffer): string => `the buffer${label && ` "${label}"`} of ${size} bytes`;

function need(buffer: GPUBuffer, usage: keyof typeof USAGES, where: string): void {
  if (buffer.usage & USAGES[usage]) return;
  throw refusal(
    where,
    `${named(buffer)} was made without the usage ${usage}.`,
    `Create it with GPUBufferUsage.${usage} too.`,
  );
}

export class HostBuffer extends DeviceBuffer {
  constructor(id: number, buffer: GPUBuffer, bytes: number, offset: number) {
    super(id, buffer, bytes, offset, true);
  }

  override allow(usage: CopyUsage, where: string): void {
    need(this.buffer, usage, where);
  }
}

/** The parts of hosts' buffers that engines have taken in: a buffer that is wrapped again is known again. */
const known = new WeakMap<EmbeddingGround, WeakMap<GPUBuffer, Map<string, HostBuffer>>>();

/**
 * `bytes` of a host's buffer at `offset`, to be released like the engine's own.
 * @throws {ArgumentError} when kernels cannot be launched on it.
 */
export function adopt(
  ground: EmbeddingGround,
  device: GPUDevice,
  buffer: GPUBuffer,
  offset: number,
  bytes: number,
): HostBuffer {
  checkWrapped(device, buffer, offset, bytes);
  const buffers = known.get(ground) ?? new WeakMap<GPUBuffer, Map<string, HostBuffer>>();
  known.set(ground, buffers);
  const parts = buffers.get(buffer) ?? new Map<string, HostBuffer>();
  buffers.set(buffer, parts);
  if (parts.size === 0) checkDevice(ground, device, { buffer, offset, size: bytes });
  const key = `${offset} ${bytes}`;
  const storage = parts.get(key);
  if (storage) {
    storage.refs++;
    return storage;
  }
  const made = ground.pool.adopt((id) => new HostBuffer(id, buffer, bytes, offset));
  parts.set(key, made);
  return made;
}

/** @throws {ArgumentError} unless it is a buffer, and `bytes` at `offset`, a multiple of `alignment`, lie within it. */
function checkRange(buffer: GPUBuffer, offset: number, bytes: number, alignment: number, where: string): void {
  if (!(buffer as GPUBuffer | undefined)?.mapAsync) {
    throw refusal(where, 'takes a GPUBuffer.', 'See device.createBuffer().');
  }
  if (!(offset >= 0 && offset % alignment === 0)) {
    throw refusal(
      where,
      `offset ${offset} is not a multiple of ${alignment} bytes.`,
      'Let each part of a buffer begin at such a multiple.',
    );
  }
  if (offset + bytes <= buffer.size) return;
  throw refusal(
    where,
    `${bytes} bytes at offset ${offset} do not fit into ${named(buffer)}.`,
    'Elements take 4 bytes, f16 2, in whole words.',
  );
}

/** @throws {ArgumentError} for what JavaScript knows of it. */
function checkWrapped({ limits }: GPUDevice, buffer: GPUBuffer, offset: number, bytes: number): void {
  checkRange(buffer, offset, bytes, limits.minStorageBufferOffsetAlignment, 'wrap');
  need(buffer, 'STORAGE', 'wrap');
  const most = limits.maxStorageBufferBindingSize;
  if (bytes > most) {
    throw refusal(
      'wrap',
      `${bytes} bytes are more than the device lets a kernel bind (${most}).`,
      'Request the device with deviceRequirements(adapter), or wrap parts.',
    );
  }
  if (buffer.mapState !== 'unmapped') {
    throw refusal('wrap', `${named(buffer)} is mapped, which keeps the GPU from it.`, 'Call unmap() first.');
  }
}

/** Finds out whether it is this device's, which only the device knows: if not, the next wait throws. */
function checkDevice({ errors }: EmbeddingGround, device: GPUDevice, resource: GPUBufferBinding): void {
  errors.advice = ({ message }) =>
    /destroyed/.test(message)
      ? {
          fix: 'Dispose of tensors that wrap a buffer, and of captured steps that were given it, before you destroy it.',
        }
      : {};
  device.pushErrorScope('validation');
  const entry = { binding: 0, visibility: COMPUTE_STAGE, buffer: { type: 'read-only-storage' } } as const;
  const layout = device.createBindGroupLayout({ entries: [entry] });
  device.createBindGroup({ layout, entries: [{ binding: 0, resource }] });
  pollGently(() => device.popErrorScope()).then(
    (error) => {
      if (!error) return;
      const [reason = ''] = error.message.split('\n');
      errors.add(
        refusal(
          'wrap',
          `the device cannot use ${named(resource.buffer)}: ${reason}`,
          "Wrap buffers of the engine's own device, which is engine.device.",
        ),
      );
    },
    () => {}, // the device was lost: reported by its own error
  );
}

/** @throws {ArgumentError} unless the host's buffer takes a copy of what `from` holds at `offset`. */
export function checkTarget(from: DeviceBuffer, to: GPUBuffer, offset: number): void {
  checkRange(to, offset, from.bytes, 4, 'copyTo');
  need(to, 'COPY_DST', 'copyTo');
  if (to === from.buffer) {
    throw refusal('copyTo', 'the tensor lies in the buffer it is to be copied to.', 'Copy it to another one.');
  }
  from.allow('COPY_SRC', 'copyTo');
}
