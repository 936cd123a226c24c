/** What a run adds to its learner's file: where the stream of tasks is, and what was measured. */
import * as v from 'valibot';
import { type AnyDataset, type DatasetSplit, imageCount } from '../../data/dataset.ts';
import { fingerprint, textBytes } from '../../data/fingerprint.ts';
import { CheckpointError } from '../../errors.ts';
import { clipped } from '../../gpu/printable.ts';
import type { EpochEvent } from '../events.ts';
import { matrixFault } from '../faults.ts';
import { executionSettings } from '../learner-settings.ts';
import { named } from '../setting-name.ts';
import type { TestedTaskEvent } from './benchmark.ts';
import type { Config } from './config.ts';
import type { Scenario } from './scenario.ts';
import { countsFault, type TestedPartLine, testedPartSchema, zeroShotSchema } from './tested-part.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const finite = v.pipe(v.number(), v.finite());

/** A line of a run's metrics: an epoch's or a task's. */
export const metricsLineSchema = v.variant('type', [
  v.object({
    type: v.literal('epoch'),
    task: count,
    phase: v.optional(count, 0),
    /** As the method calls it, where it does. */
    phaseName: v.exactOptional(v.string()),
    epoch: count,
    loss: finite,
    /** Means of what the loss is the sum of, weights included: cross entropy and distillation, for example. */
    terms: v.exactOptional(v.record(v.string(), finite)),
    lr: finite,
    images: count,
    steps: v.exactOptional(count),
    seconds: finite,
    /** Seconds that steps waited for stored images. */
    waited: v.exactOptional(finite),
    date: v.exactOptional(v.string()),
  }),
  v.object({
    type: v.literal('task'),
    task: count,
    newClasses: v.optional(v.array(v.string()), []),
    /** Accuracy in percent on each task so far. */
    accuracies: v.array(finite),
    /** Accuracy in percent over all classes seen. */
    accuracy: finite,
    exemplars: count,
    exemplarBytes: v.exactOptional(count),
    /** The most that tensors held on the device since the run was begun or gone on with. */
    peakBytes: v.exactOptional(count),
    notes: v.optional(v.record(v.string(), finite), {}),
    skippedSteps: v.optional(count, 0),
    seconds: finite,
    /** When it was written, ISO 8601; lines of older versions do not say. */
    date: v.exactOptional(v.string()),
    /** What the test of each task so far gave; runs of older versions have none. */
    tests: v.exactOptional(v.array(testedPartSchema)),
    /** The task before it was learnt; not of the first. */
    zeroShot: v.exactOptional(zeroShotSchema),
  }),
]);
/**
 * A line of a run's metrics: an epoch's or a task's, as `metrics.jsonl` holds it.
 * @useDeclaredType
 */
export type MetricsLine = v.InferOutput<typeof metricsLineSchema>;

/** What was counted after each task; `null` where an older version learnt it. */
export const countedStages = (lines: readonly MetricsLine[]): (TestedPartLine[] | null)[] =>
  lines.flatMap((line) => (line.type === 'task' ? [line.tests ?? null] : []));

/**
 * What is recorded of an event, in the order in which it is read again: runs that were resumed have the same records.
 * @param now when it happened, ISO 8601.
 * @param peakBytes the most that tensors held on the device so far.
 */
export function metricsLineOf(event: EpochEvent | TestedTaskEvent, now: string, peakBytes: number): MetricsLine {
  if (event.type === 'task') return v.parse(metricsLineSchema, { ...event, peakBytes, date: now });
  const { terms, ...others } = event;
  const hasTerms = Object.keys(terms).length > 0;
  return v.parse(metricsLineSchema, { ...others, ...(hasTerms ? { terms } : {}), date: now });
}

const dataSchema = v.object({
  /** [images, height, width, channels]. */
  shape: v.tuple([count, count, count, count]),
  fingerprint: v.string(),
});

const stateSchema = v.object({
  config: v.looseObject({ method: v.string() }),
  classOrder: v.array(count),
  train: dataSchema,
  test: dataSchema,
  /** Rows of accuracies, one for each task learnt. */
  matrix: v.array(v.array(finite)),
  lines: v.array(metricsLineSchema),
  /** Those it was learnt on, in order. */
  adapters: v.array(v.string()),
  /** When it began, ISO 8601. */
  began: v.string(),
});
export type BenchmarkState = v.InferOutput<typeof stateSchema>;

/** Under which it stands in the metadata of a file. */
const KEY = 'benchmark';

export const writeBenchmarkState = (state: BenchmarkState): Record<string, string> => ({
  [KEY]: JSON.stringify(state),
});

/**
 * @param where names the file in errors.
 * @throws {CheckpointError} when it is damaged, or there is none.
 */
