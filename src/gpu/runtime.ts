/**
 * One WebGPU device with its buffers, pipelines and recorder: what the engine is before it knows of tensors. Two on two
 * devices live side by side; there is no global one.
 */
import { pollGently } from '#adapter';
import { ArgumentError, DeviceLostError } from '../errors.ts';
import type { AdapterKind } from './adapter/adapter.ts';
import type { OpenDevice } from './adapter/open-device.ts';
import { BindGroupCache } from './bind-groups.ts';
import { BufferPool } from './buffer-pool.ts';
import type { DeviceBuffer } from './device-buffer.ts';
import { DeviceErrors } from './device-errors.ts';
import type { EmbeddingGround } from './embedding/ground.ts';
import type { Launch } from './launch.ts';
import { checkBuffers, checkWorkgroups, uniformWords } from './launch-check.ts';
import type { MemoryReport } from './memory-report.ts';
import { PipelineCache } from './pipelines.ts';
import { PassTimer, type Profile } from './profiler.ts';
import { Readback } from './readback.ts';
import { Recorder } from './recorder.ts';
import { bytesIn, type FeedData, type Recording } from './recording/recording.ts';
import type { RecordingDraft } from './recording/recording-draft.ts';
import type { RecordingMeans, Recordings } from './recording/recordings.ts';
import { type RuntimeOptions, warnOnConsole } from './runtime-options.ts';
import { runInScope, type Scoped } from './scope.ts';
import { refuseAsync } from './synchronous.ts';
import type { Constants } from './wgsl/constants.ts';
import type { Kernel } from './wgsl/kernel.ts';

/** What an {@link Engine} is before it knows of tensors: a WebGPU device with its buffers, pipelines and the queue of its work. */
export class Runtime {
  /** Autograd records operations while this is true; see `noGrad`. */
  gradEnabled = true;
  /**
   * Open scopes, innermost last; see `scope`.
   * @internal
   */
  readonly scopes: Set<Scoped>[] = [];
  /** Whether tensors that were dropped instead of freed are reported. */
  readonly debug: boolean;
  /** Takes these reports. */
  readonly onLeak: (message: string) => void;
  /** Tells of what is probably not meant, each thing once. */
  readonly warn: (message: string) => void;
  private readonly pool: BufferPool;
  private readonly pipelines: PipelineCache;
  private readonly groups: BindGroupCache;
  private readonly recorder: Recorder;
  private readonly readback: Readback;
  private readonly errors: DeviceErrors;
  /** None before the first one. */
  private recordings: Recordings | null = null;
  private readonly ground: EmbeddingGround;
  private ending: Promise<void> | null = null;
  /** WebGPU's own device. */
  readonly device: GPUDevice;
  /** Chooses between kernel variants: software adapters want other ones than GPUs. */
  readonly adapterKind: AdapterKind;
  /** One line for people. Choices that were tuned are remembered by it, those among variants on subgroup matrices apart. */
  readonly adapterDescription: string;

  protected constructor(
    private readonly opened: OpenDevice,
    { debug = false, onLeak = warnOnConsole, warn = warnOnConsole }: RuntimeOptions = {},
  ) {
    const { device, ahead, isOwn, description } = opened;
    this.device = device;
    this.adapterKind = opened.kind;
    this.adapterDescription = description;
    this.debug = debug;
    this.onLeak = onLeak;
    this.warn = warn;
    this.errors = new DeviceErrors(device, isOwn);
    this.pool = new BufferPool(device, this.errors.expect, (storage) => this.groups.drop(storage));
    this.pipelines = new PipelineCache(device, this.errors.add, (kernel, constants) => ahead?.add(kernel, constants));
    this.groups = new BindGroupCache(device);
    this.recorder = new Recorder(device, this.groups, {
      launched: () => ahead?.launched(() => pollGently(() => device.queue.onSubmittedWorkDone())),
      submitted: () => this.tidy(),
      check: (commands) => this.errors.watch(commands),
      failed: this.errors.add,
    });
    this.readback = new Readback(device, this.recorder);
    const { pool, recorder, errors } = this;
    this.ground = { pool, recorder, errors };
    opened.subgroupMatrix?.addTo(this);
  }

  /** A buffer of at least `bytes`, contents undefined; give it back with {@link release}. */
  allocate(bytes: number, where: string): DeviceBuffer {
    this.assertUsable(where);
    const { draft } = this.recorder;
    if (!draft) return this.pool.acquire(bytes, where);
    const storage = this.pool.reserve(bytes);
    draft.allocate(storage);
    return storage;
  }

  /** Gives up one hold on a buffer; the last one gives it back to the pool. */
  release(storage: DeviceBuffer): void {
    if (!this.ending) this.pool.release(storage);
  }

