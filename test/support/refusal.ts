/** The error that a promise is refused with; one that is kept fails the test. */
export const refusal = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => {
      throw new Error('nothing was thrown');
    },
    (error: Error) => error,
  );
