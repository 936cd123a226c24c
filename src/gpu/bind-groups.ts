/**
 * Bind groups and the small uniform buffers, cached by what they hold. Building a bind group costs more than a
 * dispatch, and a training step asks for the same ones each time because the buffer pool hands out buffers in the same order.
 */
import type { Storage } from './buffer-pool.ts';
import type { Pipeline } from './pipelines.ts';

/** Entries kept before everything is dropped and built anew: bounds memory for programs whose shapes never repeat. */
const CAPACITY = 8192;
const UNIFORM_USAGE = 0x40 | 0x08; // UNIFORM | COPY_DST

export interface UniformBuffer {
  readonly id: number;
  readonly buffer: GPUBuffer;
  /** Recordings that hold it. */
  pins: number;
}

export class BindGroupCache {
  private readonly groups = new Map<string, GPUBindGroup>();
  private readonly uniforms = new Map<string, UniformBuffer>();
  private nextUniform = 0;
  private retired: GPUBuffer[] = [];

  constructor(private readonly device: GPUDevice) {}

  /** Bind groups held. */
  get size(): number {
    return this.groups.size;
  }

  /** `params`: the uniform's words; floats as their bits. `into` holds on to the uniform. */
  get(
    pipeline: Pipeline,
    storages: readonly Storage[],
    params: Uint32Array | null,
    into?: Set<UniformBuffer> | undefined,
  ): GPUBindGroup {
    const uniform = params ? this.uniform(params) : null;
    if (uniform && into && !into.has(uniform)) {
      uniform.pins++;
      into.add(uniform);
    }
    let key = `${pipeline.id}`;
    for (const storage of storages) key += `,${storage.id}`;
    if (uniform) key += `u${uniform.id}`;
    let group = this.groups.get(key);
    if (!group) {
      if (this.groups.size >= CAPACITY) this.clear();
      let next = 0;
      const entries = pipeline.bindings.map(({ binding, type }) => {
        const buffer = type === 'uniform' ? uniform?.buffer : storages[next++]?.buffer;
        if (!buffer) throw new RangeError(`${pipeline.name}: no buffer was given for binding ${binding}`);
        return { binding, resource: { buffer } };
      });
      if (next !== storages.length) {
        throw new RangeError(`${pipeline.name}: takes ${next} storage buffers, was given ${storages.length}`);
      }
      group = this.device.createBindGroup({ label: pipeline.name, layout: pipeline.layout, entries });
      this.groups.set(key, group);
    }
    return group;
  }

  /** Drops everything but pinned uniforms; needed when buffers are destroyed. */
  clear(): void {
    this.groups.clear();
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

  private uniform(params: Uint32Array) {
    const key = params.join();
    let uniform = this.uniforms.get(key);
    if (!uniform) {
      if (this.uniforms.size >= CAPACITY) this.clear();
      const size = Math.ceil(params.byteLength / 16) * 16;
      const buffer = this.device.createBuffer({ size, usage: UNIFORM_USAGE, mappedAtCreation: true });
      new Uint32Array(buffer.getMappedRange()).set(params);
      buffer.unmap();
      uniform = { id: this.nextUniform++, buffer, pins: 0 };
      this.uniforms.set(key, uniform);
    }
    return uniform;
  }
}
