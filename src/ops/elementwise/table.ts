/**
 * Every elementwise operation, once: its expression, its gradients, and the same in JavaScript. The kernels, the tensor methods,
 * the functions `unary` and `binary`, and the tests of values, edges and gradients are made from this table: another operation
 * costs one row.
 *
 * NaN and ±∞ come out as in JavaScript or C (`sign` and extrema of NaN are NaN, powers are C's), and gradients there are
 * PyTorch's.
 */
import type { DType } from '../../tensor/dtype.ts';
import { type ElementwiseOp, FLOATS } from './elementwise-op.ts';

/** A row: the operation, and what it is checked against. */
export interface TableOp extends ElementwiseOp {
  /** The same in float64; booleans are 1 and 0. */
  readonly reference: (...operands: number[]) => number | boolean;
  /** Interval of arguments where it is smooth, for gradient checks; [−2, 2] by default. */
  readonly domain?: readonly [number, number];
}

type Rest = Partial<Pick<TableOp, 'integers' | 'result' | 'dtypes' | 'domain'>>;

const NUMBERS: readonly DType[] = [...FLOATS, 'i32', 'u32'];
const SIGNED: readonly DType[] = [...FLOATS, 'i32'];
const unary = (
  forward: string,
  gradient: string | null,
  reference: (a: number) => number | boolean,
  rest: Rest = {},
): TableOp => ({ operands: ['a'], forward, gradients: [gradient], reference, ...rest });
const binary = (
  forward: string,
  gradients: readonly [da: string | null, db: string | null],
  reference: (a: number, b: number) => number | boolean,
  rest: Rest = {},
): TableOp => ({ operands: ['a', 'b'], forward, gradients, reference, ...rest });
const comparison = (condition: string, reference: (a: number, b: number) => boolean): TableOp =>
  binary(`select(0u, 1u, ${condition})`, [null, null], reference, { result: 'u32', dtypes: NUMBERS });
/** The gradient of an extremum's operand. */
const shareUnless = (lost: string): string => `select(select(dy, 0.0, ${lost}), 0.5 * dy, a == b)`;
/** A gradient of zero that still has dy's shape. */
const NO_SLOPE = 'select(0.0, dy, false)';
const SQRT_HALF = '0.7071067811865476';
const INV_SQRT_TAU = '0.3989422804014327';

/** erf by its Taylor series: exact in float64 for |x| ≤ 4, and ±1 in float32 beyond. */
function erf(x: number): number {
  if (Math.abs(x) > 4) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; n < 120; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const sigmoid = (a: number): number => 1 / (1 + Math.exp(-a));
/** Halves go to the even one, as in WGSL and PyTorch. */
const roundEven = (a: number): number => (Math.abs(a % 1) === 0.5 ? 2 * Math.round(a / 2) : Math.round(a));
/** As C's, where JavaScript's are NaN. */
const power = (a: number, b: number): number => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b);

export const unaryOps = {
  /** −a; of i32 too. */
  neg: unary('-a', '-dy', (a) => -a, { dtypes: SIGNED }),
  /** |a|, with the gradient 0 at 0; of i32 too. */
  abs: unary('abs(a)', 'select(select(0.0, dy, a > 0.0), -dy, a < 0.0)', Math.abs, { dtypes: SIGNED }),
  /** −1, 0 or 1; its gradient is zero. NaN of NaN, where PyTorch has 0: a 0 would hide it. */
  sign: unary('signum(a)', NO_SLOPE, Math.sign),
  /** eᵃ. */
  exp: unary('safe_exp(a)', 'dy * y', Math.exp),
  /** eᵃ − 1, precise near 0. */
  expm1: unary('expm1(a)', 'dy * safe_exp(a)', Math.expm1),
  /** The natural logarithm: −∞ at 0, NaN below. */
  log: unary('safe_log(a)', 'dy / a', Math.log, { domain: [0.1, 4] }),
  /** log(1 + a), precise near 0. */
  log1p: unary('log1p(a)', 'dy / (1.0 + a)', Math.log1p, { domain: [-0.5, 4] }),
  /** √a; NaN below 0. */
  sqrt: unary('sqrt(a)', 'dy * 0.5 / y', Math.sqrt, { domain: [0.1, 4] }),
  /** 1 / √a. */
  rsqrt: unary('inverseSqrt(a)', 'dy * -0.5 * y / a', (a) => 1 / Math.sqrt(a), { domain: [0.1, 4] }),
  /** a². */
  square: unary('a * a', 'dy * 2.0 * a', (a) => a * a),
  /** 1 / a. */
  reciprocal: unary('1.0 / a', '-dy * y * y', (a) => 1 / a, { domain: [0.2, 3] }),
  /** Of radians. */
  sin: unary('sine(a)', 'dy * cosine(a)', Math.sin),
  /** Of radians. */
  cos: unary('cosine(a)', '-dy * sine(a)', Math.cos),
  /** The hyperbolic tangent. */
  tanh: unary('safe_tanh(a)', 'dy * (1.0 - y * y)', Math.tanh),
  /** 1 / (1 + e⁻ᵃ). */
  sigmoid: unary('sigmoid(a)', 'dy * y * (1.0 - y)', sigmoid),
  // `max` would turn NaN into 0.
  /** max(0, a). NaN stays NaN, and its gradient passes, as PyTorch's. */
  relu: unary('select(max(a, 0.0), a, is_nan(a))', 'select(0.0, dy, a > 0.0 || is_nan(a))', (a) => Math.max(0, a)),
  /** a · sigmoid(a). */
  silu: unary('a * sigmoid(a)', 'dy * sigmoid(a) * (1.0 + a * (1.0 - sigmoid(a)))', (a) => a * sigmoid(a)),
  /** log(1 + eᵃ). */
  softplus: unary('softplus(a)', 'dy * sigmoid(a)', (a) => Math.max(0, a) + Math.log1p(Math.exp(-Math.abs(a)))),
  /** a · Φ(a) in its exact form, as PyTorch's default. */
  gelu: unary(
    `0.5 * a * (1.0 + erf(a * ${SQRT_HALF}))`,
    `dy * (0.5 * (1.0 + erf(a * ${SQRT_HALF})) + a * ${INV_SQRT_TAU} * exp(-0.5 * a * a))`,
    (a) => 0.5 * a * (1 + erf(a * Math.SQRT1_2)),
  ),
  /** The error function. */
  erf: unary('erf(a)', 'dy * 1.1283791670955126 * exp(-a * a)', erf),
  /** Rounds down; its gradient is zero. */
  floor: unary('floor(a)', NO_SLOPE, Math.floor),
  /** Rounds up; its gradient is zero. */
  ceil: unary('ceil(a)', NO_SLOPE, Math.ceil),
  /** To the nearest whole number, halves to the even one; its gradient is zero. */
  round: unary('round(a)', NO_SLOPE, roundEven),
  /** 1 where it is NaN, 0 elsewhere: u32, without a gradient. */
  isNaN: unary('select(0u, 1u, is_nan(a))', null, Number.isNaN, { result: 'u32' }),
  /** 1 where it is neither NaN nor infinite, 0 elsewhere: u32, without a gradient. */
  isFinite: unary('select(0u, 1u, is_finite(a))', null, Number.isFinite, { result: 'u32' }),
} satisfies Record<string, TableOp>;

