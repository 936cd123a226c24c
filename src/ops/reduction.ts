/** What losses may be summed up to, in one place for all of them. */
import { ArgumentError } from '../errors.ts';

/** What becomes of the losses of all elements: their mean (default), their sum, or all of them. */
export type Reduction = 'mean' | 'sum' | 'none';

const ALL: readonly Reduction[] = ['mean', 'sum', 'none'];

/**
 * @param known what the loss may be summed up to.
 * @throws {ArgumentError} for what is none of them.
 */
export function checkReduction(where: string, reduction: Reduction, known = ALL): void {
  if (known.includes(reduction)) return;
  const named = `${known.slice(0, -1).join(', ')} or ${known.at(-1)}`;
  throw new ArgumentError({ where, message: `reduction is ${reduction}; ${named} was expected.` });
}
