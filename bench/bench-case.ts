/** What a benchmark is: a name, and how to make the work that is timed. */
import type { Runtime } from '../src/gpu/runtime.ts';
import type { Engine, Tensor } from '../src/index.ts';
import { normal } from '../src/tensor/random-tensors.ts';

/** What one run costs, for the rate. */
export interface Cost {
  /** Floating point operations: 2 for each multiplication with its addition (2·MAC), nothing else counted. */
  readonly flops?: number;
  /** Bytes that must be read and written at least: every operand and every result once. */
  readonly bytes?: number;
}

export interface Work extends Cost {
  /** Groups distilled and samples in the batch, for the cost of one group and sample. */
  readonly groups?: number;
  readonly samples?: number;
  /** Records the work once and waits for nothing. What it makes is freed afterwards. */
  run(): unknown;
  /** A whole training step: its launches and its JavaScript are reported too. */
  readonly isStep?: boolean;
  /** Whether to time it as a captured step, replayed instead of run anew. */
  readonly captured?: boolean;
  /** Frees what outlives a scope. */
  dispose?(): void;
}

/** Milliseconds of one run. */
export interface Timing {
  /** Median of the samples. */
  readonly ms: number;
  /** Fastest sample. */
  readonly min: number;
  /** 90th percentile of the samples. */
  readonly p90: number;
  /**
   * Processor time of all threads, of the sample with the least: on a software adapter the work itself, hardly disturbed by
   * what else the machine does; on a GPU what recording costs. NaN in a page, which is not told.
   */
  readonly cpu: number;
  /** Runs timed. */
  readonly runs: number;
}

export interface TimingOptions {
  /** Samples; by default as many as fit into the budget (at least 3, at most 50). */
  samples?: number;
  /** Milliseconds for all samples together; 800 by default. */
  budget?: number;
}

/** What a training step asks of JavaScript. */
export interface StepCost {
  readonly launches: number;
  /** Milliseconds of JavaScript alone: commands go to a device that does nothing. Median. */
  readonly javascript: number;
  /**
   * Milliseconds until a step is handed to a device that is busy with the one before, as in a training loop: JavaScript and
   * what the WebGPU implementation does within its calls. Median.
   */
  readonly handover: number;
}

/** Work on an engine that is there. */
export interface WorkCase {
  readonly name: string;
  /** The case this one is reported as a multiple of; it is timed in the same run, just before. */
  readonly versus?: string;
  /** Run only when named. */
  readonly onlyNamed?: boolean;
  /** What the device must have for it; it is left out where that is missing. */
  readonly needs?: GPUFeatureName;
  /** Makes the inputs on the device; they are freed when the case is over. */
  prepare(engine: Engine): Work;
}

/** What a separate process reports besides the time of its work. */
export interface ProcessResult extends Timing, Cost, Partial<StepCost> {
  /** Version of the engine that did the work. */
  readonly version?: string;
  /** Milliseconds from the start of the process to the first result; the driver's shader cache may have been warm. */
  readonly first?: number;
  /** Losses before the first training steps. */
  readonly losses?: readonly number[];
  /** In what the work is not that of the case it is reported as a multiple of: a failure. */
  readonly differs?: string;
}

/** A case that needs a process of its own. */
export interface ProcessCase {
  readonly name: string;
  readonly versus?: string;
  /** Run only when named. */
  readonly onlyNamed?: boolean;
  measure(options: TimingOptions): Promise<ProcessResult>;
}

export type BenchCase = WorkCase | ProcessCase;

/** Normal numbers, the same in every run. */
export const noise = (engine: Runtime, shape: readonly number[], stream = 0): Tensor =>
  normal(engine, shape, { from: { seed: 1, stream } });

/** As {@link noise}, ready to take a gradient. */
export function noiseLeaf(engine: Engine, shape: readonly number[], stream = 0): Tensor {
  const leaf = noise(engine, shape, stream);
  leaf.requiresGrad = true;
  return leaf;
}

/** Integers below `most`, i32 [n]. */
export const labels = (engine: Engine, n: number, most: number): Tensor =>
  engine.tensor(Int32Array.from({ length: n }, (_, i) => (i * 7919) % most));

/**
 * The gradient alone: `y` is made once, and what is behind it, a chain of operations, walked back again and again.
 * @param y a result with a gradient; a gradient of its shape is made up.
 */
export function gradientOf(y: Tensor, cost: Cost = {}): Work {
  const dy = noise(y.engine, y.shape, 9);
  const walk = (of: Tensor, gradient: Tensor): void => {
    of.node?.backward(gradient).forEach((result, i) => {
      const input = of.node?.inputs[i];
      if (result && input) walk(input, result);
    });
  };
  return { ...cost, run: () => walk(y, dy) };
}

/** Bytes of float32 tensors together. */
export const bytesOf = (...tensors: readonly Tensor[]): number => tensors.reduce((sum, { size }) => sum + 4 * size, 0);