export function readBenchmarkState(metadata: Readonly<Record<string, string>>, where: string): BenchmarkState {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), stateSchema), metadata[KEY]);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw new CheckpointError({
      where,
      message:
        metadata[KEY] === undefined
          ? 'this is no run: the file says nothing of its tasks.'
          : `what it says of the run does not fit: ${v.getDotPath(issue) ?? 'state'}: ${clipped(issue.message)}.`,
      fix: 'Resume with the version of engram that wrote it, or start the run again.',
    });
  }
  const fault = matrixFault(parsed.output.matrix);
  if (fault) throw new CheckpointError({ where, message: `it is damaged: ${fault}.`, fix: 'Start the run again.' });
  return parsed.output;
}

/** Where a run's learner is, and the task that is under way where there is one. */
export interface TasksDone {
  readonly tasksDone: number;
  readonly taskSizes: readonly number[];
  readonly begun?: number;
}

/** @throws {CheckpointError} when the tasks that were learnt are not those that were tested or counted, or not those of the scenario. */
export function checkTasks(
  { matrix, lines }: BenchmarkState,
  at: TasksDone,
  { tasks, newSizes }: Scenario,
  where: string,
): void {
  const { tasksDone: done, begun = done } = at;
  const refuse = (message: string, fix = 'Go on from a copy that is whole, or start the run again.') =>
    new CheckpointError({ where, message, fix });
  if (begun !== done) {
    throw refuse(
      `this is the progress of task ${begun + 1}, but ${done === 1 ? '1 task is' : `${done} tasks are`} learnt.`,
      'Resume with the checkpoint of the task before it, or without this progress.',
    );
  }
  if (done !== matrix.length) throw refuse(`it is damaged: ${done} tasks are learnt, but ${matrix.length} are tested.`);
  if (done > tasks.length)
    throw refuse(`it is damaged: it comes after ${done} tasks, but there are only ${tasks.length}.`);
  const due = newSizes.slice(0, done);
  if (at.taskSizes.join() !== due.join())
    throw refuse(
      `it is damaged: its tasks brought [${at.taskSizes.join(', ')}] classes, where [${due.join(', ')}] belong.`,
    );
  const fault = countsFault(matrix, countedStages(lines));
  if (fault) throw refuse(`it is damaged: ${fault}.`);
}

type DataState = BenchmarkState['train'];

/** Shapes and fingerprints of both parts. */
export function dataState({ train, test }: DatasetSplit<AnyDataset>): { train: DataState; test: DataState } {
  const of = (part: AnyDataset): DataState => ({
    shape: [imageCount(part), part.height, part.width, part.channels],
    fingerprint: fingerprint([
      textBytes((part.classNames ?? []).join('\n')),
      new Uint8Array(part.labels.buffer, part.labels.byteOffset, part.labels.byteLength),
      ...(part.domains ? [new Uint8Array(part.domains.buffer, part.domains.byteOffset, part.domains.byteLength)] : []),
      'stored' in part ? textBytes(part.stored.identity) : part.identity ? textBytes(part.identity) : part.images,
    ]),
  });
  return { train: of(train), test: of(test) };
}

/** What a run may be gone on with differently: where data, lists and method lie, and how steps come to the same results. */
export const FREE_SETTINGS: readonly string[] = ['data', 'testList', 'methodFile', ...Object.keys(executionSettings)];

/** What must agree for a run to go on as if it had never stopped. */
export type Identity = Pick<BenchmarkState, 'classOrder' | 'train' | 'test'> & { readonly config: Config };

/** @throws {CheckpointError} naming the first thing that differs. */
export function checkAgreement(saved: BenchmarkState, given: Identity, where: string): void {
  const refuse = (message: string, fix: string) => new CheckpointError({ where, message, fix });
  const keys = new Set(['method', ...Object.keys(saved.config), ...Object.keys(given.config)]);
  // The method first: others may follow from it.
  for (const key of keys) {
    const [before, now] = [saved.config[key], given.config[key]].map((value) => JSON.stringify(value));
    if (FREE_SETTINGS.includes(key) || before === now) continue;
    throw refuse(
      `the checkpoint was made with "${key}" = ${clipped(before ?? 'none')}, but this run has ${clipped(now ?? 'none')}.`,
      key === 'precision'
        ? `Resume with the same ${named('precision')}, and on a device with shader-f16 if the run began on one.`
        : 'Resume with the settings of the run, or start another run in a folder of its own.',
    );
  }
  for (const part of ['train', 'test'] as const) {
    const [before, now] = [saved[part], given[part]];
    const [was, is] = [before.shape.join('×'), now.shape.join('×')];
    if (was === is && before.fingerprint === now.fingerprint) continue;
    throw refuse(
      was === is
        ? `the ${part}ing images are not those the run began with: as many and as large, but other pixels or labels.`
        : `the checkpoint was made on ${was} ${part}ing images, but here are ${is}.`,
      'Resume with the data the run began with.',
    );
  }
  if (saved.classOrder.join() !== given.classOrder.join()) {
    throw refuse(
      `the checkpoint knows ${saved.classOrder.length} classes in another order than this data gives (${given.classOrder.length}).`,
      'Resume with the data the run began with.',
    );
  }
}
