/** What is recorded of the test after a task. */
import * as v from 'valibot';
import { CALIBRATION_BINS } from '../calibration.ts';
import type { Evaluation } from '../learner-types.ts';
import {
  accuracyMatrix,
  imagesOf,
  type SparseCounts,
  sparseCounts,
  type TestedPart,
  type TestedStages,
} from './metrics/counts.ts';
import type { AccuracyMatrix } from './metrics/matrix.ts';
import type { ZeroShot } from './metrics/transfer.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const bins = v.pipe(v.array(v.pipe(v.number(), v.minValue(0))), v.length(CALIBRATION_BINS));
const counts = v.pipe(v.array(v.tuple([count, count, count])), v.minLength(1));

export const testedPartSchema = v.object({
  /** [class, predicted, images], by logits; see {@link TestedPart}. */
  counts,
  classifier: v.exactOptional(v.nullable(counts)),
  nearestMean: v.exactOptional(v.nullable(counts)),
  withinTask: count,
  calibration: v.object({ images: bins, right: bins, confidence: bins }),
});

/** As JSON holds it. */
export type TestedPartLine = v.InferOutput<typeof testedPartSchema>;

export const zeroShotSchema = v.object({
  images: count,
  before: count,
  untrained: count,
}) satisfies v.GenericSchema<ZeroShot>;

/** Sums of probabilities are kept to a millionth: a run of a hundred tasks has thousands of them. */
const short = (value: number): number => Number(value.toFixed(6));

const same = (a: SparseCounts, b: SparseCounts): boolean => a.join() === b.join();

/** @param evaluation with both heads. */
export function testedPartOf({ confusion, withinTask, calibration, heads }: Evaluation): TestedPart {
  const own = sparseCounts(confusion);
  const other = (by: Uint32Array | null | undefined): SparseCounts | null | undefined => {
    const theirs = by ? sparseCounts(by) : null;
    return theirs && same(theirs, own) ? undefined : theirs;
  };
  const [classifier, nearestMean] = [other(heads?.classifier), other(heads?.nearestMean)];
  const { images, right, confidence } = calibration;
  return {
    counts: own,
    ...(classifier === undefined ? {} : { classifier }),
    ...(nearestMean === undefined ? {} : { nearestMean }),
    withinTask: Math.round((withinTask * imagesOf(own)) / 100),
    calibration: { images, right, confidence: confidence.map(short) },
  };
}

/** Unless what was counted after each task, `null` where nothing was, gives the accuracies of its row: said in a clause. */
export function countsFault(
  matrix: AccuracyMatrix,
  stages: readonly (TestedStages[number] | null)[],
): string | undefined {
  for (const [task, parts] of stages.entries()) {
    const row = matrix[task];
    if (!parts || !row) continue;
    const [counted = []] = accuracyMatrix([parts]);
    const fits =
      row.length === counted.length && counted.every((accuracy, part) => Math.abs(accuracy - row[part]!) < 1e-6);
    if (!fits) return `after task ${task + 1} its counts give other accuracies than it has`;
  }
  return undefined;
}