export const binaryOps = {
  /** a + b; of integers too. */
  add: binary('a + b', ['dy', 'dy'], (a, b) => a + b, { dtypes: NUMBERS }),
  /** a − b; of integers too. */
  sub: binary('a - b', ['dy', '-dy'], (a, b) => a - b, { dtypes: NUMBERS }),
  /** a · b; of integers too. */
  mul: binary('a * b', ['dy * b', 'dy * a'], (a, b) => a * b, { dtypes: NUMBERS }),
  // b² may overflow where a / b does not.
  /** a / b; integers truncate. */
  div: binary('a / b', ['dy / b', '-dy * (a / b) / b'], (a, b) => a / b, { dtypes: NUMBERS, domain: [0.3, 3] }),
  /** aᵇ, as C's `pow`. */
  pow: binary(
    'power(a, b)',
    ['select(dy * b * power(a, b - 1.0), 0.0, b == 0.0)', 'select(dy * y * safe_log(a), 0.0, a == 0.0 && b >= 0.0)'],
    power,
    { domain: [0.3, 3] },
  ),
  /** The larger of the two, NaN next to NaN. Equal operands share the gradient; next to NaN both get all of it. */
  maximum: binary('larger(a, b)', [shareUnless('a < b'), shareUnless('b < a')], Math.max, {
    dtypes: NUMBERS,
    integers: 'max(a, b)',
  }),
  /** The smaller of the two, NaN next to NaN. Gradients as those of `maximum`. */
  minimum: binary('smaller(a, b)', [shareUnless('a > b'), shareUnless('b > a')], Math.min, {
    dtypes: NUMBERS,
    integers: 'min(a, b)',
  }),
  /** 1 where a = b, 0 elsewhere: u32, without a gradient. NaN equals nothing. */
  equal: comparison('a == b', (a, b) => a === b),
  // SwiftShader's `!=` is false for NaN.
  /** 1 where a ≠ b, 0 elsewhere: u32, without a gradient. NaN differs from everything. */
  notEqual: comparison('!(a == b)', (a, b) => a !== b),
  /** 1 where a < b, 0 elsewhere: u32, without a gradient. */
  less: comparison('a < b', (a, b) => a < b),
  /** 1 where a ≤ b, 0 elsewhere: u32, without a gradient. */
  lessEqual: comparison('a <= b', (a, b) => a <= b),
  /** 1 where a > b, 0 elsewhere: u32, without a gradient. */
  greater: comparison('a > b', (a, b) => a > b),
  /** 1 where a ≥ b, 0 elsewhere: u32, without a gradient. */
  greaterEqual: comparison('a >= b', (a, b) => a >= b),
} satisfies Record<string, TableOp>;

/** `b` is the lower, `c` the upper bound; only `a` has a gradient. A function of its own, `clamp`, has defaults for them. */
export const clampOp: ElementwiseOp = {
  operands: ['a', 'b', 'c'],
  forward: 'clamped(a, b, c)',
  integers: 'min(max(a, b), c)',
  gradients: ['select(0.0, dy, a >= b && a <= c)', null, null],
  dtypes: NUMBERS,
};
