/**
 * A learner's state after a task, as one safetensors file: the model under PyTorch's names, and in the metadata what else
 * the next task depends on. Nothing random needs saving: every draw is a function of the seed, the task and the epoch.
 */
import * as v from 'valibot';
import { CheckpointError } from '../gpu/errors.ts';
import { readSafetensors } from '../nn/safetensors.ts';
import { loadWeights, saveWeights } from '../nn/weights.ts';
import { type Config, configSchema } from './config.ts';
import type { Learner } from './learner.ts';

const FORMAT = 'engram-checkpoint-1';
const count = v.pipe(v.number(), v.integer(), v.minValue(0));

const stateSchema = v.object({
  config: configSchema,
  classOrder: v.array(count),
  /** Rows of accuracies, one for each task learnt. */
  matrix: v.pipe(v.array(v.array(v.number())), v.minLength(1)),
  /** Exemplars by class: indices into the training set as configured. */
  memory: v.array(v.tuple([count, v.array(count)])),
  /** The scale of the loss, of a run in f16. */
  scaler: v.exactOptional(
    v.object({ scale: v.pipe(v.number(), v.finite(), v.gtValue(0)), goodSteps: count, skippedSteps: count }),
  ),
});

/** What a checkpoint says besides the weights. */
export type CheckpointState = v.InferOutput<typeof stateSchema>;

/** The learner's state as a file. @throws CheckpointError before the first task is learnt. */
export async function saveCheckpoint(learner: Learner): Promise<Uint8Array<ArrayBuffer>> {
  if (!learner.model) {
    throw new CheckpointError({
      where: 'saveCheckpoint',
      message: 'nothing has been learnt yet.',
      fix: 'Learn a task first.',
    });
  }
  const state: CheckpointState = {
    config: learner.config,
    classOrder: [...learner.scenario.classOrder],
    matrix: learner.matrix,
    memory: learner.memory.toJSON().map(([label, indices]) => [label, [...indices]]),
    ...(learner.scaler ? { scaler: await learner.scaler.state() } : {}),
  };
  return saveWeights(learner.model, { format: FORMAT, state: JSON.stringify(state) });
}

/** Reads what a checkpoint says besides the weights. @throws CheckpointError when it is damaged or something else. */
export function readCheckpointState(bytes: Uint8Array, where: string): CheckpointState {
  const { metadata } = readSafetensors(bytes, where);
  if (metadata.format !== FORMAT) {
    throw new CheckpointError({
      where,
      message: `this is no checkpoint of a run (format ${metadata.format ?? 'missing'}, expected ${FORMAT}).`,
      fix: 'Weights alone are loaded with loadStateDict().',
    });
  }
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), stateSchema), metadata.state);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new CheckpointError({
    where,
    message: `the checkpoint's state does not fit: ${v.getDotPath(issue) ?? 'state'}: ${issue.message}.`,
    fix: 'Resume with the version of engram that wrote it, or start the run again.',
  });
}

/** What a run may be gone on with differently: where the data lies, and how steps come to the same results. */
const FREE: readonly (keyof Config)[] = ['data', 'capture', 'lossEvery', 'gradientCheckpointing'];

/** What must agree for a run to go on as if it had never stopped. */
function differences(saved: Config, given: Config): (keyof Config)[] {
  const keys = Object.keys(configSchema.entries) as (keyof Config)[];
  return keys.filter((key) => !FREE.includes(key) && JSON.stringify(saved[key]) !== JSON.stringify(given[key]));
}

/**
 * Brings a fresh learner to the state that was saved; what it does next is what the saved one would have done.
 * @param where names the file in errors.
 * @throws CheckpointError when the file is damaged, or of another model, configuration or data; the learner is untouched then.
 */
export function restoreCheckpoint(learner: Learner, bytes: Uint8Array, where: string): void {
  const state = readCheckpointState(bytes, where);
  const key = differences(state.config, learner.config)[0];
  if (key) {
    const show = (config: Config): string => JSON.stringify(config[key]) ?? 'none';
    throw new CheckpointError({
      where,
      message: `the checkpoint was made with "${key}" = ${show(state.config)}, but this run has ${show(learner.config)}.`,
      fix: 'Resume with the settings of the run, or start another run in a folder of its own.',
    });
  }
  const { classOrder } = learner.scenario;
  const images = learner.trainingImages;
  const strayed = state.memory.flatMap(([, indices]) => indices).find((index) => index >= images);
  if (
    state.classOrder.join() !== classOrder.join() ||
    strayed !== undefined ||
    state.matrix.length > learner.scenario.tasks.length
  ) {
    throw new CheckpointError({
      where,
      message:
        strayed === undefined
          ? `the checkpoint knows ${state.classOrder.length} classes in another order than this data gives (${classOrder.length}).`
          : `the checkpoint keeps image ${strayed} as an exemplar, but there are only ${images}.`,
      fix: 'Resume with the data the run began with.',
    });
  }
  const model = learner.createModel(learner.scenario.classesAfter(state.matrix.length - 1));
  try {
    loadWeights(model, bytes, where);
  } catch (error) {
    model.dispose();
    throw error;
  }
  learner.resumeFrom(model, state.matrix, state.memory, state.scaler);
}
