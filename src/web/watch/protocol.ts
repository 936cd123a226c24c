/** What the page asks of the worker that trains, and what that tells. */
import type { ImageBytes } from 'engram';
import type { Experiment } from './experiment.ts';

export type Command =
  | { readonly type: 'start'; readonly experiment: Experiment }
  | { readonly type: 'pause' }
  | { readonly type: 'go on' }
  /** Takes one step with each learner, and pauses. */
  | { readonly type: 'step' }
  /** Rests so long after each step. */
  | { readonly type: 'slow'; readonly milliseconds: number }
  /** Asks for the run's files. */
  | { readonly type: 'save' };

/** What is the same for all learners. */
export interface Begun {
  readonly type: 'begun';
  readonly adapter: string;
  /** Of all tasks, in the order in which they arrive. */
  readonly classes: readonly string[];
  /** Classes that each task brings. */
  readonly taskSizes: readonly number[];
  /** Test pictures in the order of the tasks: those of the classes seen come first, whenever it is. */
  readonly pictures: ImageBytes;
  /** Of each picture, its class: a place in `classes`. */
  readonly labels: Uint16Array<ArrayBuffer>;
}

export interface Stepped {
  readonly type: 'stepped';
  readonly learner: number;
  readonly task: number;
  /** Of the task that is under way, from 0 to 1. */
  readonly done: number;
  readonly loss: number;
}

/** A learner after a task. */
export interface Stage {
  readonly type: 'stage';
  readonly learner: number;
  readonly task: number;
  /** Percent on all classes seen. */
  readonly accuracy: number;
  /** Percent on each task so far. */
  readonly accuracies: readonly number[];
  /** Classes known. */
  readonly known: number;
  /** Of each picture of the classes known, over these: [pictures, known]. */
  readonly probabilities: Float32Array<ArrayBuffer>;
  /** The pictures that it keeps, [count, height, width, channels], and the class of each. */
  readonly kept: Uint8Array<ArrayBuffer>;
  readonly keptLabels: Uint16Array<ArrayBuffer>;
  /** The groups of old tasks that it was held to in this task: each the tasks' places. None where it distils nothing. */
  readonly groups: readonly (readonly number[])[];
  readonly seconds: number;
}

export type Told =
  | Begun
  | Stepped
  | Stage
  | { readonly type: 'paused' }
  | { readonly type: 'finished' }
  | { readonly type: 'saved'; readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> }
  | {
      readonly type: 'failed';
      /** `adapter`: there is no WebGPU; `device-lost`: what was learnt to the last finished task is there still. */
      readonly code: string;
      readonly message: string;
      /** Tasks that all learners have finished. */
      readonly tasks: number;
    };
