/** What the page asks of the worker that measures, and what that tells. */
import type { Result } from '../../../bench/bench-line.ts';
import type { Comparison } from '../../../bench/conformance/golden-case.ts';
import type { AdapterKind } from '../../gpu/adapter/adapter.ts';

/** What can be run by itself, in the order of a run of all. */
export const PARTS = ['adapter', 'ceilings', 'benchmarks', 'variants', 'conformance'] as const;
export type Part = (typeof PARTS)[number];

/** Which adapter the browser is asked for. */
export const GPUS = ['high-performance', 'low-power', 'software'] as const;
export type GpuChoice = (typeof GPUS)[number];

export interface Command {
  readonly type: 'run';
  readonly parts: readonly Part[];
  readonly gpu: GpuChoice;
  /** Beginnings of names: of benchmarks, of pieces of work and of reference cases. None: what suits the adapter. */
  readonly only: readonly string[];
}

/** Something that an engine can make use of. */
export interface Use {
  readonly name: string;
  readonly feature: string;
  readonly has: boolean;
  readonly says: string;
}

/** What an adapter says of itself. */
export interface AdapterReport {
  readonly type: 'adapter';
  /** One line for people, by which results are told apart. */
  readonly description: string;
  readonly kind: AdapterKind;
  readonly info: Readonly<Record<string, unknown>>;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  readonly uses: readonly Use[];
}

/** One variant of a piece of work. */
export interface VariantTime {
  readonly variant: string;
  /** Milliseconds of one run; `null` where it does not run. */
  readonly ms: number | null;
  /** Whether the tuner would look at it on this adapter. */
  readonly isPromising: boolean;
  /** Why it does not run. */
  readonly fault: string | null;
}

/** A piece of work by all variants of its kernel family that fit it. */
export interface MeasuredPiece {
  readonly type: 'piece';
  readonly name: string;
  readonly family: string;
  /** The sizes for people. */
  readonly work: string;
  readonly flops: number;
  /** What runs where nothing was tuned, and what the tuner would choose; `null` where nothing runs. */
  readonly rule: string;
  readonly tuned: string | null;
  readonly variants: readonly VariantTime[];
}

/** A reference case by one way to run the kernels. */
export interface Verdict {
  readonly type: 'verdict';
  /** Of the file, and of the operation in it. */
  readonly name: string;
  readonly operation: string;
  /** `rules`, a kernel variant that is preferred, or the rules for adapters of the other kind. */
  readonly way: string;
  readonly passed: boolean;
  /** Tensors compared. */
  readonly compared: number;
  /** The one nearest to its tolerance, or furthest beyond it. */
  readonly worst: Pick<Comparison, 'tensor' | 'error' | 'tolerance'> | null;
  /** Those beyond their tolerance. */
  readonly off: readonly Comparison[];
  /** Why it could not be compared to its end. */
  readonly fault: string | null;
  /** The kernels launched. */
  readonly kernels: readonly string[];
}

export type Told =
  | AdapterReport
  /** There is an engine; how it calls its adapter in lines of results. */
  | { readonly type: 'opened'; readonly description: string }
  /** A part begins: what is known of it is forgotten. */
  | { readonly type: 'begun'; readonly part: Part }
  | {
      readonly type: 'doing';
      readonly part: Part;
      readonly name: string;
      readonly done: number;
      readonly total: number;
    }
  | { readonly type: 'measured'; readonly part: 'ceilings' | 'benchmarks'; readonly result: Result }
  | { readonly type: 'left out'; readonly part: Part; readonly name: string; readonly why: string }
  | MeasuredPiece
  | Verdict
  | { readonly type: 'ended'; readonly part: Part }
  /** All parts asked for have ended. */
  | { readonly type: 'finished' }
  | { readonly type: 'failed'; readonly code: string; readonly message: string };
