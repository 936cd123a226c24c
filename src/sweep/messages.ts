/** What a sweep and the process of one of its runs say to each other. */
import type { Config } from '../continual/benchmark/config.ts';
import type { SweepResult } from './results.ts';

/** What a run's process is to do. */
export interface RunOrder {
  readonly config: Config;
  /** The run's folder: made, or gone on with. */
  readonly folder: string;
  /** Epochs after which the state is saved. */
  readonly saveEvery: number;
  /** Keep the model after each task too. */
  readonly keepStages: boolean;
}

/** Results but for what only the sweep knows. */
export type RunFigures = Omit<SweepResult, 'run' | 'label' | 'pair' | 'config' | 'stopped'>;

/** From a run's process. */
export type RunMessage =
  /** Ready for its order. */
  | { readonly type: 'ready' }
  /** How far it is. */
  | {
      readonly type: 'progress';
      /** From 0 to 1, by images learnt. */
      readonly share: number;
      /** Share that was learnt before this process began. */
      readonly begun: number;
      readonly text: string;
    }
  /** The state as it is in the folder now. */
  | { readonly type: 'saved'; readonly tasks: number; readonly epochs: number }
  /** A task is learnt and saved: accuracy over all classes seen after each task so far, of as many as are planned. */
  | { readonly type: 'task'; readonly curve: readonly number[]; readonly planned: number }
  | { readonly type: 'done'; readonly figures: RunFigures }
  /** Stopped as it was asked to; figures of the tasks that it had learnt, if any. */
  | { readonly type: 'stopped'; readonly figures: RunFigures | null }
  /** `again`: whether another try may end otherwise. */
  | { readonly type: 'failed'; readonly message: string; readonly again: boolean };
