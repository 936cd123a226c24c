/** What of an engine embedding it in an app builds on. */

import type { BufferPool } from '../buffer-pool.ts';
import type { DeviceErrors } from '../device-errors.ts';
import type { Recorder } from '../recorder.ts';

export interface EmbeddingGround {
  readonly pool: BufferPool;
  readonly recorder: Recorder;
  readonly errors: DeviceErrors;
}
