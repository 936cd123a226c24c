/**
 * What every figure is derived from: R[stage][part][class][predicted], the test images of each part after each task, by class
 * and prediction.
 */
import type { Calibration } from '../../calibration.ts';
import type { AccuracyMatrix } from './matrix.ts';

/** Images by class and prediction, those that are none left out; classes by their logits, in order. */
export type SparseCounts = readonly (readonly [label: number, predicted: number, images: number])[];

/** What the test of one part gave. */
export interface TestedPart {
  /** By the method's own prediction. */
  readonly counts: SparseCounts;
  /** By the classifier, where its counts are not the same; `null` where it said nothing finite. */
  readonly classifier?: SparseCounts | null | undefined;
  /** By the nearest mean of exemplars, where its counts are not the same; `null` where a class has no exemplars. */
  readonly nearestMean?: SparseCounts | null | undefined;
  /** Images told right when the task of each is told too: only the classes that came with the right one are candidates. */
  readonly withinTask: number;
  /** How sure the predictions were, and how often they were right. */
  readonly calibration: Calibration;
}

/** Row t: parts 0 … t after task t. */
export type TestedStages = readonly (readonly TestedPart[])[];

/** What may say which class an image is of. */
export type Head = 'classifier' | 'nearestMean';

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/**
 * A confusion matrix without its zeros.
 * @param confusion images by class and prediction, [classes, classes] row-major.
 */
export function sparseCounts(confusion: ArrayLike<number>): SparseCounts {
  const classes = Math.sqrt(confusion.length);
  const counts: [number, number, number][] = [];
  for (let cell = 0; cell < confusion.length; cell++) {
    const images = confusion[cell] as number;
    if (images > 0) counts.push([Math.floor(cell / classes), cell % classes, images]);
  }
  return counts;
}

/** Images in all. */
export const imagesOf = (counts: SparseCounts): number => sum(counts.map(([, , images]) => images));

/** Images told right. */
export const rightOf = (counts: SparseCounts): number =>
  sum(counts.map(([label, predicted, images]) => (label === predicted ? images : 0)));

/** Test images of each part, by the last stage: what a mean over parts is weighted by. */
export const partSizes = (stages: TestedStages): number[] =>
  (stages.at(-1) ?? []).map(({ counts }) => imagesOf(counts));

/** Classes that each stage brought, as the counts have them: 0 where it brought images of known ones only. */
export function countedTaskSizes(stages: TestedStages): number[] {
  const seen = stages.map((parts) =>
    parts.reduce((most, { counts }) => counts.reduce((top, [label, to]) => Math.max(top, label + 1, to + 1), most), 0),
  );
  return seen.map((classes, stage) => classes - (seen[stage - 1] ?? 0));
}

/** What a head counted; `null` where it has no answer for all. */
export function headCounts(part: TestedPart, head: Head): SparseCounts | null {
  const own = part[head];
  return own === undefined ? part.counts : own;
}

const matrixBy = (stages: TestedStages, right: (part: TestedPart) => number): AccuracyMatrix =>
  stages.map((row) => row.map((part) => (100 * right(part)) / imagesOf(part.counts)));

/** A_tj in percent: the right ones of part j after task t by all of its images. */
export const accuracyMatrix = (stages: TestedStages): AccuracyMatrix =>
  matrixBy(stages, ({ counts }) => rightOf(counts));

/**
 * The same for one head: the classifier, or the nearest mean of exemplars (Rebuffi et al. 2017), which PyCIL prints side by side
 * as CNN and NME. `null` where it has no answer in some stage.
 */
export function headMatrix(stages: TestedStages, head: Head): AccuracyMatrix | null {
  if (stages.some((row) => row.some((part) => !headCounts(part, head)))) return null;
  return matrixBy(stages, (part) => rightOf(headCounts(part, head) as SparseCounts));
}

/**
 * The same for task-incremental learning (van de Ven et al. 2022): the task of an image is told, and only the classes that came
 * with it are candidates. Mammoth prints it as Task-IL.
 */
export const taskIncrementalMatrix = (stages: TestedStages): AccuracyMatrix =>
  matrixBy(stages, ({ withinTask }) => withinTask);
