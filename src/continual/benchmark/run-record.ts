/** What a finished (or half finished) run left to be read: tables and pages are made from this alone. */
import * as v from 'valibot';
import { DataError } from '../../errors.ts';
import { countedTaskSizes } from './metrics/counts.ts';
import { type Summary, summarize } from './metrics/summary.ts';
import { testedPartSchema, zeroShotSchema } from './tested-part.ts';

const finite = v.pipe(v.number(), v.finite());
const count = v.pipe(finite, v.minValue(0));

const lossSchema = v.object({
  /** Task and epoch, from 0. */
  task: count,
  epoch: count,
  /** Mean over the epoch; null where it was not finite, which JSON cannot hold. */
  loss: v.nullable(v.number()),
  /** Training accuracy over the epoch, in percent. */
  accuracy: v.exactOptional(finite),
  imagesPerSecond: v.exactOptional(finite),
  /** The phase of the task, from 0; nothing of the only one. */
  phase: v.exactOptional(count),
  /** As the method calls it, where it does. */
  phaseName: v.exactOptional(v.string()),
  /** Means of what the loss is the sum of, weights included, by name. */
  terms: v.exactOptional(v.record(v.string(), finite)),
  /** The learning rate. */
  lr: v.exactOptional(finite),
  /** Training steps of it. */
  steps: v.exactOptional(count),
  seconds: v.exactOptional(count),
  /** Of stored images: seconds that steps waited for them. */
  waited: v.exactOptional(count),
  /** When it was done, ISO 8601. */
  date: v.exactOptional(v.string()),
});

const taskSchema = v.object({
  /** Names of the classes that it brought. */
  newClasses: v.array(v.string()),
  /** Held after it. */
  exemplars: count,
  exemplarBytes: v.exactOptional(count),
  /** The most that tensors held on the device so far. */
  peakBytes: v.exactOptional(count),
  /** Numbers that the method noted. */
  notes: v.record(v.string(), finite),
  /** Of the whole task, its tests included. */
  seconds: count,
  /** When it was done, ISO 8601. */
  date: v.exactOptional(v.string()),
});

/** The record as JSON holds it. */
export const runRecordSchema = v.object({
  /** The run's own name: it distinguishes runs of one method. */
  name: v.string(),
  /** The version of engram that wrote it; older ones do not say. */
  version: v.exactOptional(v.string()),
  method: v.string(),
  dataset: v.string(),
  /** The configuration as it was used, defaults included. */
  config: v.record(v.string(), v.unknown()),
  /** Classes each task brings, for all tasks planned. */
  classesPerTask: v.array(count),
  /** The data set's class numbers in the order they were learnt. */
  classOrder: v.array(count),
  /** Row t: accuracy in percent on tasks 0 … t after task t. */
  matrix: v.array(v.array(finite)),
  /** Average incremental and last accuracy in percent, forgetting in points. */
  average: finite,
  last: finite,
  forgetting: finite,
  /** After each task, the counts of each part tested; null, or nothing at all, where an older version learnt it. */
  tests: v.exactOptional(v.array(v.nullable(v.array(testedPartSchema)))),
  /** Of each task but the first, how it was told before it was learnt. */
  zeroShots: v.exactOptional(v.array(v.nullable(zeroShotSchema))),
  /** One an epoch, in order. */
  losses: v.array(lossSchema),
  /** One a finished task, in order. */
  tasks: v.exactOptional(v.array(taskSchema)),
  /** Training steps left out because gradients overflowed; of runs with f16 activations. */
  skippedSteps: v.exactOptional(count),
  adapter: v.string(),
  /** When the run began, ISO 8601. */
  date: v.string(),
  /** How long it took. */
  seconds: count,
});

/**
 * What a run left to be read, as `run.json` holds it: its configuration and stream, the accuracy matrix with its figures, the counts that
 * they follow from, the losses, and where and when it was learnt.
 * @useDeclaredType
 */
export type RunRecord = v.InferOutput<typeof runRecordSchema>;
/** What is recorded of a finished task beside its tests. */
export type TaskRecord = v.InferOutput<typeof taskSchema>;
/** An epoch's loss. */
export type LossRecord = v.InferOutput<typeof lossSchema>;

/** Every figure of a run that has learnt a task. */
export const summaryOf = ({ matrix, classesPerTask, tests = [], zeroShots = [] }: RunRecord): Summary =>
  summarize({ matrix, weights: classesPerTask, stages: tests, zeroShots });

/** Classes seen after each task learnt. */
export function classesSeen({ matrix, classesPerTask, tests = [] }: RunRecord): number[] {
  const stages = tests.filter((parts) => parts !== null);
  const sizes = stages.length === matrix.length ? countedTaskSizes(stages) : classesPerTask;
  let classes = 0;
  return matrix.map((_, task) => {
    classes += sizes[task] ?? 0;
    return classes;
  });
}

/**
 * Reads a record from JSON. `where` names the file.
 * @throws {DataError} that names the first part that does not fit.
 */
export function parseRunRecord(json: string, where: string): RunRecord {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new DataError({
      where,
      message: 'this is not JSON: it may be cut off.',
      fix: 'Run the training again.',
      cause,
    });
  }
  const result = v.safeParse(runRecordSchema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new DataError({
    where,
    message: `${v.getDotPath(issue) ?? 'the record'} does not fit a run's record: ${issue.message}.`,
    fix: 'Write it with the same version of engram.',
  });
}