  /**
   * Records one kernel launch.
   * @throws {ArgumentError} when workgroups are no whole numbers or more than the device allows, or there are not the buffers
   * that the kernel binds, or parameters are missing, unknown or out of range.
   */
  dispatch({ kernel, constants = {}, buffers, params, workgroups, flops }: Launch): void {
    this.assertUsable(kernel.name);
    const [x, y = 1, z = 1] = workgroups;
    if (x === 0 || y === 0 || z === 0) return;
    checkWorkgroups([x, y, z], kernel.name, this.device.limits.maxComputeWorkgroupsPerDimension);
    const pipeline = this.pipelines.get(kernel, constants);
    const words = uniformWords(pipeline, kernel.name, params);
    checkBuffers(pipeline, kernel.name, buffers);
    // Every launch of a kernel that did not compile reports it.
    if (pipeline.error) this.errors.add(pipeline.error);
    this.recorder.dispatch(kernel, pipeline, buffers, words, [x, y, z], flops);
  }

  /** Starts compiling a kernel before it is needed. */
  prepare(kernel: Kernel, constants: Constants = {}): void {
    this.pipelines.get(kernel, constants);
  }

  /**
   * Uploads bytes into a buffer, in order with the recorded commands.
   * @throws {ArgumentError} unless they and the offset are multiples of 4, and fit.
   */
  write(storage: DeviceBuffer, data: ArrayBufferView<ArrayBuffer>, offset = 0): void {
    this.assertUsable('write');
    storage.allow('COPY_DST', 'write');
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const { draft } = this.recorder;
    if (!draft) return void this.recorder.write(storage, offset, bytes);
    const copy = bytes.slice();
    draft.feed(storage, () => copy, { offset, isConstant: true });
  }

  /** Uploads what `data` gives, if anything: now, and when this is recorded before every replay. */
  feed(storage: DeviceBuffer, data: FeedData): void {
    this.assertUsable('feed');
    storage.allow('COPY_DST', 'feed');
    const { draft } = this.recorder;
    if (draft) draft.feed(storage, data);
    else this.upload(storage, data);
  }

  /**
   * Does what no command on the device does: now, and when this is recorded before every replay, in order. For counts of what
   * replays do.
   * @internal
   */
  eachTime(does: () => void): void {
    does();
    this.recorder.draft?.eachTime(does);
  }

  /**
   * Runs `fn` and frees every tensor made inside, except those in what it returns (searched through arrays, maps and
   * plain objects) and those given to {@link keep}. Scopes nest: what is returned belongs to the outer one.
   * @throws {ArgumentError} when `fn` is asynchronous: read results after the scope instead.
   * @example const loss = engine.scope(() => crossEntropy(model.forward(x), y));
   */
  scope<T>(fn: () => T): T {
    return runInScope(this.scopes, fn);
  }

  /** Takes a tensor out of its scope: it lives until it is disposed of. Returns it. */
  keep<T extends Scoped>(tensor: T): T {
    return tensor.moveTo(null);
  }

  /**
   * What embedding an engine in an app builds on.
   * @param where who asks, for the error when the engine is gone.
   * @internal
   */
  embedding(where: string): EmbeddingGround {
    this.assertUsable(where);
    return this.ground;
  }

  /** Whether a step is being recorded; see `capture`. */
  get isRecording(): boolean {
    return this.recorder.draft !== null;
  }

  /**
   * Runs `fn`, and keeps what it launches, to be submitted again by {@link replay}. It is submitted when `fn` has ended, for
   * only then is it known where its tensors may lie.
   * @param means `recordingMeans`: given, so that programs that record nothing carry nothing of it.
   * @throws {ArgumentError} inside another recording.
   * @throws what `fn` throws, after submitting what was launched until then.
   * @internal
   */
  makeRecording<T>(fn: () => T, means: RecordingMeans): { result: T; recording: Recording } {
    this.assertUsable('capture');
    if (this.isRecording) throw means.recordedInside();
    this.recordings ??= new means.Recordings(this.device, this.pool, this.groups, () => this.makeRoom());
    const { recordings } = this;
    const draft = new means.RecordingDraft();
    this.recorder.draft = draft;
    try {
      const result = fn();
      refuseAsync('capture', result);
      return { result, recording: this.settle(draft, recordings) };
    } catch (error) {
      if (this.recorder.draft) this.forget(this.settle(draft, recordings));
      throw error;
    }
  }

  /**
   * Submits recorded commands once more, after what is to be uploaded.
   * @internal
   */
  replay(recording: Recording): void {
    this.assertUsable('replay');
    for (const does of recording.parts.does) does();
    for (const [storage, { data, offset }] of recording.parts.feeds) this.upload(storage, data, offset);
    this.recorder.replay(recording);
  }

  /**
   * Gives up what a recording holds on to; it cannot be replayed any more.
   * @internal
   */
  forget(recording: Recording): void {
    if (!this.ending) this.recordings?.delete(recording);
  }

