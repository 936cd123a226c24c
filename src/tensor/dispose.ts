/** Older browsers lack `using`; the symbol makes what has it ready for transpiled code there. */
export const DISPOSE: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose');

/** Lets `using` call the `dispose` of a class that declares `[Symbol.dispose]`: a method of that name would be called "undefined" there. */
export function letUsingDispose({ prototype }: { readonly prototype: { dispose(): void } }): void {
  Object.defineProperty(prototype, DISPOSE, {
    // Not the method itself: a subclass may have its own.
    value(this: { dispose(): void }): void {
      this.dispose();
    },
    configurable: true,
    writable: true,
  });
}

/** {@link DISPOSE}, for `await using`. */
export const ASYNC_DISPOSE: typeof Symbol.asyncDispose = Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose');
