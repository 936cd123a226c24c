/**
 * How far WGSL lets a device's f32 results be off: its specification, section "Floating Point Accuracy", the tables for
 * expressions and for built-in functions. No driver's habits: what they promise is all that tests may ask.
 */
import type { binaryOps, unaryOps } from '../../src/ops/elementwise/table.ts';

type Op = keyof typeof unaryOps | keyof typeof binaryOps;

/** A unit in the last place, relative to the number, at most. */
const ULP = 2 ** -23;
/** The reference's own error: gradients are differences of float64. */
const EXACT = 1e-9;
/** Additions and multiplications are correctly rounded, half a unit each; gradients of broadcast operands are sums. */
const ROUNDED = 4 * ULP;
/** Several of the functions below after one another, none of them sin, cos or tanh. */
const COMPOSED = 25 * ULP;

/** Relative L2 error of the value and of the gradients, over the arguments in [−2, 2], or in the operation's domain. */
const TOLERANCES: Partial<Record<Op, number>> = {
  neg: EXACT,
  abs: EXACT,
  sign: EXACT,
  relu: EXACT,
  floor: EXACT,
  ceil: EXACT,
  round: EXACT,
  square: ROUNDED,
  add: ROUNDED,
  sub: ROUNDED,
  mul: ROUNDED,
  maximum: ROUNDED,
  minimum: ROUNDED,
  // 2.5 units for a division; the gradient multiplies the result with itself, or sums up.
  reciprocal: 7 * ULP,
  div: 2.5 * ULP + ROUNDED,
  // 2 units for inverseSqrt, sqrt is 1 / inverseSqrt; the gradient divides once more.
  rsqrt: 6 * ULP,
  sqrt: 8 * ULP,
  // 3 + 2·|x| units.
  exp: 8 * ULP,
  // 2⁻²¹ for arguments in [0.5, 2], 3 units for others; in the root mean square the logarithms are 1.
  log: 2 ** -20,
  log1p: 2 ** -20,
  // exp2(b · log2(a)): 3·2⁻²¹ for the exponent, 3 + 2·5.3 units for exp2; one gradient multiplies with a logarithm.
  pow: 34 * ULP,
  // 2⁻¹¹ for arguments in [−π, π]; in the root mean square sines and cosines are 0.6 and more.
  sin: 2 ** -10,
  cos: 2 ** -10,
  // 10⁻⁵; the gradient has its square.
  tanh: 4e-5,
};

/** Relative L2 error that an operation's value and gradients may have. */
export const tolerance = (op: Op): number => TOLERANCES[op] ?? COMPOSED;

/** Absolute error at one small argument, |x| < 0.1. Where functions lose their accuracy there, Engram has series of its own. */
export function errorNearZero(op: Op, x: number): number {
  if (op === 'sin') return 2 ** -11;
  // exp and log of something near 1, from there on.
  if (op === 'expm1' && Math.abs(x) >= Math.fround(0.05)) return 4 * ULP;
  if (op === 'log1p' && Math.abs(x) >= Math.fround(0.02)) return 2 ** -21 + ULP;
  return 4 * ULP * Math.abs(x);
}
