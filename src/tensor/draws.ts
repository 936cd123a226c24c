/** Random numbers drawn once more: what is computed again has to draw what it drew before. */
import { AutogradError } from '../errors.ts';
import type { Runtime } from '../gpu/runtime.ts';
import { Tensor } from './tensor.ts';

/** States of random draws, in their order. */
interface Draws {
  readonly states: Tensor[];
  /** Draws that were made again; none while they are remembered. */
  again: number | null;
}

const underWay = new WeakMap<Runtime, Draws>();

function under<T>(engine: Runtime, draws: Draws, fn: () => T): T {
  const outer = underWay.get(engine);
  underWay.set(engine, draws);
  try {
    return fn();
  } finally {
    if (outer) underWay.set(engine, outer);
    else underWay.delete(engine);
  }
}

const look = (state: Tensor): Tensor => Tensor.view(state, state.shape, 'draws');

/** Runs `fn`. @returns what it returned, and the states of the draws without a named source in it: tensors of the scope it ran in. */
export function drawRemembered<T>(engine: Runtime, fn: () => T): { result: T; draws: readonly Tensor[] } {
  const { states, again }: Draws = { states: [], again: null };
  try {
    return { result: under(engine, { states, again }, fn), draws: states };
  } finally {
    for (const state of states) state.moveTo(engine.scopes.at(-1) ?? null);
  }
}

/**
 * Runs `fn`, whose draws without a named source are these again.
 * @throws {AutogradError} when there are more of them.
 */
export const drawAgain = <T>(engine: Runtime, draws: readonly Tensor[], fn: () => T): T =>
  under(engine, { states: [...draws], again: 0 }, fn);

/** The state of a draw without a named source: a new one, or the next of those that are drawn again. */
export function stateOfDraw(engine: Runtime, make: () => Tensor): Tensor {
  const draws = underWay.get(engine);
  if (!draws) return make();
  if (draws.again !== null) {
    const state = draws.states[draws.again++];
    if (state) return look(state);
    throw new AutogradError({
      where: 'recomputed',
      message: 'what is computed again for the backward pass draws more random numbers than it did before.',
      fix: 'Draw as many in every run, or from a named source (`from`).',
    });
  }
  const state = make();
  // Scopes within do not have it.
  draws.states.push(look(state).moveTo(null));
  return state;
}
