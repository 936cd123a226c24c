/**
 * What is noted of a step while its JavaScript runs for a recording. Nothing runs on the device yet, and the tensors it
 * makes have no buffers: when it has ended it is known how long each of them lives, and all are given their places at once.
 */

import { ArgumentError } from '../../errors.ts';
import type { BindGroupCache, UniformBuffer } from '../bind-groups.ts';
import type { BufferPool } from '../buffer-pool.ts';
import type { Command } from '../command.ts';
import type { DeviceBuffer } from '../device-buffer.ts';
import type { Pipeline } from '../pipelines.ts';
import type { Kernel } from '../wgsl/kernel.ts';
import { mostAlive, type PlanLimits, planMemory, type Span } from './memory-plan.ts';
import { type Reader, readRecorded } from './recorded-read.ts';
import { bytesIn, type Feed, type FeedData, Recording } from './recording.ts';

interface Launch {
  readonly kind: 'dispatch';
  readonly kernel: Kernel;
  readonly pipeline: Pipeline;
  readonly storages: readonly DeviceBuffer[];
  readonly written: readonly DeviceBuffer[];
  readonly params: Uint32Array | null;
  readonly workgroups: readonly [number, number, number];
  readonly flops: number | undefined;
}

interface Copy {
  readonly kind: 'copy';
  /** From the first to the second. */
  readonly storages: readonly [DeviceBuffer, DeviceBuffer];
  readonly written: readonly DeviceBuffer[];
  readonly offset: number;
  readonly bytes: number;
}

/** How the commands use a buffer. */
interface Use {
  readonly first: number;
  last: number;
  isWritten: boolean;
}

type Place = Required<GPUBufferBinding>;

/** What a recording is built on. */
interface Ground {
  readonly pool: BufferPool;
  readonly groups: BindGroupCache;
  /** Buffers of other recordings, to be shared: no two run at once, and their tensors do not outlive them. */
  readonly arenas: Iterable<DeviceBuffer>;
  readonly limits: PlanLimits;
  /** Called when all that was there before is held, and before what is large is made. */
  readonly makeRoom: () => void;
}

/** A buffer of another recording may be this many times larger than what it is taken for. */
const ROOMY = 4;

export class RecordingDraft {
  private readonly commands: (Launch | Copy)[] = [];
  private readonly uses = new Map<DeviceBuffer, Use>();
  /** Made by the step; without a buffer so far. */
  private readonly made = new Set<DeviceBuffer>();
  /** `now`: what is uploaded in the step that is being recorded. */
  private readonly feeds = new Map<DeviceBuffer, Feed & { readonly now: Uint8Array<ArrayBuffer> | null }>();
  private readonly does: (() => void)[] = [];

  /** Takes note of a tensor that is made. */
  allocate(storage: DeviceBuffer): void {
    this.made.add(storage);
  }

  /** Takes note of a launch of `pipeline` on buffers in the order of its bindings. */
  dispatch(launch: Omit<Launch, 'kind' | 'written'>): void {
    const { pipeline, storages } = launch;
    let next = 0;
    const written: DeviceBuffer[] = [];
    for (const { type } of pipeline.bindings) {
      if (type === 'uniform') continue;
      const storage = storages[next++] as DeviceBuffer;
      if (type === 'storage') written.push(storage);
    }
    this.note({ kind: 'dispatch', written, ...launch });
  }

  /** See {@link readRecorded}. */
  read(reader: Reader, storage: DeviceBuffer, bytes: number): Promise<ArrayBuffer> {
    return readRecorded(reader, storage, bytes);
  }

  copy(from: DeviceBuffer, to: DeviceBuffer, bytes: number, offset: number): void {
    this.note({ kind: 'copy', storages: [from, to], written: [to], bytes, offset });
  }

  /**
   * Takes note of an upload, which comes before everything else whenever the step is submitted.
   * @throws {ArgumentError} for an upload that cannot be made before everything else.
   */
  feed(storage: DeviceBuffer, data: FeedData, { offset = 0, isConstant = false } = {}): void {
    const isSecond = this.feeds.has(storage);
    if (isSecond || this.uses.has(storage)) {
      throw new ArgumentError({
        where: 'capture',
        message: isSecond
          ? 'the step uploads to one tensor twice, which cannot be replayed.'
          : 'the step uploads to a tensor that it has used before, which cannot be replayed.',
        fix: 'Let an optimizer take one step in a captured function, and make tensors anew instead of writing over them.',
      });
    }
    this.feeds.set(storage, { data, offset, isConstant, now: bytesIn(data())?.slice() ?? null });
  }

  /** Takes note of what replays do beside the device. */
  eachTime(does: () => void): void {
    this.does.push(does);
  }

  /** What is to be uploaded for the step that was recorded. */
  *uploads(): Iterable<{ storage: DeviceBuffer; offset: number; data: Uint8Array<ArrayBuffer> }> {
    for (const [storage, { offset, now }] of this.feeds) if (now) yield { storage, offset, data: now };
  }

