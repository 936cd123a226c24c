/**
 * The engine: one WebGPU device with its buffers, pipelines and recorder. Tensors belong to an engine; two engines on
 * two devices live side by side. There is no global engine.
 */
import { pollGently, requestAdapter } from '#adapter';
import type { AdapterKind, AdapterOptions } from './adapter.ts';
import { adapterKind, describeAdapter } from './adapter-info.ts';
import { BindGroupCache } from './bind-groups.ts';
import { BufferPool, type PoolStatistics, type Storage } from './buffer-pool.ts';
import { CompileAhead } from './compile-ahead.ts';
import { deviceDescriptor } from './device-descriptor.ts';
import { AdapterError, ArgumentError, DeviceLostError, ValidationError } from './errors.ts';
import type { Constants, Kernel } from './kernel.ts';
import { MATRIX_UNITS } from './matrix-units.ts';
import { PipelineCache } from './pipelines.ts';
import { PassTimer, type Profile } from './profiler.ts';
import { Readback } from './readback.ts';
import { type Command, Recorder } from './recorder.ts';
import { bytesIn, type FeedData, type Recording } from './recording.ts';
import { RecordingDraft } from './recording-draft.ts';
import { Recordings, readInside, recordedInside } from './recordings.ts';

export interface EngineOptions extends AdapterOptions {
  /** Report tensors that were dropped instead of freed. */
  debug?: boolean;
  /** Where debug reports go; the console unless said. */
  onLeak?: (message: string) => void;
  /** Where warnings go; the console unless said. */
  warn?: (message: string) => void;
}

/** One kernel launch. */
export interface Dispatch {
  readonly kernel: Kernel;
  readonly constants?: Constants;
  /** Storage buffers in the order of their binding numbers. */
  readonly buffers: readonly Storage[];
  /** The words of the kernel's uniform `Params`, if it has one; floats through {@link floatBits}. */
  readonly params?: readonly number[];
  /** Workgroups along x, y and z. */
  readonly workgroups: readonly [number, number?, number?];
  /** Floating point operations (2 for a multiplication with its addition), for profiles. */
  readonly flops?: number;
}

export interface MemoryReport extends PoolStatistics {
  /** Compiled pipelines. */
  pipelines: number;
  /** Bind groups kept for reuse, those of recordings included. */
  bindGroups: number;
  /** Small uniform buffers kept for reuse. */
  uniforms: number;
  /** Dispatches recorded since the engine was made. */
  dispatches: number;
}

/** Something a scope frees at its end. */
export interface Scoped {
  dispose(): void;
}

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/** A float's bits, for a `f32` member of a kernel's `Params`. */
export function floatBits(x: number): number {
  scratch[0] = x;
  return scratchBits[0] as number;
}

/** The device would refuse it much later, without a name, and leave the buffer as it was. */
function checkUpload({ bytes }: Storage, { byteLength }: ArrayBufferView, offset: number): void {
  if (byteLength % 4 === 0 && offset % 4 === 0 && offset >= 0 && offset + byteLength <= bytes) return;
  throw new ArgumentError({
    where: 'write',
    message: `${byteLength} bytes at ${offset} cannot be uploaded to a buffer of ${bytes}.`,
    fix: 'Both must be multiples of 4, and stay within the buffer.',
  });
}

export class Engine {
  /** Autograd records operations while this is true; see `noGrad`. */
  gradEnabled = true;
  /** Open scopes, innermost last; see `scope`. */
  readonly scopes: Set<Scoped>[] = [];
  readonly debug: boolean;
  readonly onLeak: (message: string) => void;
  private readonly pool: BufferPool;
  private readonly pipelines: PipelineCache;
  private readonly groups: BindGroupCache;
  private readonly recorder: Recorder;
  private readonly readback: Readback;
  private readonly recordings: Recordings;
  private failure: Error | null = null;
  private lost: DeviceLostError | null = null;
  private destroyed = false;
  /** One line for people. Choices that were tuned are remembered by it, those among forms on matrix units apart. */
  readonly adapterDescription: string;

