/**
 * Collects dispatches, uploads and copies, and submits them in batches, each in as few passes as the order allows.
 * Nothing waits: a batch whose pipelines still compile is held back, and everything after it queues up behind it. While a
 * host's encoder holds work that the host has not submitted, everything after that waits for it likewise.
 */

import { ArgumentError } from '../errors.ts';
import type { BindGroupCache } from './bind-groups.ts';
import type { Command } from './command.ts';
import { DeviceBuffer } from './device-buffer.ts';
import type { HostWork } from './embedding/host-work.ts';
import type { Pipeline } from './pipelines.ts';
import type { PassTimer } from './profiler.ts';
import type { Recording } from './recording/recording.ts';
import type { RecordingDraft } from './recording/recording-draft.ts';
import { type Kernel, labelOf } from './wgsl/kernel.ts';

/** Dispatches per submission: enough to amortise it, few enough that the GPU starts while JavaScript still records. */
const BATCH = 64;

type Upload = Extract<Command, { kind: 'write' }>;

export class Recorder {
  private commands: Command[] = [];
  /** Number of the batch being recorded. */
  private batch = 1;
  /** Number of the last batch handed to the queue. */
  private submitted = 0;
  private tail: Promise<void> | null = null;
  /** Dispatches recorded since the start. */
  dispatches = 0;
  /** Takes every dispatch and copy while there is one. */
  draft: RecordingDraft | null = null;
  /** Gives every dispatch a pass of its own while there is one, and notes its time. */
  timer: PassTimer | null = null;
  /** What lies in a host's encoder, until the host has submitted it. */
  host: HostWork | null = null;

  constructor(
    private readonly device: GPUDevice,
    private readonly groups: BindGroupCache,
    private readonly hooks: {
      launched: () => void;
      submitted: () => void;
      check: (commands: readonly Command[]) => () => void;
      /** Told of what a submission throws that nobody waits for. */
      failed: (error: Error) => void;
    },
  ) {}

  /** Whether everything recorded is with the queue, or in a host's encoder. */
  get isHandedOver(): boolean {
    return this.commands.length === 0 && this.tail === null;
  }

  /** Whether everything recorded is with the queue. */
  get isIdle(): boolean {
    return this.isHandedOver && this.host === null;
  }

  /** What waits to be handed over. */
  get waiting(): readonly Command[] {
    return this.commands;
  }

  dispatch(
    kernel: Kernel,
    pipeline: Pipeline,
    storages: readonly DeviceBuffer[],
    params: Uint32Array | null,
    workgroups: readonly [number, number, number],
    flops?: number,
  ): void {
    if (this.draft) {
      this.draft.dispatch({ kernel, pipeline, storages, params, workgroups, flops });
      return;
    }
    const group = this.groups.get(pipeline, storages, params);
    let bytes = 0;
    for (const storage of storages) {
      storage.lastBatch = this.batch;
      bytes += storage.bytes;
    }
    const [x, y, z] = workgroups;
    this.commands.push({ kind: 'dispatch', kernel, pipeline, group, x, y, z, flops, bytes });
    this.dispatches++;
    if (this.commands.length >= BATCH) this.flush();
  }

  /** @param offset where in `to`, in bytes. */
  copy(from: DeviceBuffer, to: DeviceBuffer | GPUBuffer, bytes: number, offset = 0): void {
    if (this.draft && to instanceof DeviceBuffer) {
      this.draft.copy(from, to, bytes, offset);
      return;
    }
    from.lastBatch = this.batch;
    if (to instanceof DeviceBuffer) to.lastBatch = this.batch;
    const target = to instanceof DeviceBuffer ? to.buffer : to;
    const start = to instanceof DeviceBuffer ? to.offset : 0;
    const command = { from: from.buffer, fromOffset: from.offset, to: target, offset: start + offset, bytes };
    this.commands.push({ kind: 'copy', ...command });
  }

  /** Submits recorded commands once more, together with everything that waits, behind it. */
  replay(recording: Recording): void {
    const waiting = this.commands;
    this.dispatches += recording.dispatches;
    // The usual case, in which only copies of a step's inputs wait, is short: all is submitted before anything may overtake.
    const isPlain = recording.wasSubmitted && recording.isCompiled && !recording.hasHosts;
    if (!this.host) recording.wasSubmitted = true;
    if (!this.tail && !this.host && isPlain && waiting.every(({ kind }) => kind === 'copy')) {
      this.commands = [];
      this.submit([waiting, recording.commands], this.batch++, true);
      return;
    }
    for (const storage of recording.parts.storages) storage.lastBatch = this.batch;
    this.commands = waiting.concat(recording.commands);
    this.flush();
  }

