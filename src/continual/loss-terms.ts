/** A loss that is a sum, and what it is a sum of: the terms are recorded apart. */
import { ArgumentError } from '../errors.ts';
import '../ops/methods.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Scalars by name, as they are added up: weights included. */
export type LossTerms = Readonly<Record<string, Tensor>>;

/** Of sums that are still there. */
const known = new WeakMap<Tensor, LossTerms>();

/**
 * The sum of a loss's terms, in their order. A phase that gives it as its loss has each term in its events and records, under its
 * name; a loss that is made from it by further operations is one number again.
 * @param terms f32 scalars by name, one at least, each with its weight: `{ ce, kd: kd.mul(lambda) }`.
 * @throws {ArgumentError} for no term.
 */
export function sumOfTerms(terms: LossTerms): Tensor {
  const [first, ...others] = Object.values(terms);
  if (!first) {
    throw new ArgumentError({
      where: 'sumOfTerms',
      message: 'the loss has no terms.',
      fix: 'Give at least one: sumOfTerms({ ce }).',
    });
  }
  const sum = others.reduce((total, term) => total.add(term), first);
  known.set(sum, terms);
  return sum;
}

/** What a loss was summed up from; nothing of a loss that was made in another way. */
export const termsOf = (loss: Tensor): LossTerms => known.get(loss) ?? {};
