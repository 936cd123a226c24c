/** What losses may be summed up to, in one place for all of them. */
import { ArgumentError } from '../errors.ts';

/** What becomes of the losses of all elements: their mean (default), their sum, or all of them. */
export type Reduction = 'mean' | 'sum' | 'none';

/** @throws {ArgumentError} for what is no reduction. */
export function checkReduction(where: string, reduction: Reduction): void {
  if (['mean', 'sum', 'none'].includes(reduction)) return;
  throw new ArgumentError({ where, message: `reduction is ${reduction}; mean, sum or none was expected.` });
}
