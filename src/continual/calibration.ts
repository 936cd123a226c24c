/** How probable predictions were said to be, and how often they were right. */

/** Bins of equal width that confidences from 0 to 1 are counted in (Guo et al. 2017). */
export const CALIBRATION_BINS = 15;

/**
 * Images by the probability that their prediction was given: bin m, from 0, takes in those above m/15 and up to (m + 1)/15.
 * Each list has a number for every bin.
 */
export interface Calibration {
  /** How many. */
  readonly images: readonly number[];
  /** How many of them are told right. */
  readonly right: readonly number[];
  /** The sum of their probabilities. */
  readonly confidence: readonly number[];
}

/**
 * @param confidences probability of each prediction, from 0 to 1.
 * @param isRight whether the prediction of an image is.
 */
export function calibrationOf(confidences: ArrayLike<number>, isRight: (image: number) => boolean): Calibration {
  const [images, right, confidence] = [0, 0, 0].map((zero) => new Array<number>(CALIBRATION_BINS).fill(zero)) as [
    number[],
    number[],
    number[],
  ];
  for (let image = 0; image < confidences.length; image++) {
    const sure = confidences[image] as number;
    const bin = Math.min(CALIBRATION_BINS - 1, Math.max(0, Math.ceil(sure * CALIBRATION_BINS) - 1));
    images[bin] = (images[bin] as number) + 1;
    confidence[bin] = (confidence[bin] as number) + sure;
    if (isRight(image)) right[bin] = (right[bin] as number) + 1;
  }
  return { images, right, confidence };
}
