/** Old classes against new ones: what is kept, and what is learnt. */
import { imagesOf, rightOf, type TestedPart, type TestedStages } from './counts.ts';

/** Accuracies in percent after one task. */
export interface OldNew {
  /** On what earlier tasks brought; `null` after the first. */
  readonly old: number | null;
  /** On what the task itself brought. */
  readonly new: number;
  /** {@link harmonicMean} of the two; `null` after the first task. */
  readonly harmonicMean: number | null;
}

const accuracyOn = (parts: readonly TestedPart[]): number => {
  const counts = parts.flatMap((part) => part.counts);
  return (100 * rightOf(counts)) / imagesOf(counts);
};

/** H = 2·old·new / (old + new): low where one of the two is (Xian et al. 2017, for seen and unseen classes); 0 where both are 0. */
export const harmonicMean = (a: number, b: number): number => (a + b > 0 ? (2 * a * b) / (a + b) : 0);

/**
 * After each task, the accuracy over all images of the parts before it, and on its own part: PyCIL's `old` and `new`. Both among
 * all classes seen.
 */
export function oldNewSplit(stages: TestedStages): OldNew[] {
  return stages.map((parts) => {
    const now = accuracyOn(parts.slice(-1));
    if (parts.length < 2) return { old: null, new: now, harmonicMean: null };
    const old = accuracyOn(parts.slice(0, -1));
    return { old, new: now, harmonicMean: harmonicMean(old, now) };
  });
}
