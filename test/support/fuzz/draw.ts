/** What fuzz cases draw: sizes with a liking for the edges of tiles, and numbers of several kinds from a seed. */
import fc from 'fast-check';
import { Random } from '../../../src/tensor/random.ts';

const EDGES = [15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129];
/** Where sums are cut into parts. */
const LONG = [255, 257, 1000, 2049, 4097, 10_000];

/** Small, odd, or beside what kernels work in. */
export const size = (max: number): fc.Arbitrary<number> =>
  fc.oneof(
    { arbitrary: fc.integer({ min: 1, max: Math.min(9, max) }), weight: 8 },
    { arbitrary: fc.integer({ min: 1, max: Math.min(max, 300) }), weight: 4 },
    { arbitrary: fc.constantFrom(1, ...EDGES.filter((n) => n <= max)), weight: 4 },
    { arbitrary: fc.constantFrom(1, ...LONG.filter((n) => n <= max)), weight: 1 },
  );

/**
 * `even`: in ±magnitude. `wide`: either sign, sizes from 1e-3 to 1e3. `offset`: ten magnitudes from zero. `whole`: a few whole numbers,
 * so that some are equal and some zero.
 */
export const KINDS = ['even', 'wide', 'offset', 'whole'] as const;

export interface Drawing {
  readonly seed: number;
  readonly kind: (typeof KINDS)[number];
  readonly magnitude: number;
}

export const drawing: fc.Arbitrary<Drawing> = fc.record({
  seed: fc.nat(99_999),
  kind: fc.constantFrom(...KINDS),
  magnitude: fc.constantFrom(1, 1e-3, 0.1, 30, 1e3),
});

/** Numbers of a case; `stream` tells its operands apart. */
export function draw({ seed, kind, magnitude }: Drawing, length: number, stream: number): Float32Array<ArrayBuffer> {
  const random = new Random(seed, stream);
  const number = (): number => {
    switch (kind) {
      case 'even':
        return random.uniform(-magnitude, magnitude);
      case 'wide':
        return (random.chance(0.5) ? 1 : -1) * 10 ** random.uniform(-3, 3);
      case 'offset':
        return magnitude * (10 + random.uniform(-1, 1));
      case 'whole':
        return random.int(7) - 3;
    }
  };
  return Float32Array.from({ length }, number);
}