  private constructor(
    readonly device: GPUDevice,
    /** Chooses between kernel forms: software adapters want other ones than GPUs. */
    readonly adapterKind: AdapterKind,
    description: string,
    private readonly ownsDevice: boolean,
    options: Pick<EngineOptions, 'debug' | 'onLeak'>,
    private readonly ahead: CompileAhead | null = null,
  ) {
    this.adapterDescription = device.features.has(MATRIX_UNITS) ? `${description} with matrix units` : description;
    this.debug = options.debug ?? false;
    this.onLeak = options.onLeak ?? ((message) => console.warn(message));
    const fail = (error: Error) => {
      this.failure ??= error;
    };
    this.pool = new BufferPool(device, fail, (storage) => this.groups.drop(storage));
    this.pipelines = new PipelineCache(device, fail, (kernel, constants) => ahead?.add(kernel, constants));
    this.groups = new BindGroupCache(device);
    this.recordings = new Recordings(device, this.pool, this.groups, () => this.makeRoom());
    this.recorder = new Recorder(device, this.groups, {
      launched: () => ahead?.launched(() => pollGently(() => device.queue.onSubmittedWorkDone())),
      submitted: () => this.tidy(),
      check: (commands) => this.watch(commands, fail),
    });
    this.readback = new Readback(device, this.recorder);
    device.lost.then((info) => {
      if (this.destroyed && info.reason === 'destroyed') return;
      this.lost = new DeviceLostError({
        where: 'device',
        message: `the GPU device was lost (${info.reason || 'unknown reason'}: ${info.message}).`,
        fix: 'Its tensors are gone: create a new engine and load the last checkpoint.',
      });
    });
  }

  /**
   * An engine on a device of its own: in Node a hardware adapter, else an installed software one, else the bundled
   * SwiftShader; in the browser `navigator.gpu`.
   * @throws AdapterError when there is no adapter; its message says what to install.
   */
  static async create(options: EngineOptions = {}): Promise<Engine> {
    const choice = await requestAdapter(options);
    const { adapter, kind, description } = choice;
    const descriptor = deviceDescriptor(choice, options.warn ?? ((message) => console.warn(message)));
    // Gently, although it is short: whatever begins before its last poll goes on with that one's pace.
    const deviceOf = (of: GPUAdapter) => pollGently(() => of.requestDevice(descriptor));
    let device: GPUDevice;
    try {
      device = await deviceOf(adapter);
    } catch (cause) {
      throw new AdapterError({
        where: 'Engine.create',
        message: `the adapter "${description}" gave no device: ${(cause as Error).message}.`,
        fix: 'Update the graphics driver, or choose another adapter.',
        cause,
      });
    }
    const { another } = choice;
    const ahead = another && new CompileAhead(async () => deviceOf(await another()));
    return new Engine(device, kind, description, true, options, ahead);
  }

  /**
   * An engine on a device that the caller owns; the engine never destroys it. A device with the feature
   * `chromium-experimental-subgroup-matrix` opts in to matrix units.
   */
  static from(
    device: GPUDevice,
    options: Pick<EngineOptions, 'debug' | 'onLeak'> & { kind?: AdapterKind } = {},
  ): Engine {
    const { adapterInfo } = device;
    return new Engine(device, options.kind ?? adapterKind(adapterInfo), describeAdapter(adapterInfo), false, options);
  }

  /** A buffer of at least `bytes`, contents undefined; give it back with {@link release}. */
  allocate(bytes: number, where: string): Storage {
    this.assertUsable(where);
    const { draft } = this.recorder;
    if (!draft) return this.pool.acquire(bytes, where);
    const storage = this.pool.reserve(bytes);
    draft.allocate(storage);
    return storage;
  }

  release(storage: Storage): void {
    if (!this.destroyed) this.pool.release(storage);
  }