  /**
   * Uploads at once when no waiting command uses the buffer, in order otherwise. What a host's commands may use is never
   * uploaded ahead of work that its encoder holds.
   * @throws {ArgumentError} for what does not fit.
   */
  write(to: DeviceBuffer, offset: number, data: Uint8Array<ArrayBuffer>): void {
    const { byteLength } = data;
    // The device would refuse it much later, without a name, and leave the buffer as it was.
    if (byteLength % 4 !== 0 || offset % 4 !== 0 || offset < 0 || offset + byteLength > to.bytes) {
      throw new ArgumentError({
        where: 'write',
        message: `${byteLength} bytes at ${offset} cannot be uploaded to a buffer of ${to.bytes}.`,
        fix: 'Both must be multiples of 4, and stay within the buffer.',
      });
    }
    if (to.lastBatch === this.batch || to.isShared) this.flush();
    const start = to.offset + offset;
    if (to.isShared ? this.isIdle : to.lastBatch <= this.submitted) {
      const done = to.isHosts ? this.hooks.check([]) : null;
      this.device.queue.writeBuffer(to.buffer, start, data);
      done?.();
      return;
    }
    to.lastBatch = this.batch;
    this.commands.push({ kind: 'write', to: to.buffer, offset: start, data: data.slice() });
  }

  /**
   * Hands everything recorded to the queue, in order. The promise resolves when it is there (not when it has run). Nothing goes
   * there while the host has not submitted what its encoder holds.
   */
  flush(): Promise<void> {
    if (this.commands.length > 0 && !this.host) {
      const commands = this.commands;
      const batch = this.batch++;
      this.commands = [];
      const waiting = new Set<Promise<void>>();
      for (const c of commands) if (c.kind === 'dispatch' && !c.pipeline.compiled) waiting.add(c.pipeline.ready);
      if (!this.tail && waiting.size === 0) {
        this.submit([commands], batch);
      } else {
        const tail = Promise.all([this.tail, ...waiting])
          .then(() => this.submit([commands], batch))
          .catch(this.hooks.failed)
          .then(() => {
            if (this.tail === tail) this.tail = null;
          });
        this.tail = tail;
      }
    }
    return this.tail ?? Promise.resolve();
  }

  /** Puts what waits into the host's encoder, behind what is there. */
  encodeFor(host: HostWork): void {
    if (this.commands.length === 0) return;
    this.encode(this.commands, host.encoder, null, ({ to, offset, data }, open) => {
      open.copyBufferToBuffer(host.stage(this.device, data), 0, to, offset, data.byteLength);
      return open;
    });
    this.commands = [];
    host.lastBatch = this.batch++;
  }

  /** The host has submitted what its encoder held, if anything: what waited for it goes to the queue. */
  hostSubmitted(): void {
    const { host } = this;
    if (!host) return;
    this.host = null;
    this.submitted = Math.max(this.submitted, host.lastBatch);
    host.destroy();
    if (this.commands.length > 0) this.flush();
    else this.hooks.submitted();
  }

  /** @param isValid the commands have passed validation before: nothing listens for its errors. */
  private submit(lists: readonly (readonly Command[])[], batch: number, isValid = false): void {
    const done = isValid ? null : this.hooks.check(lists.flat());
    let encoder = this.device.createCommandEncoder();
    for (const commands of lists) encoder = this.encode(commands, encoder, this.timer, this.upload);
    this.device.queue.submit([encoder.finish()]);
    this.submitted = batch;
    done?.();
    this.hooks.launched();
    if (this.commands.length === 0 && this.batch === batch + 1) this.hooks.submitted();
  }

  /** An upload between two dispatches: queue writes come before later submissions only. */
  private readonly upload = ({ to, offset, data }: Upload, open: GPUCommandEncoder): GPUCommandEncoder => {
    this.device.queue.submit([open.finish()]);
    this.device.queue.writeBuffer(to, offset, data);
    return this.device.createCommandEncoder();
  };

  /**
   * In as few passes as there can be. Returns the encoder that is open at the end.
   * @param upload makes an upload between passes, and returns the encoder to go on with.
   */
  private encode(
    commands: readonly Command[],
    encoder: GPUCommandEncoder,
    timer: PassTimer | null,
    upload: (command: Upload, open: GPUCommandEncoder) => GPUCommandEncoder,
  ): GPUCommandEncoder {
    let pass: GPUComputePassEncoder | null = null;
    let current: Pipeline | null = null;
    let open = encoder;
    for (const c of commands) {
      if (c.kind === 'dispatch') {
        if (!c.pipeline.compiled) continue; // did not compile: reported by the cache
        const timestampWrites = timer?.next(labelOf(c.kernel), c);
        if (timestampWrites) {
          pass?.end();
          pass = open.beginComputePass({ timestampWrites });
          current = null;
        }
        pass ??= open.beginComputePass();
        if (current !== c.pipeline) {
          pass.setPipeline(c.pipeline.compiled);
          current = c.pipeline;
        }
        pass.setBindGroup(0, c.group);
        pass.dispatchWorkgroups(c.x, c.y, c.z);
        continue;
      }
      pass?.end();
      pass = null;
      current = null;
      if (c.kind === 'copy') open.copyBufferToBuffer(c.from, c.fromOffset, c.to, c.offset, c.bytes);
      else open = upload(c, open);
    }
    pass?.end();
    return open;
  }
}