  /**
   * Gives every tensor its place. The recording holds one reference to each buffer and a pin on each uniform.
   * @throws {OutOfMemoryError} beyond the device's limits.
   */
  finish(ground: Ground): Recording {
    const inner = [...this.made].filter((storage) => this.isInner(storage) && this.uses.has(storage));
    const spans = inner.map((storage): Span => {
      const { first, last } = this.uses.get(storage) as Use;
      return { bytes: storage.bytes, first, last };
    });
    const plan = planMemory(spans, this.conflicts(inner), ground.limits);

    const { storages, own, arenas } = this.hold(plan.arenas, ground);
    const places = new Map(
      inner.map((storage, i): [DeviceBuffer, Place] => {
        const { arena, offset } = plan.places[i] as { arena: number; offset: number };
        return [storage, { buffer: (arenas[arena] as DeviceBuffer).buffer, offset, size: storage.bytes }];
      }),
    );
    const uniforms = new Set<UniformBuffer>();
    return new Recording({
      commands: this.commandsOn(places, ground.groups, uniforms),
      storages,
      arenas: new Set(arenas),
      own,
      uniforms,
      feeds: new Map([...this.feeds].filter(([storage, feed]) => !this.isStill(storage, feed))),
      does: this.does,
      tensorBytes: spans.reduce((sum, { bytes }) => sum + bytes, 0),
      aliveBytes: mostAlive(spans),
    });
  }

  /** Takes a reference to what the step found there, and makes buffers for what outlives it and for what lies in arenas. */
  private hold(sizes: readonly number[], { pool, arenas: shared, makeRoom }: Ground) {
    const storages = new Set<DeviceBuffer>();
    const own = new Set<DeviceBuffer>();
    try {
      for (const storage of new Set([...this.uses.keys(), ...this.feeds.keys(), ...this.made])) {
        if (this.isInner(storage)) continue;
        if (this.made.has(storage)) {
          pool.back(storage, 'capture');
          own.add(storage);
        } else {
          pool.pin(storage);
        }
        storages.add(storage);
      }
      makeRoom();
      return { storages, own, arenas: takeArenas(sizes, pool, shared, storages) };
    } catch (error) {
      for (const storage of storages) pool.release(storage);
      throw error;
    }
  }

  /** The commands with their bind groups. Each uniform is pinned once, and added to `uniforms`. */
  private commandsOn(
    places: ReadonlyMap<DeviceBuffer, Place>,
    groups: BindGroupCache,
    uniforms: Set<UniformBuffer>,
  ): Command[] {
    const placeOf = (storage: DeviceBuffer): Place =>
      places.get(storage) ?? { buffer: storage.buffer, offset: storage.offset, size: storage.bytes };
    return this.commands.map((command): Command => {
      if (command.kind === 'copy') {
        const [from, to] = command.storages.map(placeOf) as [Place, Place];
        return {
          kind: 'copy',
          from: from.buffer,
          fromOffset: from.offset,
          to: to.buffer,
          offset: to.offset + command.offset,
          bytes: command.bytes,
        };
      }
      const { kernel, pipeline, params, workgroups, flops } = command;
      const [x, y, z] = workgroups;
      const uniform = params && groups.pinned(params, uniforms);
      const group = groups.create(pipeline, command.storages.map(placeOf), uniform);
      const bytes = command.storages.reduce((sum, storage) => sum + storage.bytes, 0);
      return { kind: 'dispatch', kernel, pipeline, group, x, y, z, flops, bytes };
    });
  }

  /** Whether nothing of it is left when the step has ended. */
  private isInner(storage: DeviceBuffer): boolean {
    return this.made.has(storage) && storage.refs === 0 && !this.feeds.has(storage);
  }

  /** Whether replays need not bring it again: nothing writes over it, and nobody outside held it when the step ended. */
  private isStill(storage: DeviceBuffer, { isConstant }: Feed): boolean {
    // The one reference is the recording's.
    return isConstant && this.made.has(storage) && storage.refs === 1 && !this.uses.get(storage)?.isWritten;
  }

  /** For each of these, by number, those that it meets in a command which writes one of the two. */
  private conflicts(inner: readonly DeviceBuffer[]): number[][] {
    const numbers = new Map(inner.map((storage, i) => [storage, i]));
    const conflicts = inner.map((): number[] => []);
    for (const { storages, written } of this.commands) {
      for (const target of written) {
        const a = numbers.get(target);
        if (a === undefined) continue;
        for (const storage of storages) {
          const b = numbers.get(storage);
          if (b === undefined || b === a) continue;
          conflicts[a]?.push(b);
          conflicts[b]?.push(a);
        }
      }
    }
    return conflicts;
  }

  private note(command: Launch | Copy): void {
    const at = this.commands.push(command) - 1;
    for (const storage of command.storages) {
      const use = this.uses.get(storage);
      if (use) use.last = at;
      else this.uses.set(storage, { first: at, last: at, isWritten: false });
    }
    for (const storage of command.written) (this.uses.get(storage) as Use).isWritten = true;
  }
}

/** A buffer for each size, one of those shared where it is large enough. Each is added to `held`, with a reference. */
function takeArenas(
  sizes: readonly number[],
  pool: BufferPool,
  shared: Iterable<DeviceBuffer>,
  held: Set<DeviceBuffer>,
): DeviceBuffer[] {
  const free = [...shared].sort((a, b) => a.bytes - b.bytes);
  const taken: DeviceBuffer[] = new Array(sizes.length);
  const largestFirst = [...sizes.entries()].sort(([, a], [, b]) => b - a);
  for (const [i, bytes] of largestFirst) {
    const at = free.findIndex((arena) => arena.bytes >= bytes && arena.bytes <= ROOMY * bytes);
    const [found] = at < 0 ? [] : free.splice(at, 1);
    if (found) pool.pin(found);
    const arena = found ?? pool.acquire(bytes, 'capture');
    taken[i] = arena;
    held.add(arena);
  }
  return taken;
}
