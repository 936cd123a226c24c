/** What the page asks of the worker that trains, and what that tells. */
import type { ImageBytes, PoolKind } from 'engram';
import type { GivenFile } from '../shared/given-files.ts';
import type { Experiment } from './experiment.ts';

export type Command =
  | { readonly type: 'start'; readonly experiment: Experiment }
  /** Goes on with runs, from here or from a command line. */
  | { readonly type: 'open'; readonly files: readonly GivenFile[] }
  /** Goes on after the device was lost. */
  | { readonly type: 'recover' }
  | { readonly type: 'pause' }
  | { readonly type: 'go on' }
  /** Takes one step with each learner, and pauses. */
  | { readonly type: 'step' }
  /** Rests so long after each step. */
  | { readonly type: 'slow'; readonly milliseconds: number }
  /** Asks for the files of all runs, as they were after their last finished task. */
  | { readonly type: 'save' };

/** One of those side by side. */
export interface LearnerTold {
  readonly method: string;
  /** The groups of old tasks that it is held to; `null` where it distils nothing. */
  readonly pool: PoolKind | null;
  /** Of its distillation. */
  readonly temperature: number;
}

/** What is the same for all learners. */
export interface Begun {
  readonly type: 'begun';
  readonly adapter: string;
  readonly learners: readonly LearnerTold[];
  /** Of all tasks, in the order in which they arrive. */
  readonly classes: readonly string[];
  /** Classes that each task brings. */
  readonly taskSizes: readonly number[];
  /** Test pictures in the order of the tasks: those of the classes seen come first, whenever it is. */
  readonly pictures: ImageBytes;
  /** Of each picture, its class: a place in `classes`. */
  readonly labels: Uint16Array<ArrayBuffer>;
  /** Whether it goes on with what was told before. */
  readonly again: boolean;
}

/** A task begins. */
export interface Held {
  readonly type: 'held';
  readonly learner: number;
  readonly task: number;
  /** The groups of old tasks that it is held to in this task: each the tasks' places. None where it distils nothing. */
  readonly groups: readonly (readonly number[])[];
}

export interface Stepped {
  readonly type: 'stepped';
  readonly learner: number;
  readonly task: number;
  /** Of the task that is under way, from 0 to 1. */
  readonly done: number;
  readonly loss: number;
  /** The groups that were drawn in this step, places in those it is held to; not where all are distilled. */
  readonly drawn?: readonly number[];
}

/** What a model says of the test pictures, and what its memory holds. */
export interface Views {
  /** Classes known. */
  readonly known: number;
  /** Of each picture of the classes known, over these: [pictures, known]. */
  readonly probabilities: Float32Array<ArrayBuffer>;
  /** The pictures that it keeps, [count, height, width, channels], and the class of each. */
  readonly kept: Uint8Array<ArrayBuffer>;
  readonly keptLabels: Uint16Array<ArrayBuffer>;
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
  /** `null` where nobody asked, or the model of that time is gone: in runs that were opened, before their last task. */
  readonly views: Views | null;
}

export type Told =
  | Begun
  | Held
  | Stepped
  | Stage
  | { readonly type: 'paused' }
  | { readonly type: 'finished' }
  /** The runs' files in one archive. */
  | { readonly type: 'saved'; readonly archive: Uint8Array<ArrayBuffer> }
  | {
      readonly type: 'failed';
      /** `adapter`: there is no WebGPU; `device-lost`: what was learnt to the last finished task is there still. */
      readonly code: string;
      readonly message: string;
      /** Whether training ended with it. */
      readonly isOver: boolean;
    };
