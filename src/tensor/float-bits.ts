/**
 * Numbers as the bits that f32 and f16 store them in. IEEE 754 half precision has a sign, 5 bits of exponent and 10 of fraction;
 * JavaScript's own Float16Array is too new for Node 20.
 */

const single = new Float32Array(1);
const singleBits = new Uint32Array(single.buffer);

/** The bits of the nearest f32. */
export function floatBits(x: number): number {
  single[0] = x;
  return singleBits[0] as number;
}

/** The number behind the bits of an f32. */
export function fromFloatBits(bits: number): number {
  singleBits[0] = bits;
  return single[0] as number;
}

const INFINITE = 0x7c00;
const QUIET_NAN = 0x7e00;

/** The bits of the nearest f16, ties to even. From 65520 on that is infinity; below 2⁻²⁵ it is zero. */
export function halfBits(x: number): number {
  const bits = floatBits(x);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | QUIET_NAN;
  if (magnitude >= 0x477ff000) return sign | INFINITE;
  if (magnitude < 0x38800000) {
    // Subnormal: beside 0.5 an f32 has steps of 2⁻²⁴, those of a subnormal f16, and the addition rounds.
    return sign | (floatBits(fromFloatBits(magnitude) + 0.5) - 0x3f000000);
  }
  // Another exponent bias, and 13 bits less: half a step is added, a little less where the last bit kept is even.
  return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
}

/** The number behind the bits of an f16; exact. */
export function fromHalfBits(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}
