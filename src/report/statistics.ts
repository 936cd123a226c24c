/** Statistics of repeated runs. */

export const mean = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0) / values.length;

/** Sample standard deviation; NaN for fewer than two values. */
export function standardDeviation(values: readonly number[]): number {
  const center = mean(values);
  return Math.sqrt(values.reduce((total, value) => total + (value - center) ** 2, 0) / (values.length - 1));
}

/** The middle one, or the mean of the two in the middle; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}

/** A mean over runs; its standard error is NaN for fewer than two. */
export interface Mean {
  readonly runs: number;
  readonly mean: number;
  /** Sample standard deviation of one run. */
  readonly std: number;
  /** Standard error of the mean, std/√runs. */
  readonly error: number;
}

/** Differences to the baseline in the same class order or seed. */
export interface PairedDifference extends Mean {
  /** Orders, or seeds, in which it is ahead of the baseline, and behind it. */
  readonly ahead: number;
  readonly behind: number;
}

/** Mean, standard deviation and standard error. */
export function meanOf(values: readonly number[]): Mean {
  const std = standardDeviation(values);
  return { runs: values.length, mean: mean(values), std, error: std / Math.sqrt(values.length) };
}

/**
 * Mean of the differences of pairs, and how many of them are above and below zero: chance that moves both runs of a pair alike,
 * such as a hard class order, is no part of it.
 * @param differences one of each independent trial: those of several seeds in one class order come as their mean.
 */
export function pairedDifference(differences: readonly number[]): PairedDifference {
  return {
    ...meanOf(differences),
    ahead: differences.filter((one) => one > 0).length,
    behind: differences.filter((one) => one < 0).length,
  };
}
