/**
 * A stretch of work that was recorded once and can be submitted again: its commands with their bind groups, the buffers
 * and uniforms these hold on to, and the uploads that have to be made anew each time.
 */
import type { UniformBuffer } from './bind-groups.ts';
import type { Storage } from './buffer-pool.ts';
import { ArgumentError } from './errors.ts';
import type { Command } from './recorder.ts';

/** What an upload holds next; `null`: what is there is still right. */
export type FeedData = () => ArrayBufferView<ArrayBuffer> | null;

export class Recording {
  readonly commands: Command[] = [];
  /** Every buffer the commands touch. */
  readonly storages = new Set<Storage>();
  readonly uniforms = new Set<UniformBuffer>();
  readonly feeds = new Map<Storage, { readonly data: FeedData; readonly offset: number }>();
  /** Buffers that were made to be uploaded to, kept from reuse while the recording goes on. */
  readonly uploads: Storage[] = [];

  /** @throws ArgumentError for a second upload: before a replay only one of them could be made. */
  feed(storage: Storage, data: FeedData, offset = 0): void {
    if (this.feeds.has(storage)) {
      throw new ArgumentError({
        where: 'capture',
        message: 'the step uploads to one tensor twice, which cannot be replayed.',
        fix: 'Let an optimizer take one step in a captured function, and make tensors anew instead of writing over them.',
      });
    }
    this.feeds.set(storage, { data, offset });
    this.storages.add(storage);
  }

  get dispatches(): number {
    return this.commands.filter(({ kind }) => kind === 'dispatch').length;
  }
}
