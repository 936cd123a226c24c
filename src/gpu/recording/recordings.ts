/** The recordings of an engine: they take turns in the same buffers, since no two of them run at once. */

import { ArgumentError } from '../../errors.ts';
import type { BindGroupCache } from '../bind-groups.ts';
import type { BufferPool } from '../buffer-pool.ts';
import type { Recording } from './recording.ts';
import { RecordingDraft } from './recording-draft.ts';

const recordedInside = (): ArgumentError =>
  new ArgumentError({
    where: 'capture',
    message: 'a captured step was called while another one was being recorded.',
    fix: 'Capture the outer function only.',
  });

class Recordings {
  private readonly living = new Set<Recording>();

  /** @param makeRoom gives back what waits in the pool, if it can be done now. */
  constructor(
    private readonly device: GPUDevice,
    private readonly pool: BufferPool,
    private readonly groups: BindGroupCache,
    private readonly makeRoom: () => void,
  ) {}

  /** Bind groups they hold. */
  get bindGroups(): number {
    let groups = 0;
    for (const { dispatches } of this.living) groups += dispatches;
    return groups;
  }

  /** @throws {OutOfMemoryError} beyond the device's limits. */
  add(draft: RecordingDraft): Recording {
    const { pool, groups, makeRoom } = this;
    const { maxBufferSize, maxStorageBufferBindingSize, minStorageBufferOffsetAlignment } = this.device.limits;
    const limits = {
      alignment: minStorageBufferOffsetAlignment,
      maxBytes: Math.min(maxBufferSize, maxStorageBufferBindingSize),
    };
    const arenas = new Set([...this.living].flatMap(({ parts }) => [...parts.arenas]));
    const recording = draft.finish({ pool, groups, arenas, limits, makeRoom });
    this.living.add(recording);
    return recording;
  }

  /** Gives up what a recording holds on to. */
  delete(recording: Recording): void {
    this.living.delete(recording);
    for (const uniform of recording.parts.uniforms) uniform.pins--;
    for (const storage of recording.parts.storages) this.pool.release(storage);
  }
}

/** What {@link Runtime.makeRecording} records by. */
export const recordingMeans = { RecordingDraft, Recordings, recordedInside } as const;
export type { Recordings };
export type RecordingMeans = typeof recordingMeans;
