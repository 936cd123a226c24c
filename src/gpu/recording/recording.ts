/**
 * A stretch of work that was recorded once and can be submitted again: its commands with their bind groups, the buffers
 * and uniforms these hold on to, and the uploads that have to be made anew each time.
 */
import type { UniformBuffer } from '../bind-groups.ts';
import type { Command } from '../command.ts';
import type { DeviceBuffer } from '../device-buffer.ts';

/** What an upload holds next; `null`: what is there is still right. */
export type FeedData = () => ArrayBufferView<ArrayBuffer> | null;

export const bytesIn = (view: ArrayBufferView<ArrayBuffer> | null): Uint8Array<ArrayBuffer> | null =>
  view && new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

export interface Feed {
  readonly data: FeedData;
  readonly offset: number;
  /** The data are the same in every replay. */
  readonly isConstant: boolean;
}

/** What a recorded step holds from replay to replay. */
export interface RecordedMemory {
  /** Bytes of all buffers: those that its tensors lie in, those of what it returns or uploads, and uniforms. */
  readonly bytes: number;
  /** How many these are. */
  readonly buffers: number;
  /** Bytes that they would be if each tensor had a buffer of its own. */
  readonly bytesWithoutReuse: number;
  /** Bytes that they would be at least: with no more for its tensors than live at once. */
  readonly leastBytes: number;
}

interface Parts {
  readonly commands: readonly Command[];
  /** Every buffer the commands touch, each pinned once. */
  readonly storages: ReadonlySet<DeviceBuffer>;
  /** Those among them that many tensors share. */
  readonly arenas: ReadonlySet<DeviceBuffer>;
  /** Those among them that one tensor has for itself because it outlives the step or is uploaded to. */
  readonly own: ReadonlySet<DeviceBuffer>;
  readonly uniforms: ReadonlySet<UniformBuffer>;
  readonly feeds: ReadonlyMap<DeviceBuffer, Feed>;
  /** What is done beside the device before each replay. */
  readonly does: readonly (() => void)[];
  /** Bytes of the tensors that lie in the arenas: all together, and as many as live at once. */
  readonly tensorBytes: number;
  readonly aliveBytes: number;
}

export class Recording {
  /** Whether it has been handed to the queue, and so been validated. */
  wasSubmitted = false;
  readonly dispatches: number;
  /** Whether it uses a host's buffers, which the host may have destroyed meanwhile. */
  readonly hasHosts: boolean;
  private compiled = false;

  constructor(readonly parts: Parts) {
    this.dispatches = parts.commands.filter(({ kind }) => kind === 'dispatch').length;
    this.hasHosts = [...parts.storages].some(({ isHosts }) => isHosts);
  }

  get commands(): readonly Command[] {
    return this.parts.commands;
  }

  /** Whether every pipeline is ready. */
  get isCompiled(): boolean {
    this.compiled ||= this.commands.every((c) => c.kind !== 'dispatch' || c.pipeline.compiled);
    return this.compiled;
  }
}

/** What recordings hold, each buffer counted once. `inputs`: the buffers they read their inputs from. */
export function memoryOf(recordings: readonly Recording[], inputs: readonly DeviceBuffer[]): RecordedMemory {
  const parts = recordings.map((recording) => recording.parts);
  const sum = (sizes: Iterable<{ readonly bytes: number }>) =>
    [...sizes].reduce((total, { bytes }) => total + bytes, 0);
  const arenas = new Set(parts.flatMap((part) => [...part.arenas]));
  const uniforms = new Set(parts.flatMap((part) => [...part.uniforms]));
  const single = [...new Set([...parts.flatMap((part) => [...part.own]), ...inputs]), ...uniforms];
  const fixed = sum(single);
  return {
    bytes: fixed + sum(arenas),
    buffers: single.length + arenas.size,
    bytesWithoutReuse: fixed + parts.reduce((total, { tensorBytes }) => total + tensorBytes, 0),
    leastBytes: fixed + Math.max(0, ...parts.map(({ aliveBytes }) => aliveBytes)),
  };
}
