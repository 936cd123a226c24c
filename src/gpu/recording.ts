/**
 * A stretch of work that was recorded once and can be submitted again: its commands with their bind groups, the buffers
 * and uniforms these hold on to, and the uploads that have to be made anew each time.
 */
import type { UniformBuffer } from './bind-groups.ts';
import { Storage } from './buffer-pool.ts';
import { ArgumentError } from './errors.ts';
import type { Pipeline } from './pipelines.ts';
import type { Command } from './recorder.ts';

/** What an upload holds next; `null`: what is there is still right. */
export type FeedData = () => ArrayBufferView<ArrayBuffer> | null;

interface Feed {
  readonly data: FeedData;
  readonly offset: number;
  /** The data are the same in every replay. */
  readonly isConstant: boolean;
}

/** What the tensors that a recorded step makes take. */
export interface MemoryPlan {
  /** Bytes of the buffers they are in: what one gives back takes the next of its size. Held from replay to replay. */
  readonly bytes: number;
  readonly buffers: number;
  /** Bytes that they would take if each had a buffer of its own. */
  readonly bytesWithoutReuse: number;
}

export class Recording {
  readonly commands: Command[] = [];
  /** Every buffer the commands touch. */
  readonly storages = new Set<Storage>();
  readonly uniforms = new Set<UniformBuffer>();
  readonly feeds = new Map<Storage, Feed>();
  /** Buffers that were made to be uploaded to, kept from reuse while the recording goes on. */
  readonly uploads: Storage[] = [];
  dispatches = 0;
  private compiled = false;
  private readonly written = new Set<Storage>();
  private readonly made = new Set<Storage>();
  private madeBytes = 0;

  /** Whether every pipeline is ready. */
  get isCompiled(): boolean {
    this.compiled ||= this.commands.every((c) => c.kind !== 'dispatch' || c.pipeline.compiled);
    return this.compiled;
  }

  /** Takes note of a tensor that is made in this buffer. */
  allocate(storage: Storage): void {
    this.made.add(storage);
    this.madeBytes += storage.bytes;
  }

  get memory(): MemoryPlan {
    let bytes = 0;
    for (const storage of this.made) bytes += storage.bytes;
    return { bytes, buffers: this.made.size, bytesWithoutReuse: this.madeBytes };
  }

  /** Takes note of a launch of `pipeline` on buffers in the order of its bindings. */
  dispatch(command: Command, storages: readonly Storage[], { bindings }: Pipeline): void {
    this.commands.push(command);
    this.dispatches++;
    let next = 0;
    for (const { type } of bindings) {
      if (type === 'uniform') continue;
      const storage = storages[next++] as Storage;
      this.storages.add(storage);
      if (type === 'storage') this.written.add(storage);
    }
  }

  copy(command: Command, from: Storage, to: Storage | GPUBuffer): void {
    this.commands.push(command);
    this.storages.add(from);
    if (!(to instanceof Storage)) return;
    this.storages.add(to);
    this.written.add(to);
  }

  /** @throws ArgumentError for a second upload: before a replay only one of them could be made. */
  feed(storage: Storage, data: FeedData, { offset = 0, isConstant = false } = {}): void {
    if (this.feeds.has(storage)) {
      throw new ArgumentError({
        where: 'capture',
        message: 'the step uploads to one tensor twice, which cannot be replayed.',
        fix: 'Let an optimizer take one step in a captured function, and make tensors anew instead of writing over them.',
      });
    }
    this.feeds.set(storage, { data, offset, isConstant });
    this.storages.add(storage);
  }

  /** When all is recorded: replays need not bring again what nothing writes over and nobody outside holds. */
  dropStillUploads(): void {
    for (const storage of this.uploads) {
      const isOurs = storage.refs === 1;
      if (isOurs && !this.written.has(storage) && this.feeds.get(storage)?.isConstant) this.feeds.delete(storage);
    }
  }
}
