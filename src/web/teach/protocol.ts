/** What the page asks of the worker that teaches, and what that tells. */
import type { Prediction } from 'engram/continual';
import type { GivenFile } from '../shared/given-files.ts';

/** The two that are taught the same: one held to its former self by dense distillation, and one that only learns on. */
export const PUPILS = ['kept', 'plain'] as const;
export type Pupil = (typeof PUPILS)[number];
export type OfEach<T> = Readonly<Record<Pupil, T>>;

/** A picture as visitors give it: from a canvas or a camera, or a file. */
export type Given = ImageData | File;

export type Command =
  /** Goes on with what is kept in this browser, or begins with the site's network. */
  | { readonly type: 'start' }
  /** The same, though another tab has it. */
  | { readonly type: 'take over' }
  /** Goes on after the device was lost. */
  | { readonly type: 'recover' }
  /** What is this? The latest picture is answered for; those that came meanwhile are not. */
  | { readonly type: 'ask'; readonly picture: ImageData }
  | { readonly type: 'add'; readonly name: string; readonly pictures: readonly Given[] }
  | { readonly type: 'rename'; readonly name: string; readonly to: string }
  /** A picture of a class, or with `null` the whole class, which was not taught yet. */
  | { readonly type: 'remove'; readonly name: string; readonly picture: number | null }
  | { readonly type: 'teach' }
  /** Leaves the task that is learnt, as if it had not begun. */
  | { readonly type: 'stop' }
  | { readonly type: 'export' }
  | { readonly type: 'import'; readonly file: GivenFile }
  | { readonly type: 'start over' };

/** A class of the visitor's own. */
export interface OwnClass {
  readonly name: string;
  /** uint8 [pictures, height, width, channels]. */
  readonly pictures: Uint8Array<ArrayBuffer>;
  readonly count: number;
  /** Of these, how many it was taught: the first ones. */
  readonly taught: number;
  /** Whether it has an output of its own. */
  readonly isKnown: boolean;
}

/** How well the two know what they were taught, after a task. */
export interface Stage {
  /** Classes that were taught, in words; empty in the beginning. */
  readonly after: string;
  /** Percent right of the test pictures of the network's own classes; `null` where there are none. */
  readonly old: OfEach<number | null>;
  /** Percent right of the visitor's pictures that were taught; `null` where there are none. */
  readonly own: OfEach<number | null>;
  /** That the task took. */
  readonly seconds: OfEach<number>;
}

/** A test picture that was right in the beginning, and is wrong now. */
export interface Lost {
  readonly label: string;
  readonly taken: string;
  readonly pixels: Uint8Array<ArrayBuffer>;
}

export interface Ready {
  readonly type: 'ready';
  readonly adapter: string;
  readonly format: { readonly height: number; readonly width: number; readonly channels: number };
  /** Classes that it knew before it was taught here. */
  readonly oldClasses: number;
  /** How well it was made to know them, as it says itself; `null` of one that was imported. */
  readonly made: { readonly accuracy: string; readonly pictures: string } | null;
}

export type Told =
  | Ready
  | { readonly type: 'classes'; readonly classes: readonly OwnClass[] }
  | { readonly type: 'answers'; readonly answers: OfEach<readonly Prediction[]> }
  /** The task under way, from 0 to 1; `null` when none is. */
  | {
      readonly type: 'learning';
      readonly at: { readonly pupil: Pupil; readonly done: number; readonly loss: number } | null;
    }
  | { readonly type: 'stages'; readonly stages: readonly Stage[]; readonly lost: OfEach<readonly Lost[]> }
  /** Kept in this browser; or not, and why. */
  | { readonly type: 'stored'; readonly fault: string | null }
  | { readonly type: 'exported'; readonly bytes: Uint8Array<ArrayBuffer> }
  /** Another tab has it, or took it over. */
  | { readonly type: 'elsewhere' }
  | { readonly type: 'failed'; readonly code: string; readonly message: string; readonly isOver: boolean };