  /** Records one kernel launch. @throws ArgumentError when the launch is larger than the device allows. */
  dispatch({ kernel, constants = {}, buffers, params, workgroups, flops }: Dispatch): void {
    this.assertUsable(kernel.name);
    const [x, y = 1, z = 1] = workgroups;
    if (x === 0 || y === 0 || z === 0) return;
    const most = this.device.limits.maxComputeWorkgroupsPerDimension;
    if (Math.max(x, y, z) > most) {
      throw new ArgumentError({
        where: kernel.name,
        message: `needs ${x}×${y}×${z} workgroups; the device allows ${most} a dimension.`,
      });
    }
    const words = params ? Uint32Array.from(params) : null;
    const pipeline = this.pipelines.get(kernel, constants);
    // Whoever launches it again is told again.
    if (pipeline.error) this.failure ??= pipeline.error;
    this.recorder.dispatch(pipeline, buffers, words, [x, y, z], flops);
  }

  /** Starts compiling a kernel before it is needed. */
  prepare(kernel: Kernel, constants: Constants = {}): void {
    this.pipelines.get(kernel, constants);
  }

  /**
   * Uploads bytes into a buffer, in order with the recorded commands.
   * @throws ArgumentError unless they and the offset are multiples of 4, and fit.
   */
  write(storage: Storage, data: ArrayBufferView<ArrayBuffer>, offset = 0): void {
    this.assertUsable('write');
    checkUpload(storage, data, offset);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const { draft } = this.recorder;
    if (!draft) return void this.recorder.write(storage, offset, bytes);
    const copy = bytes.slice();
    draft.feed(storage, () => copy, { offset, isConstant: true });
  }

  /** Uploads what `data` gives, if anything: now, and when this is recorded before every replay. */
  feed(storage: Storage, data: FeedData): void {
    this.assertUsable('feed');
    const { draft } = this.recorder;
    if (draft) draft.feed(storage, data);
    else this.upload(storage, data);
  }

  /** Whether a step is being recorded; see `capture`. */
  get isRecording(): boolean {
    return this.recorder.draft !== null;
  }

  /**
   * Runs `fn`, and keeps what it launches, to be submitted again by {@link replay}. It is submitted when `fn` has ended, for
   * only then is it known where its tensors may lie.
   * @throws ArgumentError inside another recording; what `fn` throws, after submitting what was launched until then.
   */
  record<T>(fn: () => T): { result: T; recording: Recording } {
    this.assertUsable('record');
    if (this.isRecording) throw recordedInside();
    const draft = new RecordingDraft();
    this.recorder.draft = draft;
    try {
      const result = fn();
      return { result, recording: this.settle(draft) };
    } catch (error) {
      if (this.recorder.draft) this.forget(this.settle(draft));
      throw error;
    }
  }

  /** Submits recorded commands once more, after what is to be uploaded. */
  replay(recording: Recording): void {
    this.assertUsable('replay');
    for (const [storage, { data, offset }] of recording.parts.feeds) this.upload(storage, data, offset);
    this.recorder.replay(recording);
  }

  /** Gives up what a recording holds on to; it cannot be replayed any more. */
  forget(recording: Recording): void {
    if (!this.destroyed) this.recordings.delete(recording);
  }

  /** Copies the first `bytes` of one buffer into another at `offset`, on the device; both are multiples of 4. */
  copy(from: Storage, to: Storage, bytes: number, offset = 0): void {
    this.assertUsable('copy');
    this.recorder.copy(from, to, bytes, offset);
  }

  /** Waits for everything recorded so far, then reads the first `bytes` of a buffer. @throws the first error since the last wait. */
  async read(storage: Storage, bytes: number): Promise<ArrayBuffer> {
    this.assertUsable('read');
    if (this.isRecording) throw readInside();
    try {
      const data = await this.readback.read(storage, bytes);
      this.throwFailure();
      return data;
    } catch (error) {
      this.throwFailure();
      throw error;
    }
  }

  /** Hands everything recorded to the GPU without waiting for it. */
  flush(): void {
    this.assertUsable('flush');
    this.recorder.flush();
  }

