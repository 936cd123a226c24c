/** Seeded random numbers on the CPU: orders, crops, class orders. One `Random` walks one Philox stream. */
import { ArgumentError } from '../errors.ts';
import { philox, wordToUniform } from './philox.ts';

/** FNV-1a: a 32-bit name for a stream, so that purposes that share a seed do not share numbers. */
function hashName(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/**
 * Numbers in order from one stream of one seed.
 * What is drawn depends only on the seed, the stream and the draws before it: never on the clock or on another `Random`.
 */
export class Random {
  private index = 0;
  private words: readonly number[] = [];
  private spareNormal: number | undefined;

  /** @throws {ArgumentError} unless `seed` is a whole number from 0 to 2^53 - 1. */
  constructor(
    readonly seed: number,
    readonly stream = 0,
  ) {
    philox(seed, stream, 0);
  }

  /** A stream of its own for a purpose: `Random.of(seed, 'shuffle', epoch)`. */
  static of(seed: number, ...purpose: (string | number)[]): Random {
    return new Random(seed, hashName(purpose.join('/')));
  }

  /** A whole number from 0 to 2^32 - 1. */
  word(): number {
    const place = this.index++ % 4;
    if (place === 0) this.words = philox(this.seed, this.stream, (this.index - 1) / 4);
    return this.words[place]!;
  }

  /** Uniform in [low, high). */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * wordToUniform(this.word());
  }

  /** Normal, by Box and Muller (1958): two uniforms make two normals, the second is kept for the next call. */
  normal(mean = 0, std = 1): number {
    const spare = this.spareNormal;
    if (spare !== undefined) {
      this.spareNormal = undefined;
      return mean + std * spare;
    }
    // 1 - u lies in (0, 1], so the logarithm is finite.
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.spareNormal = radius * Math.sin(angle);
    return mean + std * radius * Math.cos(angle);
  }

  /**
   * A whole number in [0, below), every one equally likely.
   * @throws {ArgumentError} unless 1 <= below <= 2^32.
   */
  int(below: number): number {
    if (!Number.isInteger(below) || below < 1 || below > 2 ** 32) {
      throw new ArgumentError({ where: 'Random.int', message: `a bound from 1 to 2^32 was expected, got ${below}.` });
    }
    // Words at the ragged end of the range would favour small results: draw again.
    const limit = 2 ** 32 - (2 ** 32 % below);
    let word = this.word();
    while (word >= limit) word = this.word();
    return word % below;
  }

  /** Whether an event of this probability happens. */
  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** Shuffles in place (Fisher and Yates) and returns the same array. */
  shuffle<T extends { length: number; [index: number]: unknown }>(items: T): T {
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.int(last + 1);
      const kept = items[last];
      items[last] = items[other];
      items[other] = kept;
    }
    return items;
  }

  /** The numbers 0 … count - 1 in random order. */
  permutation(count: number): Uint32Array<ArrayBuffer> {
    return this.shuffle(Uint32Array.from({ length: count }, (_, index) => index));
  }

  /**
   * `count` different items, in random order.
   * @throws {ArgumentError} when there are fewer.
   */
  choice<T>(items: ArrayLike<T>, count: number): T[] {
    if (!Number.isInteger(count) || count < 0 || count > items.length) {
      throw new ArgumentError({
        where: 'Random.choice',
        message: `cannot choose ${count} of ${items.length} items.`,
        fix: `Ask for 0 to ${items.length}.`,
      });
    }
    const left = Array.from(items);
    // The first steps of a shuffle: only as many draws as items taken.
    for (let place = 0; place < count; place++) {
      const other = place + this.int(left.length - place);
      [left[place], left[other]] = [left[other]!, left[place]!];
    }
    return left.slice(0, count);
  }
}
