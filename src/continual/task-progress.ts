/** Where a task is, as one safetensors file: with the learner before it and the same images, the rest of it follows. */
import * as v from 'valibot';
import { CheckpointError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import { readSafetensors, writeSafetensors } from '../nn/safetensors.ts';
import type { StateDict } from '../nn/state-dict.ts';
import { weightFault } from './faults.ts';
import { damaged, scalerSchema } from './learner-state.ts';
import type { PhaseSnapshot } from './snapshot.ts';
import { checksumFault, checksumOf, prefixed, unprefixed } from './stored-tensors.ts';

const FORMAT = 'engram-progress-1';
const count = v.pipe(v.number(), v.integer(), v.minValue(0));

const stateSchema = v.object({
  task: count,
  /** The phase under way; those before it are done. */
  phase: v.pipe(count, v.maxValue(65536)),
  /** Epochs of it that are done. */
  epochs: count,
  /** Of the learner's settings, its classes, and the task's images. */
  fingerprint: v.string(),
  /** Spent so far. */
  seconds: v.number(),
  counters: v.object({
    steps: count,
    taken: v.exactOptional(v.array(count)),
    progress: v.exactOptional(v.array(v.number())),
  }),
  scaler: v.nullable(scalerSchema),
});

export interface TaskProgress {
  readonly task: number;
  readonly phase: number;
  readonly fingerprint: string;
  readonly seconds: number;
  /** The model as each phase that is done left it. */
  readonly ends: readonly StateDict[];
  readonly snapshot: PhaseSnapshot;
  readonly metadata: Readonly<Record<string, string>>;
}

export function writeProgress(progress: TaskProgress): Uint8Array<ArrayBuffer> {
  const { task, phase, fingerprint, seconds, ends, snapshot, metadata } = progress;
  const { epochs, counters, scaler } = snapshot;
  const tensors = [
    ...ends.flatMap((state, at) => prefixed(`phase${at}.`, state)),
    ...prefixed('model.', snapshot.model),
    ...prefixed('optimizer.', snapshot.optimizer),
    ...prefixed('state.', snapshot.state),
  ];
  return writeSafetensors(tensors, {
    ...metadata,
    format: FORMAT,
    progress: JSON.stringify({ task, phase, epochs, fingerprint, seconds, counters, scaler }),
    checksum: checksumOf(tensors),
  });
}

/**
 * @param where names the file in errors.
 * @throws {CheckpointError} when it is damaged or something else.
 */
export function readProgress(bytes: Uint8Array, where: string): TaskProgress {
  const { tensors, metadata } = readSafetensors(bytes, where);
  const { format, progress, checksum, ...others } = metadata;
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), stateSchema), progress);
  if (format !== FORMAT || !parsed.success) {
    throw new CheckpointError({
      where,
      message:
        format === FORMAT
          ? 'the file is damaged: its state does not fit.'
          : `this is not the progress of a task (format ${clipped(format ?? 'missing')}, expected ${FORMAT}).`,
      fix: 'Learn the task from its beginning.',
    });
  }
  const changed = checksumFault(tensors, checksum);
  if (changed)
    throw new CheckpointError({
      where,
      message: `the file is damaged: ${changed}.`,
      fix: 'Learn the task from its beginning.',
    });
  const { task, phase, epochs, fingerprint, seconds, counters, scaler } = parsed.output;
  const ends = Array.from({ length: phase }, (_, at) => unprefixed(`phase${at}.`, tensors));
  const model = unprefixed('model.', tensors);
  const fault = [...ends, model].map(weightFault).find((text) => text !== undefined);
  if (fault) throw damaged(where, fault, 'Learn the task from its beginning.');
  return {
    task,
    phase,
    fingerprint,
    seconds,
    ends,
    snapshot: {
      epochs,
      counters,
      scaler,
      model,
      optimizer: unprefixed('optimizer.', tensors),
      state: unprefixed('state.', tensors),
    },
    metadata: others,
  };
}
