/** What a learner has learnt: replaced as a whole when a task is done. */
import type { Normalization } from '../data/dataset.ts';
import type { ImageFormat } from '../data/image-bytes.ts';
import { writeState } from '../nn/state-dict.ts';
import { GradScaler } from '../optim/grad-scaler.ts';
import type { Engine } from '../tensor/engine.ts';
import { exemplarFault } from './faults.ts';
import type { DividedSettings } from './learner-setup.ts';
import { damaged, type StoredLearner } from './learner-state.ts';
import { ExemplarMemory } from './memory.ts';
import { keepsOf, memoryOptions } from './memory-use.ts';
import type { AnyMethod, IncrementalModel } from './method.ts';
import { type BuildContext, buildModel } from './model.ts';
import type { Network } from './network.ts';

/** What a learner is from its making on. */
export interface Setup extends DividedSettings {
  readonly engine: Engine;
  readonly method: AnyMethod;
  /** One of the user's own. */
  readonly network?: Network | undefined;
  /** Brings images of other sizes to those of the first task. */
  readonly resize: boolean;
}

export interface Knowledge {
  /** None before the first task. */
  readonly model: IncrementalModel | null;
  /** Scales the loss for f16, over all tasks. */
  readonly scaler: GradScaler | null;
  readonly memory: ExemplarMemory;
  /** Of the classes, in the order of the logits. */
  readonly names: readonly string[];
  /** Classes that each task brought, those that brought none left out. */
  readonly taskSizes: readonly number[];
  /** Tasks learnt, those of known classes only included. */
  readonly tasks: number;
  /** What images have in common, and how they are normalised; decided by the first task. */
  readonly images: (ImageFormat & Normalization) | null;
  /** In short, everything that was learnt from: two learners of one history are the same. */
  readonly history: string;
}

/** Before the first task. */
export function nothingKnown({ engine, method, training }: Setup): Knowledge {
  return {
    model: null,
    scaler: training.precision === 'f16' ? new GradScaler(engine) : null,
    memory: new ExemplarMemory(memoryOptions({ method, training })),
    names: [],
    taskSizes: [],
    tasks: 0,
    images: null,
    history: '',
  };
}

/** What a model for such images is made from. */
export const contextOf = (
  { engine, training, network, methodSettings: settings }: Setup,
  images: ImageFormat,
): BuildContext => ({ engine, training, network, settings, images });

/** A model after tasks of these sizes, its weights as initialised. */
export const modelOf = (setup: Setup, taskSizes: readonly number[], images: ImageFormat): IncrementalModel =>
  buildModel(setup.method, contextOf(setup, images), taskSizes);

/**
 * What a file holds.
 * @param where names it in errors.
 * @throws {CheckpointError} when it does not fit the method's model, or the memory.
 */
export function restored(setup: Setup, { state, weights, exemplars }: StoredLearner, where: string): Knowledge {
  const { images, scaler: scale, taskSizes, classes: names, tasksDone: tasks, history, offered } = state;
  const fresh = nothingKnown(setup);
  fresh.memory.restore(exemplars, offered);
  let model: IncrementalModel | null = null;
  try {
    const { selection } = setup.training;
    const fault = exemplarFault(fresh.memory, names.length, { keeps: keepsOf(setup), selection, format: images });
    if (fault) throw damaged(where, fault);
    if (tasks > 0 && images) {
      model = modelOf(setup, taskSizes, images).eval();
      writeState(model.namedTensors(), weights, where);
    }
  } catch (error) {
    model?.dispose();
    fresh.scaler?.dispose();
    throw error;
  }
  if (scale) fresh.scaler?.load(scale);
  return { ...fresh, model, names, taskSizes, tasks, images, history };
}
