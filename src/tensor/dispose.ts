/** Older browsers lack `using`; the symbol makes what has it ready for transpiled code there. */
export const DISPOSE: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose');
