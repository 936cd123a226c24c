/** Numbers that a name and a place are hashed to, as `test/golden-networks/make.py` hashes them: float32 holds all exactly. */
import type { StateEntry } from '../../src/index.ts';
import { type Shape, sizeOf } from '../../src/tensor/shape.ts';

/** A number of a place, an integer in [0, 4096): FNV-1a of the name, then a finalizer of the place (Wellons' lowbias32). */
function hashedBy(name: string): (place: number) => number {
  let seed = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) seed = Math.imul(seed ^ byte, 0x01000193);
  return (place) => {
    let h = place ^ seed;
    h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
    h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
    return (h ^ (h >>> 16)) >>> 20;
  };
}

/** Numbers within ±1. */
export function hashedImages(count: number): Float32Array<ArrayBuffer> {
  const hash = hashedBy('images');
  return Float32Array.from({ length: count }, (_, i) => (2 * hash(i) - 4095) / 4096);
}

/**
 * What a tensor of a state holds, in PyTorch's order; zeros where it is a count.
 * @param variance the mean of running variances.
 */
export function hashedEntry(name: string, shape: Shape, variance: number): StateEntry {
  const hash = hashedBy(name);
  const fill = (value: (u: number) => number) => {
    const data = new Float32Array(sizeOf(shape));
    for (let i = 0; i < data.length; i++) data[i] = value(hash(i));
    return { shape, data };
  };
  if (shape.length === 0) return fill(() => 0);
  if (name.endsWith('running_var')) return fill((u) => variance * (0.5 + u / 4096));
  if (shape.length === 1) return fill(name.endsWith('weight') ? (u) => 0.5 + u / 4096 : (u) => (2 * u - 4095) / 16384);
  const bound = Math.floor(4096 * Math.sqrt(6 / sizeOf(shape.slice(1))));
  return fill((u) => ((2 * u - 4095) * bound) / 2 ** 24);
}
