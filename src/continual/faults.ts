/** What no run leaves in its files, though every part has its type: said in a clause, or `undefined`. */
import { clipped } from '../gpu/printable.ts';
import type { StateDict } from '../nn/state-dict.ts';
import type { AccuracyMatrix } from './benchmark/metrics.ts';

/** Row t has t + 1 accuracies from 0 to 100. */
export function matrixFault(matrix: AccuracyMatrix): string | undefined {
  const task = matrix.findIndex(
    (row, at) => row.length !== at + 1 || !row.every((value) => value >= 0 && value <= 100),
  );
  if (task < 0) return undefined;
  const row = clipped(`[${matrix[task]?.join(', ')}]`);
  return `after task ${task + 1} it has the accuracies ${row}, where ${task + 1} of 0 to 100 percent belong`;
}

/** All numbers are finite, and variances are not negative. */
export function weightFault(weights: StateDict): string | undefined {
  for (const [name, { data }] of weights) {
    const strange = data.find((value) => !Number.isFinite(value));
    if (strange !== undefined) return `"${clipped(name)}" holds ${strange}`;
    const negative = name.endsWith('running_var') ? data.find((value) => value < 0) : undefined;
    if (negative !== undefined) return `"${clipped(name)}" holds the variance ${negative}`;
  }
  return undefined;
}