  /** Copies the first `bytes` of one buffer into another at `offset`, on the device; both are multiples of 4. */
  copy(from: DeviceBuffer, to: DeviceBuffer, bytes: number, offset = 0): void {
    this.assertUsable('copy');
    from.allow('COPY_SRC', 'copy');
    to.allow('COPY_DST', 'copy');
    this.recorder.copy(from, to, bytes, offset);
  }

  /**
   * Waits for everything recorded so far, then reads the first `bytes` of a buffer.
   * @throws the first error since the last wait.
   */
  async read(storage: DeviceBuffer, bytes: number): Promise<ArrayBuffer> {
    this.assertUsable('read');
    storage.allow('COPY_SRC', 'read');
    this.recorder.host?.refuse('read');
    const { draft } = this.recorder;
    if (draft) return draft.read(this, storage, bytes);
    try {
      const data = await this.readback.read(storage, bytes);
      await this.errors.throwFirst();
      return data;
    } catch (error) {
      await this.errors.throwFirst();
      throw error;
    }
  }

  /**
   * Hands everything recorded to the device's queue. Resolves when it is there, ahead of what is submitted from then on, its
   * kernels compiled. Does not wait for the GPU; errors are reported by what does.
   */
  async flush(): Promise<void> {
    this.assertUsable('flush');
    this.recorder.host?.refuse('flush');
    await this.recorder.flush();
  }

  /**
   * Waits until the GPU has done everything recorded so far.
   * @throws the first error since the last wait.
   */
  async sync(): Promise<void> {
    this.assertUsable('sync');
    this.recorder.host?.refuse('sync');
    await this.recorder.flush();
    await pollGently(() => this.device.queue.onSubmittedWorkDone());
    await this.errors.throwFirst();
  }

  /**
   * The device's time for every kernel that `fn` launches, by timestamp queries. Each runs in a pass of its own, so that
   * the sum is a little more than what `fn` takes otherwise.
   * @throws {AdapterError} on a device without timestamp queries.
   * @throws {ArgumentError} when `fn` is asynchronous, or another profile is being taken.
   * @throws what `fn` throws.
   */
  async profile(fn: () => void): Promise<Profile> {
    await this.sync();
    if (this.recorder.timer) {
      throw new ArgumentError({ where: 'profile', message: 'another profile is being taken.', fix: 'Await it first.' });
    }
    const timer = new PassTimer(this.device);
    try {
      const start = performance.now();
      this.recorder.timer = timer;
      let javascript: number;
      try {
        refuseAsync('profile', fn());
        javascript = performance.now() - start;
        await this.recorder.flush();
      } finally {
        this.recorder.timer = null;
      }
      await this.sync();
      return { launches: await timer.read(), javascript };
    } finally {
      timer.destroy();
    }
  }

  /** What is held now, and at most since the start or {@link resetPeak}. */
  memory(): MemoryReport {
    return {
      ...this.pool.snapshot(),
      pipelines: this.pipelines.size,
      bindGroups: this.groups.size + (this.recordings?.bindGroups ?? 0),
      uniforms: this.groups.uniformCount,
      dispatches: this.recorder.dispatches,
    };
  }

  /** Lets `memory().peakBytes` begin anew at what is live. */
  resetPeak(): void {
    this.pool.resetPeak();
  }

  /**
   * Waits for the GPU and for reads under way, then frees everything; from the call on, every other use throws. A device given
   * to {@link Engine.from} stays alive, without the buffers of this engine's tensors; an encoder of its app that holds work of this
   * engine cannot be submitted any more.
   */
  destroy(): Promise<void> {
    this.ending ??= this.end();
    return this.ending;
  }

  private async end(): Promise<void> {
    await this.opened.ahead?.stop();
    if (!this.errors.lost) {
      await this.recorder.flush();
      await this.readback.settle();
      await pollGently(() => this.device.queue.onSubmittedWorkDone()).catch(() => {});
    }
    this.errors.close();
    this.readback.destroy();
    this.recorder.host?.destroy();
    this.groups.destroy();
    this.pool.destroy();
    if (this.opened.isOwn) this.device.destroy();
  }

  private assertUsable(where: string): void {
    if (this.errors.lost) throw this.errors.lost;
    if (this.ending) {
      throw new DeviceLostError({ where, message: 'the engine was destroyed.', fix: 'Create a new one.' });
    }
  }

  /** Ends a recording, and submits what was recorded. */
  private settle(draft: RecordingDraft, recordings: Recordings): Recording {
    this.recorder.draft = null;
    const recording = recordings.add(draft);
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

  private upload(storage: DeviceBuffer, data: FeedData, offset = 0): void {
    const bytes = bytesIn(data());
    if (bytes) this.recorder.write(storage, offset, bytes);
  }

  private tidy(): void {
    // What is being recorded may use buffers that wait for reuse.
    if (this.recorder.draft) return;
    this.pool.trim();
    this.groups.destroyRetired();
  }
}
