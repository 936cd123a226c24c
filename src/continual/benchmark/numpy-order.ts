/**
 * NumPy's order of a seed, which published class orders are drawn by: `RandomState(seed).permutation(count)`, that is a
 * Mersenne twister (Matsumoto and Nishimura 1998, MT19937) and a shuffle from the end, whose indices are drawn by masks.
 */

const WORDS = 624;
const SHIFT = 397;

/** The seed's stream of 32-bit words. Written out, as libraries bring 3 kB of tables for jumps, which a page would load. */
function mersenneTwister(seed: number): () => number {
  const state = new Uint32Array(WORDS);
  state[0] = seed;
  for (let i = 1; i < WORDS; i++) {
    const before = state[i - 1] as number;
    state[i] = Math.imul(1812433253, before ^ (before >>> 30)) + i;
  }
  let at = WORDS;
  const renew = () => {
    for (let i = 0; i < WORDS; i++) {
      const y = ((state[i] as number) & 0x80000000) | ((state[(i + 1) % WORDS] as number) & 0x7fffffff);
      state[i] = (state[(i + SHIFT) % WORDS] as number) ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    at = 0;
  };
  return () => {
    if (at === WORDS) renew();
    let y = state[at++] as number;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
}

/**
 * The numbers 0 … count − 1 as `numpy.random.RandomState(seed).permutation(count)` has them.
 * @param seed a whole number from 0 to 2^32 − 1.
 */
export function numpyOrder(count: number, seed: number): number[] {
  const word = mersenneTwister(seed);
  const order = Array.from({ length: count }, (_, i) => i);
  for (let last = count - 1; last > 0; last--) {
    const mask = 2 ** (32 - Math.clz32(last)) - 1;
    let other: number;
    do other = (word() & mask) >>> 0;
    while (other > last);
    [order[last], order[other]] = [order[other] as number, order[last] as number];
  }
  return order;
}

/** How it is asked for: `numpy:1993`. */
export const NUMPY_ORDER = /^numpy:\d{1,10}$/;

/** The seed in a text such as `numpy:1993`; none where it is something else, or no seed of NumPy's. */
export function numpySeed(text: string): number | undefined {
  const seed = NUMPY_ORDER.test(text) ? Number(text.slice('numpy:'.length)) : Number.NaN;
  return seed < 2 ** 32 ? seed : undefined;
}
