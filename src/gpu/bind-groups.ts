/**
 * Bind groups and the small uniform buffers, cached by what they hold. Building a bind group costs more than a
 * dispatch, and a training step asks for the same ones each time because the buffer pool hands out buffers in the same order.
 */

import { createBuffer } from './buffer-request.ts';
import type { DeviceBuffer } from './device-buffer.ts';
import type { Pipeline } from './pipelines.ts';

/** Entries kept before everything is dropped and built anew: bounds memory for programs whose shapes never repeat. */
const CAPACITY = 8192;
const UNIFORM_USAGE = 0x40 | 0x08; // UNIFORM | COPY_DST

export interface UniformBuffer {
  readonly id: number;
  readonly buffer: GPUBuffer;
  readonly bytes: number;
  /** Recordings that hold it. */
  pins: number;
}

/** All of an engine's buffer, a part of a host's. */
const bound = ({ buffer, offset, bytes, isHosts }: DeviceBuffer): GPUBufferBinding =>
  isHosts ? { buffer, offset, size: bytes } : { buffer };

interface Entry {
  readonly key: string;
  readonly group: GPUBindGroup;
  readonly storages: readonly DeviceBuffer[];
}

export class BindGroupCache {
  private readonly groups = new Map<string, Entry>();
  /** The groups that hold a buffer. */
  private readonly holders = new Map<DeviceBuffer, Set<Entry>>();
  private readonly uniforms = new Map<string, UniformBuffer>();
  private nextUniform = 0;
  private retired: GPUBuffer[] = [];

  constructor(private readonly device: GPUDevice) {}

  /** Bind groups held. */
  get size(): number {
    return this.groups.size;
  }

  /** Uniform buffers held. */
  get uniformCount(): number {
    return this.uniforms.size;
  }

  /** `params`: the uniform's words; floats as their bits. */
  get(pipeline: Pipeline, storages: readonly DeviceBuffer[], params: Uint32Array | null): GPUBindGroup {
    const uniform = params && this.uniform(params);
    let key = `${pipeline.id}`;
    for (const storage of storages) key += `,${storage.id}`;
    if (uniform) key += `u${uniform.id}`;
    let entry = this.groups.get(key);
    if (!entry) {
      if (this.groups.size >= CAPACITY) this.clear();
      entry = { key, group: this.create(pipeline, storages.map(bound), uniform), storages };
      this.groups.set(key, entry);
      for (const storage of storages) {
        const holders = this.holders.get(storage);
        if (holders) holders.add(entry);
        else this.holders.set(storage, new Set([entry]));
      }
    }
    return entry.group;
  }

  /**
   * A bind group that is not kept here. `bindings`: a buffer, or where in it, for each storage binding; that there are as many
   * as the pipeline binds was checked when it was launched.
   */
  create(
    { name, layout, bindings: wanted }: Pipeline,
    bindings: readonly GPUBufferBinding[],
    uniform: UniformBuffer | null,
  ): GPUBindGroup {
    let next = 0;
    const entries = wanted.map(({ binding, type }) => ({
      binding,
      resource: (type === 'uniform' ? { buffer: uniform?.buffer } : bindings[next++]) as GPUBufferBinding,
    }));
    return this.device.createBindGroup({ label: name, layout, entries });
  }

  /** The uniform with these words, pinned unless it is in `held` already. */
  pinned(params: Uint32Array, held: Set<UniformBuffer>): UniformBuffer {
    const uniform = this.uniform(params);
    if (held.has(uniform)) return uniform;
    uniform.pins++;
    held.add(uniform);
    return uniform;
  }

  /** Drops the groups that hold a buffer, which was destroyed or let go. */
  drop(storage: DeviceBuffer): void {
    const dropped = this.holders.get(storage);
    if (!dropped) return;
    this.holders.delete(storage);
    for (const entry of dropped) {
      this.groups.delete(entry.key);
      for (const other of entry.storages) this.holders.get(other)?.delete(entry);
    }
  }

  /** Drops everything but pinned uniforms. */
  clear(): void {
    this.groups.clear();
    this.holders.clear();
    for (const [key, uniform] of this.uniforms) {
      if (uniform.pins > 0) continue;
      this.retired.push(uniform.buffer);
      this.uniforms.delete(key);
    }
  }

  /** Destroys dropped uniforms. Only call when every recorded command is submitted. */
  destroyRetired(): void {
    for (const buffer of this.retired) buffer.destroy();
    this.retired = [];
  }

  /** Destroys every uniform. Only call when nothing is launched any more. */
  destroy(): void {
    this.clear();
    this.destroyRetired();
    for (const { buffer } of this.uniforms.values()) buffer.destroy();
    this.uniforms.clear();
  }

  private uniform(params: Uint32Array): UniformBuffer {
    const key = params.join();
    let uniform = this.uniforms.get(key);
    if (!uniform) {
      if (this.uniforms.size >= CAPACITY) this.clear();
      const size = Math.ceil(params.byteLength / 16) * 16;
      const buffer = createBuffer(this.device, { size, usage: UNIFORM_USAGE, mappedAtCreation: true }, 'uniform');
      new Uint32Array(buffer.getMappedRange()).set(params);
      buffer.unmap();
      uniform = { id: this.nextUniform++, buffer, bytes: size, pins: 0 };
      this.uniforms.set(key, uniform);
    }
    return uniform;
  }
}
