/** How far probabilities are from how often they are right. */
import type { Calibration } from '../../calibration.ts';

/**
 * Expected calibration error: Σ_m n_m/n · |right_m/n_m − confidence_m/n_m| over the bins, in points of percent (Naeini et al.
 * 2015; Guo et al. 2017, with 15 bins). 0 without images.
 */
export function expectedCalibrationError({ images, right, confidence }: Calibration): number {
  const total = images.reduce((sum, count) => sum + count, 0);
  if (total === 0) return 0;
  return (100 * images.reduce((sum, _, bin) => sum + Math.abs(right[bin]! - confidence[bin]!), 0)) / total;
}

/** Of several sets of images together. @throws {TypeError} for none. */
export const joinedCalibration = (all: readonly Calibration[]): Calibration =>
  all.reduce((a, b) => {
    const added = (key: keyof Calibration) => a[key].map((value, bin) => value + b[key][bin]!);
    return { images: added('images'), right: added('right'), confidence: added('confidence') };
  });