  /** Waits until the GPU has done everything recorded so far. @throws the first error since the last wait. */
  async sync(): Promise<void> {
    this.assertUsable('sync');
    await this.recorder.flush();
    await pollGently(() => this.device.queue.onSubmittedWorkDone());
    this.throwFailure();
  }

  /**
   * The device's time for every kernel that `fn` launches, by timestamp queries. Each runs in a pass of its own, so that
   * the sum is a little more than what `fn` takes otherwise.
   * @throws AdapterError on a device without timestamp queries; what `fn` throws.
   */
  async profile(fn: () => void): Promise<Profile> {
    await this.sync();
    const timer = new PassTimer(this.device);
    const start = performance.now();
    this.recorder.timer = timer;
    let javascript: number;
    try {
      fn();
      javascript = performance.now() - start;
      await this.recorder.flush();
    } finally {
      this.recorder.timer = null;
    }
    await this.sync();
    return { launches: await timer.read(), javascript };
  }

  /** What is held now, and at most since the start or {@link resetPeak}. */
  memory(): MemoryReport {
    return {
      ...this.pool.snapshot(),
      pipelines: this.pipelines.size,
      bindGroups: this.groups.size + this.recordings.bindGroups,
      uniforms: this.groups.uniformCount,
      dispatches: this.recorder.dispatches,
    };
  }

  /** Lets `memory().peakBytes` begin anew at what is live. */
  resetPeak(): void {
    this.pool.resetPeak();
  }

  /** Waits for the GPU, then frees everything. A device given to {@link Engine.from} stays alive. */
  async destroy(): Promise<void> {
    if (this.destroyed) return;
    await this.ahead?.stop();
    if (!this.lost) {
      await this.recorder.flush();
      await pollGently(() => this.device.queue.onSubmittedWorkDone()).catch(() => {});
    }
    this.destroyed = true;
    this.groups.clear();
    this.groups.destroyRetired();
    this.pool.clear();
    if (this.ownsDevice) this.device.destroy();
  }

  private assertUsable(where: string): void {
    if (this.lost) throw this.lost;
    if (this.destroyed) {
      throw new DeviceLostError({ where, message: 'the engine was destroyed.', fix: 'Create a new one.' });
    }
  }

  private throwFailure(): void {
    if (this.lost) throw this.lost;
    const failure = this.failure;
    this.failure = null;
    if (failure) throw failure;
  }

  /** Ends a recording, and submits what was recorded. */
  private settle(draft: RecordingDraft): Recording {
    this.recorder.draft = null;
    const recording = this.recordings.add(draft);
    for (const { storage, offset, data } of draft.uploads()) this.recorder.write(storage, offset, data);
    this.recorder.replay(recording);
    return recording;
  }

  /** Gives back what waits for reuse: a step takes nothing of it any more once it is recorded. */
  private makeRoom(): void {
    this.pool.expire();
    this.recorder.flush();
    if (this.recorder.isIdle) this.tidy();
  }

  private upload(storage: Storage, data: FeedData, offset = 0): void {
    const bytes = bytesIn(data());
    if (!bytes) return;
    checkUpload(storage, bytes, offset);
    this.recorder.write(storage, offset, bytes);
  }

  private tidy(): void {
    // What is being recorded may use buffers that wait for reuse.
    if (this.recorder.draft) return;
    this.pool.trim();
    this.groups.destroyRetired();
  }

  private watch(commands: readonly Command[], fail: (error: Error) => void): () => void {
    this.device.pushErrorScope('validation');
    return () => {
      pollGently(() => this.device.popErrorScope()).then(
        (error) => {
          if (!error) return;
          const names = [...new Set(commands.flatMap((c) => (c.kind === 'dispatch' ? [c.pipeline.name] : [])))];
          const named = names.find((name) => error.message.includes(`"${name}"`)) ?? names.join(', ');
          fail(new ValidationError({ where: named, message: error.message }));
        },
        () => {}, // the device was lost: its own error tells
      );
    };
  }
}
