/** What the page asks of the worker that trains, evaluates and draws, and what that tells. */
import type { GivenFile } from '../shared/given-files.ts';
import type { Experiment } from '../watch/experiment.ts';
import type { LearnerTold } from '../watch/protocol.ts';
import type { Camera } from './camera.ts';

/** In pixels of the screen. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

export type Command =
  | { readonly type: 'start'; readonly experiment: Experiment }
  | { readonly type: 'open'; readonly files: readonly GivenFile[] }
  /** Where to draw, one a learner: asked for when it is told how many there are. */
  | { readonly type: 'canvases'; readonly canvases: readonly OffscreenCanvas[] }
  | { readonly type: 'camera'; readonly camera: Camera }
  | { readonly type: 'size'; readonly learner: number; readonly size: Size };

export type Told =
  | {
      readonly type: 'begun';
      readonly adapter: string;
      readonly learners: readonly LearnerTold[];
      readonly tasks: number;
    }
  /** The task under way, and how far the learner that stepped last is in it, from 0 to 1. */
  | { readonly type: 'learning'; readonly task: number; readonly done: number }
  /** A learner at its end, in percent on all classes. */
  | { readonly type: 'learnt'; readonly learner: number; readonly accuracy: number }
  /** Of each learner's points, and how many each side has when all are there. */
  | {
      readonly type: 'evaluated';
      readonly done: number;
      readonly total: number;
      readonly points: number;
      readonly images: number;
    }
  | { readonly type: 'finished' }
  | { readonly type: 'failed'; readonly code: string; readonly message: string };
