/** What a method is: the data a task is learnt on, whether an old model teaches, and the loss. */
import type { Engine } from '../tensor/engine.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { RunConfig } from './config.ts';
import type { Scenario } from './scenario.ts';

/** One batch, as a method sees it. */
export interface BatchContext {
  /** Logits of the model in training, [n, classes seen]. */
  readonly logits: Tensor;
  /** Right logits, i32 [n]. */
  readonly targets: Tensor;
  /** Logits of the old model on the same images, [n, old classes]; none in the first task. */
  readonly oldLogits: Tensor | null;
}

/** What a method may know when a task begins. */
export interface TaskContext {
  readonly engine: Engine;
  /** From 0. */
  readonly task: number;
  /** Classes of each old task. */
  readonly oldTaskSizes: readonly number[];
  readonly newClasses: number;
  readonly config: RunConfig;
  /** Mean features of every old class (of its exemplars) and of every new class, by the old model: [classes seen, size]. */
  readonly prototypes: () => Promise<Tensor>;
}

/** The loss of one task. */
export interface TaskLoss {
  /**
   * Scalar loss of a batch. A step is recorded once and then replayed: what JavaScript does here runs in the first two
   * steps only, unless `replayable` says otherwise.
   */
  loss(batch: BatchContext): Tensor;
  /** `false` when the loss is put together differently from step to step; every step is then run anew. */
  readonly replayable?: boolean;
  /** Frees what the task needed, once: also when the task fails or is left before its end. */
  dispose?(): void;
}

export interface Method {
  /** Runs are recorded under it and resumed by it. */
  readonly name: string;
  /** One line for `--help` and reports. */
  readonly summary: string;
  /** Learns on the task's data alone, with exemplars of old classes, or on all data so far. */
  readonly data: 'new' | 'memory' | 'all';
  /** Whether the old model's logits are wanted. */
  readonly teacher: boolean;
  /** Whether weights are aligned after each task where the configuration leaves it open; false by default. */
  readonly align?: boolean;
  /**
   * Refuses, before anything is learnt, what this method cannot do.
   * @throws {ConfigError}
   */
  check?(config: RunConfig, scenario: Scenario): void;
  /** Makes a task's loss. Called again for a task that failed or was left: what it goes by must not have changed. */
  begin(context: TaskContext): TaskLoss | Promise<TaskLoss>;
}
