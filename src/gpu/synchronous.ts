/** Functions that must be done when they return. */
import { ArgumentError } from '../errors.ts';

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { readonly then?: unknown }).then === 'function';

/**
 * Refuses what an asynchronous function returned. Its rejection is heard, so that it does not end the process; what tensors it
 * goes on to make belong to no scope, and come back when they are dropped.
 * @throws {ArgumentError}
 */
export function refuseAsync(where: string, result: unknown): void {
  if (!isThenable(result)) return;
  result.then(undefined, () => {});
  throw new ArgumentError({
    where,
    message: 'the function is asynchronous, but all it does has to be done when it returns.',
    fix: 'Return the tensors and await their data() outside.',
  });
}
