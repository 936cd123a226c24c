/** Every figure of a run, from what was counted. */
import { accuracyCurve, averageIncremental, lastAccuracy } from './accuracy.ts';
import { expectedCalibrationError, joinedCalibration } from './calibration-error.ts';
import { countedTaskSizes, headMatrix, partSizes, type TestedStages, taskIncrementalMatrix } from './counts.ts';
import { firstLastForgetting, forgetting, incrementForgetting } from './forgetting.ts';
import type { AccuracyMatrix } from './matrix.ts';
import { type OldNew, oldNewSplit } from './old-new.ts';
import { taskConfusion } from './task-confusion.ts';
import { backwardTransfer, forwardTransfer, type ZeroShot } from './transfer.ts';

/** Accuracies told in one way; in percent. */
export interface Accuracies {
  /** Row t: on parts 0 … t after task t. */
  readonly matrix: AccuracyMatrix;
  /** Over all images so far, after each task. */
  readonly curve: readonly number[];
  /** {@link averageIncremental}. */
  readonly average: number;
  /** {@link lastAccuracy}. */
  readonly last: number;
}

/** What is known of runs of older versions too: {@link forgetting}, {@link firstLastForgetting}, {@link backwardTransfer}. */
export interface Summary extends Accuracies {
  readonly forgetting: number;
  readonly firstLastForgetting: number;
  readonly backwardTransfer: number;
  /** `null` where some task was recorded by a version that did not count. */
  readonly counted: CountedFigures | null;
}

/** What takes counts. */
export interface CountedFigures {
  /** {@link incrementForgetting} by the classes of the second task; `null` where that brings none. */
  readonly incrementForgetting: number | null;
  /** {@link forwardTransfer}. */
  readonly forwardTransfer: number | null;
  /** {@link oldNewSplit}, after each task. */
  readonly split: readonly OldNew[];
  /** With the task told; see {@link taskIncrementalMatrix}. */
  readonly taskIncremental: Accuracies;
  /** By the classifier, and by the nearest mean of exemplars; see {@link headMatrix}. */
  readonly classifier: Accuracies | null;
  readonly nearestMean: Accuracies | null;
  /** {@link expectedCalibrationError} of all that is tested, after each task. */
  readonly calibrationErrors: readonly number[];
  /** The same of each part, after the last task. */
  readonly calibrationErrorOf: readonly number[];
  /** {@link taskConfusion} after the last task. */
  readonly taskConfusion: readonly (readonly number[])[];
}

/** What a run measured. */
export interface SummaryInput {
  /** Accuracies in percent, a row for each task learnt. */
  readonly matrix: AccuracyMatrix;
  /** Test images (or classes) of each part, for runs that were not counted. */
  readonly weights: readonly number[];
  /** After each task; `null` where it was not counted. */
  readonly stages: readonly (TestedStages[number] | null)[];
  /** Of each task but the first; `null` where it was not measured. */
  readonly zeroShots: readonly (ZeroShot | null)[];
}

const accuraciesOf = (matrix: AccuracyMatrix, weights: readonly number[]): Accuracies => {
  const curve = accuracyCurve(matrix, weights);
  return { matrix, curve, average: averageIncremental(curve), last: lastAccuracy(curve) };
};

const isThere = <T>(all: readonly (T | null)[]): all is readonly T[] => all.every((one) => one !== null);

/**
 * Every figure of a run, from what was counted.
 * @throws {ArgumentError} for a matrix that is not lower triangular, such as that of a run that has not learnt a task.
 */
export function summarize({ matrix, weights, stages, zeroShots }: SummaryInput): Summary {
  const last = stages.at(-1);
  const sizes = last ? partSizes([last]) : weights;
  const isCounted = stages.length === matrix.length && isThere(stages);
  return {
    ...accuraciesOf(matrix, sizes),
    forgetting: forgetting(matrix),
    firstLastForgetting: firstLastForgetting(matrix),
    backwardTransfer: backwardTransfer(matrix),
    counted: isCounted ? countedFigures(stages, zeroShots) : null,
  };
}

function countedFigures(stages: TestedStages, zeroShots: readonly (ZeroShot | null)[]): CountedFigures {
  const weights = partSizes(stages);
  const taskSizes = countedTaskSizes(stages);
  const [, increment = 0] = taskSizes;
  const last = stages.at(-1) ?? [];
  const byHead = (head: 'classifier' | 'nearestMean') => {
    const matrix = headMatrix(stages, head);
    return matrix && accuraciesOf(matrix, weights);
  };
  return {
    incrementForgetting: increment > 0 ? incrementForgetting(stages, increment) : null,
    forwardTransfer: zeroShots.length === stages.length - 1 && isThere(zeroShots) ? forwardTransfer(zeroShots) : null,
    split: oldNewSplit(stages),
    taskIncremental: accuraciesOf(taskIncrementalMatrix(stages), weights),
    classifier: byHead('classifier'),
    nearestMean: byHead('nearestMean'),
    calibrationErrors: stages.map((parts) =>
      expectedCalibrationError(joinedCalibration(parts.map(({ calibration }) => calibration))),
    ),
    calibrationErrorOf: last.map(({ calibration }) => expectedCalibrationError(calibration)),
    taskConfusion: taskConfusion(last, taskSizes),
  };
}
