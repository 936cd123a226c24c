/**
 * Methods as small plug-ins: what data a task is learnt on, whether an old model teaches, and the loss.
 */
import type { Engine } from '../gpu/engine.ts';
import { crossEntropy } from '../ops/cross-entropy.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Config } from './config.ts';
import { distillation } from './distillation.ts';

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
  readonly config: Config;
  /** Mean features of every old class (of its exemplars) and of every new class, by the old model: [classes seen, size]. */
  readonly prototypes: () => Promise<Tensor>;
}

/** The loss of one task. */
export interface TaskLoss {
  /** Scalar loss of a batch. */
  loss(batch: BatchContext): Tensor;
  /** Frees what the task needed. */
  dispose?(): void;
}

export interface Method {
  readonly name: string;
  /** One line for `--help` and reports. */
  readonly summary: string;
  /** Learns on the task's data alone, with exemplars of old classes, or on all data so far. */
  readonly data: 'new' | 'memory' | 'all';
  /** Whether the old model's logits are wanted. */
  readonly teacher: boolean;
  begin(context: TaskContext): TaskLoss | Promise<TaskLoss>;
}

const classification = ({ logits, targets }: BatchContext, config: Config): Tensor =>
  crossEntropy(logits, targets, { labelSmoothing: config.labelSmoothing });

function plain(name: string, data: Method['data'], summary: string): Method {
  return {
    name,
    data,
    summary,
    teacher: false,
    begin: ({ config }) => ({ loss: (batch) => classification(batch, config) }),
  };
}

function distilled(name: string, pool: 'whole' | 'tasks' | 'dense', random: boolean, summary: string): Method {
  return {
    name,
    summary,
    data: 'memory',
    teacher: true,
    async begin(context) {
      const kd = await distillation(context, { pool, random });
      return {
        loss: (batch) =>
          kd && batch.oldLogits
            ? classification(batch, context.config).add(kd.loss(batch.logits, batch.oldLogits))
            : classification(batch, context.config),
        dispose: () => kd?.dispose(),
      };
    },
  };
}

export const METHOD_NAMES = ['finetune', 'joint', 'replay', 'kd', 'tkd', 'fdkd', 'rdkd'] as const;
export type MethodName = (typeof METHOD_NAMES)[number];

/** The built-in methods by name. A method of one's own is an object of the same shape, handed to the learner. */
export const methods: Readonly<Record<MethodName, Method>> = {
  finetune: plain('finetune', 'new', 'cross entropy on new data alone: the lower bound'),
  joint: plain('joint', 'all', 'cross entropy on all data so far: the upper bound'),
  replay: plain('replay', 'memory', 'cross entropy on new data and exemplars'),
  kd: distilled('kd', 'whole', false, 'replay + distillation of all old logits as one group'),
  tkd: distilled('tkd', 'tasks', false, 'replay + distillation task by task'),
  fdkd: distilled('fdkd', 'dense', false, 'replay + dense distillation of every group in the pool (FDKD)'),
  rdkd: distilled('rdkd', 'dense', true, 'replay + dense distillation of randomly drawn groups (RDKD)'),
};
