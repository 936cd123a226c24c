/**
 * Which engines are tuned. Whoever chooses variants looks here, and so carries neither the tuner nor its cache: these come
 * with `tune` alone.
 */
import type { Runtime } from '../runtime.ts';
import type { Tuner } from './tuner.ts';

const tuners = new WeakMap<Runtime, Tuner>();

/** The engine's tuner, if anything was tuned on it. */
export const tunerOf = (engine: Runtime): Tuner | undefined => tuners.get(engine);

export function setTuner(engine: Runtime, tuner: Tuner): void {
  tuners.set(engine, tuner);
}
