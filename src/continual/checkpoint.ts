/**
 * A learner's state after a task, as one safetensors file: the model under PyTorch's names, and in the metadata what else
 * the next task depends on. Nothing random needs saving: every draw is a function of the seed, the task and the epoch.
 */
import * as v from 'valibot';
import { CheckpointError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import { asFloat32, readSafetensors } from '../nn/safetensors.ts';
import { type StateDict, writeState } from '../nn/state-dict.ts';
import { saveWeights } from '../nn/weights.ts';
import { checkAgreement, imageShapes } from './agreement.ts';
import { type CheckpointState, stateSchema } from './checkpoint-state.ts';
import type { Learner } from './learner.ts';

const FORMAT = 'engram-checkpoint-1';
/**
 * The learner's state as a file. In the middle of a task it is the state after the last finished one.
 * @throws {CheckpointError} before the first task is learnt.
 */
export async function saveCheckpoint(learner: Learner): Promise<Uint8Array<ArrayBuffer>> {
  const { model, scaler } = learner;
  if (!model) {
    throw new CheckpointError({
      where: 'saveCheckpoint',
      message: 'nothing has been learnt yet.',
      fix: 'Learn a task first.',
    });
  }
  const state: CheckpointState = {
    config: learner.config,
    classOrder: [...learner.scenario.classOrder],
    images: imageShapes(learner.images),
    // Copied before anything is waited for: a task may end meanwhile.
    matrix: learner.matrix.map((row) => [...row]),
    memory: learner.memory.toJSON().map(([label, indices]) => [label, [...indices]]),
    ...(scaler ? { scaler: await scaler.state() } : {}),
  };
  return saveWeights(model, { format: FORMAT, state: JSON.stringify(state) });
}

/**
 * Reads what a checkpoint says besides the weights.
 * @throws {CheckpointError} when it is damaged or something else.
 */
export function readCheckpointState(bytes: Uint8Array, where: string): CheckpointState {
  return parseState(readSafetensors(bytes, where).metadata, where);
}

function parseState(metadata: Readonly<Record<string, string>>, where: string): CheckpointState {
  if (metadata.format !== FORMAT) {
    throw new CheckpointError({
      where,
      message: `this is not a checkpoint of a run (format ${clipped(metadata.format ?? 'missing')}, expected ${FORMAT}).`,
      fix: 'Weights alone are loaded with loadStateDict().',
    });
  }
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), stateSchema), metadata.state);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new CheckpointError({
    where,
    message: `the checkpoint's state does not fit: ${v.getDotPath(issue) ?? 'state'}: ${clipped(issue.message)}.`,
    fix: 'Resume with the version of engram that wrote it, or start the run again.',
  });
}

/**
 * Brings a fresh learner to the state that was saved; what it does next is what the saved one would have done.
 * @param where names the file in errors.
 * @throws {CheckpointError} when the file is damaged, says what no run leaves (accuracies, exemplars, weights), or is of another
 * method, model, configuration or data.
 * @throws {ArgumentError} in the middle of a task, or after `dispose`. The learner is untouched then.
 */
export function restoreCheckpoint(learner: Learner, bytes: Uint8Array, where: string): void {
  const { tensors, metadata } = readSafetensors(bytes, where);
  const state = parseState(metadata, where);
  const weights: StateDict = new Map(
    [...tensors].map(([name, entry]) => [name, { shape: entry.shape, data: asFloat32(entry) }]),
  );
  checkAgreement(state, weights, learner, where);
  const model = learner.createModel(learner.scenario.classesAfter(state.matrix.length - 1));
  try {
    writeState(model.namedTensors(), weights, where);
    learner.resumeFrom(model, state.matrix, state.memory, state.scaler);
  } catch (error) {
    model.dispose();
    throw error;
  }
}
