/**
 * Philox4x32-10, the counter-based generator of "Parallel Random Numbers: As Easy as 1, 2, 3" (Salmon et al., SC 2011):
 * a keyed bijection of a 128-bit counter, so that any element of any stream can be had alone, on the CPU and in a
 * kernel (`shaders/random/random.wgsl`) alike.
 *
 * The project's streams: counter = (index low, index high, stream, 0), key = (seed low, seed high).
 * A uniform number in [0, 1) is `(word >>> 8) * 2^-24`: every value is exact in float32.
 */
import { ArgumentError } from '../errors.ts';

/** Four words of 32 bits. */
export type Words4 = [number, number, number, number];

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;
const ROUNDS = 10;

/** The high word of a product of two 32-bit words; the low one is `Math.imul`. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const first = aHigh * bLow + ((aLow * bLow) >>> 16);
  const second = aLow * bHigh + (first & 0xffff);
  return (aHigh * bHigh + (first >>> 16) + (second >>> 16)) >>> 0;
}

/** The bijection itself: four words for one counter under one key. */
export function philox4x32(counter: Readonly<Words4>, key: readonly [number, number]): Words4 {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = mulHigh(M0, c0);
    const low0 = Math.imul(M0, c0);
    const high1 = mulHigh(M1, c2);
    const low1 = Math.imul(M1, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + W0) >>> 0;
    k1 = (k1 + W1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/**
 * The low and the high word of a whole number below 2^53.
 * @throws {ArgumentError} for any other number.
 */
export function splitWords(value: number, name: string): [low: number, high: number] {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new ArgumentError({
      where: name,
      message: `${value} is not a whole number from 0 to 2^53 - 1.`,
      fix: 'Give a whole number, for example 0.',
    });
  }
  return [value >>> 0, Math.floor(value / 2 ** 32)];
}

/**
 * The four words number `index` of stream `stream` under `seed`.
 * @throws {ArgumentError} when `index` or `seed` is not a whole number below 2^53.
 */
export function philox(seed: number, stream: number, index: number): Words4 {
  const [low, high] = splitWords(index, 'random index');
  return philox4x32([low, high, stream >>> 0, 0], splitWords(seed, 'seed'));
}

/** A word as a float32 in [0, 1). */
export const wordToUniform = (word: number): number => (word >>> 8) * 2 ** -24;
