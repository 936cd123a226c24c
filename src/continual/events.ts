/** What a learner tells while it learns. A step is told when its loss has been read, while later ones are under way. */
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
  /** Since the epoch before was told, or the task began. */
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

/** Something to know about the whole run, told once ahead of everything else. */
export interface NoticeEvent {
  type: 'notice';
  message: string;
}

export type LearnerEvent = NoticeEvent | StepEvent | EpochEvent | TaskEvent;
