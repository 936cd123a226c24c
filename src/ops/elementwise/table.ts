/**
 * Every elementwise operation, once: its forward expression and its gradients. The kernels, the tensor methods and the
 * gradient tests are made from this table.
 *
 * Expressions are WGSL over the operands `a`, `b`, `c`, the result `y` and its gradient `dy`. NaN and ±∞ come out as in
 * JavaScript or C (`sign` and extrema of NaN are NaN, powers are C's), and gradients there are PyTorch's.
 */
import type { DType } from '../../tensor/dtype.ts';

export interface ElementwiseOp {
  /** Names of the operands, in order. */
  readonly operands: readonly ('a' | 'b' | 'c')[];
  readonly forward: string;
  /** The same of integers, where it is another expression. */
  readonly integers?: string;
  /** Gradient for each operand; `null` where there is none. */
  readonly gradients: readonly (string | null)[];
  /** Dtype of the result when it is not the operands' own. */
  readonly result?: DType;
  /** Dtypes it takes; {@link FLOATS} unless said. */
  readonly dtypes?: readonly DType[];
  /** Interval of arguments where it is smooth, for gradient checks; [−2, 2] unless said. */
  readonly domain?: readonly [number, number];
}

export const FLOATS: readonly DType[] = ['f32', 'f16'];
const NUMBERS: readonly DType[] = [...FLOATS, 'i32', 'u32'];
const SIGNED: readonly DType[] = [...FLOATS, 'i32'];
const unary = (forward: string, gradient: string | null, rest: Partial<ElementwiseOp> = {}): ElementwiseOp => ({
  operands: ['a'],
  forward,
  gradients: [gradient],
  ...rest,
});
const binary = (
  forward: string,
  da: string | null,
  db: string | null,
  rest: Partial<ElementwiseOp> = {},
): ElementwiseOp => ({
  operands: ['a', 'b'],
  forward,
  gradients: [da, db],
  ...rest,
});
const comparison = (forward: string): ElementwiseOp =>
  binary(`select(0u, 1u, ${forward})`, null, null, { result: 'u32', dtypes: NUMBERS });
/** The gradient of an extremum's operand. */
const shareUnless = (lost: string): string => `select(select(dy, 0.0, ${lost}), 0.5 * dy, a == b)`;
/** A gradient of zero that still has dy's shape. */
const NO_SLOPE = 'select(0.0, dy, false)';
const SQRT_HALF = '0.7071067811865476';
const INV_SQRT_TAU = '0.3989422804014327';

export const unaryOps = {
  neg: unary('-a', '-dy', { dtypes: SIGNED }),
  abs: unary('abs(a)', 'select(select(0.0, dy, a > 0.0), -dy, a < 0.0)', { dtypes: SIGNED }),
  sign: unary('signum(a)', NO_SLOPE),
  exp: unary('safe_exp(a)', 'dy * y'),
  expm1: unary('expm1(a)', 'dy * safe_exp(a)'),
  log: unary('safe_log(a)', 'dy / a', { domain: [0.1, 4] }),
  log1p: unary('log1p(a)', 'dy / (1.0 + a)', { domain: [-0.5, 4] }),
  sqrt: unary('sqrt(a)', 'dy * 0.5 / y', { domain: [0.1, 4] }),
  rsqrt: unary('inverseSqrt(a)', 'dy * -0.5 * y / a', { domain: [0.1, 4] }),
  square: unary('a * a', 'dy * 2.0 * a'),
  reciprocal: unary('1.0 / a', '-dy * y * y', { domain: [0.2, 3] }),
  sin: unary('sine(a)', 'dy * cosine(a)'),
  cos: unary('cosine(a)', '-dy * sine(a)'),
  tanh: unary('safe_tanh(a)', 'dy * (1.0 - y * y)'),
  sigmoid: unary('sigmoid(a)', 'dy * y * (1.0 - y)'),
  /** `max` would turn NaN into 0; its gradient passes there, as PyTorch's. */
  relu: unary('select(max(a, 0.0), a, is_nan(a))', 'select(0.0, dy, a > 0.0 || is_nan(a))'),
  silu: unary('a * sigmoid(a)', 'dy * sigmoid(a) * (1.0 + a * (1.0 - sigmoid(a)))'),
  softplus: unary('softplus(a)', 'dy * sigmoid(a)'),
  /** Exact form, x·Φ(x), as PyTorch's default. */
  gelu: unary(
    `0.5 * a * (1.0 + erf(a * ${SQRT_HALF}))`,
    `dy * (0.5 * (1.0 + erf(a * ${SQRT_HALF})) + a * ${INV_SQRT_TAU} * exp(-0.5 * a * a))`,
  ),
  erf: unary('erf(a)', 'dy * 1.1283791670955126 * exp(-a * a)'),
  floor: unary('floor(a)', NO_SLOPE),
  ceil: unary('ceil(a)', NO_SLOPE),
  round: unary('round(a)', NO_SLOPE),
  isNaN: unary('select(0u, 1u, is_nan(a))', null, { result: 'u32' }),
  isFinite: unary('select(0u, 1u, is_finite(a))', null, { result: 'u32' }),
} satisfies Record<string, ElementwiseOp>;

export const binaryOps = {
  add: binary('a + b', 'dy', 'dy', { dtypes: NUMBERS }),
  sub: binary('a - b', 'dy', '-dy', { dtypes: NUMBERS }),
  mul: binary('a * b', 'dy * b', 'dy * a', { dtypes: NUMBERS }),
  div: binary('a / b', 'dy / b', '-dy * a / (b * b)', { dtypes: NUMBERS, domain: [0.3, 3] }),
  pow: binary(
    'power(a, b)',
    'select(dy * b * power(a, b - 1.0), 0.0, b == 0.0)',
    'select(dy * y * safe_log(a), 0.0, a == 0.0 && b >= 0.0)',
    { domain: [0.3, 3] },
  ),
  /** Equal operands share the gradient; beside NaN both have all of it. */
  maximum: binary('larger(a, b)', shareUnless('a < b'), shareUnless('b < a'), {
    dtypes: NUMBERS,
    integers: 'max(a, b)',
  }),
  minimum: binary('smaller(a, b)', shareUnless('a > b'), shareUnless('b > a'), {
    dtypes: NUMBERS,
    integers: 'min(a, b)',
  }),
  equal: comparison('a == b'),
  /** SwiftShader's `!=` is false for NaN. */
  notEqual: comparison('!(a == b)'),
  less: comparison('a < b'),
  lessEqual: comparison('a <= b'),
  greater: comparison('a > b'),
  greaterEqual: comparison('a >= b'),
} satisfies Record<string, ElementwiseOp>;

export const ternaryOps = {
  /** `b` is the lower, `c` the upper bound; only `a` has a gradient. */
  clamp: {
    operands: ['a', 'b', 'c'],
    forward: 'clamped(a, b, c)',
    integers: 'min(max(a, b), c)',
    gradients: ['select(0.0, dy, a >= b && a <= c)', null, null],
    dtypes: NUMBERS,
  },
} satisfies Record<string, ElementwiseOp>;
