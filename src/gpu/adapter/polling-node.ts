/**
 * Dawn's Node binding waits for the GPU by calling `setImmediate` again and again: as long as one map, error scope or
 * compilation is pending, a whole core spins and garbage piles up (on two cores, that is half of what a software adapter
 * computes with). The binding looks `setImmediate` up at each turn, so while Dawn's own code runs, and only then, it is
 * given one that comes back after a pause.
 */

/** Turns without a pause: short waits, on a fast GPU or for an error scope, stay short. */
const EAGER = 16;
const PAUSE_MS = 1;

/** Runs a call that makes Dawn wait for something; its polls pause. Everything happens before it returns. */
export function pollGently<T>(call: () => T): T {
  return whilePolling(0, call);
}

function whilePolling<T>(turn: number, call: () => T): T {
  const original = globalThis.setImmediate;
  const gentle = (callback: () => void) => {
    const next = () => whilePolling(turn + 1, callback);
    return turn < EAGER ? original(next) : setTimeout(next, PAUSE_MS);
  };
  globalThis.setImmediate = gentle as unknown as typeof setImmediate;
  try {
    return call();
  } finally {
    globalThis.setImmediate = original;
  }
}
