/** Inputs of captured steps that lie in buffers of the app around the engine: they are read where they lie. */

import type { Runtime } from '../../gpu/runtime.ts';
import type { Tensor } from '../tensor.ts';

/** Warns once for each captured step, when it is given more of a host's buffers than it keeps recordings. */
export function hostWatch(engine: Runtime, most: number): (inputs: readonly Tensor[]) => void {
  const known = new Set<number>();
  return (inputs) => {
    if (known.size > most) return;
    for (const { storage } of inputs) if (storage.isHosts) known.add(storage.id);
    if (known.size <= most) return;
    engine.warn(
      `engram: a captured step was given ${known.size} buffers of the app's, each of which takes a recording of its own. ` +
        'Let the app write to the same few, or hand in copies.',
    );
  };
}

/** What of an input a recording is made for: its kind, and which one it is if the recording reads it where it lies. */
export const keyOf = ({ dtype, shape, storage }: Tensor): string =>
  `${dtype}[${shape}]${storage.isHosts ? `@${storage.id}` : ''}`;
