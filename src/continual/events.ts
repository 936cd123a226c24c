import type { Evaluation } from './learner-types.ts';

/** What a learner reports while it learns. A step is reported when its loss has been read, while later ones are under way. */
export interface StepEvent {
  readonly type: 'step';
  /** Tasks, phases of a task, epochs and steps are counted from 0. */
  readonly task: number;
  readonly phase: number;
  /** As the method calls it, where it does; see `Phase.name`. */
  readonly phaseName?: string;
  readonly epoch: number;
  /** Of this phase. */
  readonly epochs: number;
  readonly step: number;
  readonly steps: number;
  /** Images of this step. */
  readonly images: number;
  readonly loss: number;
  /** What it is the sum of, by name, where the method says; see `sumOfTerms`. */
  readonly terms: Readonly<Record<string, number>>;
}

/** An epoch that is done. Tasks, phases and epochs are counted from 0. */
export interface EpochEvent {
  readonly type: 'epoch';
  readonly task: number;
  readonly phase: number;
  /** As the method calls it, where it does; see `Phase.name`. */
  readonly phaseName?: string;
  readonly epoch: number;
  /** Mean over the epoch's images. */
  readonly loss: number;
  /** Means of what the loss is the sum of, by name, where the method says; see `sumOfTerms`. */
  readonly terms: Readonly<Record<string, number>>;
  /** The learning rate in it. */
  readonly lr: number;
  /** How many it visited. */
  readonly images: number;
  readonly steps: number;
  /** Since the previous epoch was reported, or the phase began. */
  readonly seconds: number;
  /** Of stored images: seconds that steps waited for them to be read; about none where the device is what takes time. */
  readonly waited?: number;
}

/** What the rest of the task depends on, after an epoch; see `LearnOptions.saveEvery`. */
export interface ProgressEvent {
  readonly type: 'progress';
  readonly task: number;
  readonly phase: number;
  /** Epochs of the phase that are done. */
  readonly epochs: number;
  /** A safetensors file: give it to `learn` with the same images, on a learner in the state before the task. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A task that is learnt: the last event of a `learn`. */
export interface TaskEvent {
  readonly type: 'task';
  readonly task: number;
  /** Names of the classes that are new. */
  readonly newClasses: readonly string[];
  /** Exemplars held now. */
  readonly exemplars: number;
  /** Bytes of their pixels, and of what is stored with them. */
  readonly exemplarBytes: number;
  /** Numbers that the method noted, γ of a weight alignment for example. */
  readonly notes: Readonly<Record<string, number>>;
  /** Training steps left out because gradients overflowed in f16; 0 in f32. */
  readonly skippedSteps: number;
  /** Of the images that were to be tested on; see `LearnOptions.test`. */
  readonly evaluation?: Evaluation;
  /** Of each of `LearnOptions.tests`. */
  readonly evaluations?: readonly Evaluation[];
  /** Of the whole task, its tests included, and what was spent before it was resumed. */
  readonly seconds: number;
}

/** Something to know about the whole task, reported once, before everything else. */
export interface NoticeEvent {
  readonly type: 'notice';
  readonly message: string;
}

/** What `learn` yields, told apart by `type`. */
export type LearnerEvent = NoticeEvent | StepEvent | EpochEvent | ProgressEvent | TaskEvent;
