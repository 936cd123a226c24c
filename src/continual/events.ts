/** What a learner reports while it learns. A step is reported when its loss has been read, while later ones are under way. */
export interface StepEvent {
  type: 'step';
  task: number;
  epoch: number;
  epochs: number;
  /** From 0. */
  step: number;
  steps: number;
  /** Images of this step. */
  images: number;
  loss: number;
}

export interface EpochEvent {
  type: 'epoch';
  task: number;
  epoch: number;
  /** Mean over the epoch's images. */
  loss: number;
  lr: number;
  images: number;
  /** Since the previous epoch was reported, or the task began. */
  seconds: number;
}

export interface TaskEvent {
  type: 'task';
  task: number;
  /** Accuracy in percent on each task so far. */
  accuracies: readonly number[];
  /** Accuracy in percent over all classes seen. */
  accuracy: number;
  /** γ of the weight alignment. */
  gamma: number;
  exemplars: number;
  /** Training steps left out because gradients overflowed in f16; 0 in f32. */
  skippedSteps: number;
  seconds: number;
}

/** Something to know about the whole run, reported once, before everything else. */
export interface NoticeEvent {
  type: 'notice';
  message: string;
}

export type LearnerEvent = NoticeEvent | StepEvent | EpochEvent | TaskEvent;
