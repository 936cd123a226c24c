import * as assert from 'uvu/assert';
import { DataError } from '../../src/errors.ts';

/** The error that a promise is refused with; one that is kept fails the test. */
export const refusal = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => {
      throw new Error('nothing was thrown');
    },
    (error: Error) => error,
  );

/** The message of the DataError that a promise ends with. */
export async function dataError(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    assert.instance(error, DataError);
    assert.ok((error as DataError).fix, `no way to fix it: ${error}`);
    return (error as DataError).message;
  }
  throw new Error('no error was thrown');
}
