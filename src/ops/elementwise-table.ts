/**
 * Every elementwise operation, once: its forward expression and its gradients. The kernels, the tensor methods and the
 * gradient tests are made from this table.
 *
 * Expressions are WGSL over the operands `a`, `b`, `c`, the result `y` and its gradient `dy`.
 */
import type { DType } from '../tensor/dtype.ts';

export interface ElementwiseOp {
  /** Names of the operands, in order. */
  readonly operands: readonly ('a' | 'b' | 'c')[];
  readonly forward: string;
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
/** A gradient of zero that still has dy's shape. */
const NO_SLOPE = 'select(0.0, dy, false)';
const SQRT_HALF = '0.7071067811865476';
const INV_SQRT_TAU = '0.3989422804014327';

export const unaryOps = {
  neg: unary('-a', '-dy', { dtypes: SIGNED }),
  abs: unary('abs(a)', 'dy * sign(a)', { dtypes: SIGNED }),
  sign: unary('sign(a)', NO_SLOPE),
  exp: unary('exp(a)', 'dy * y'),
  expm1: unary(
    'select(exp(a) - 1.0, a * (1.0 + a * (0.5 + a * (0.16666667 + a * 0.041666668))), abs(a) < 0.05)',
    'dy * exp(a)',
  ),
  log: unary('log(a)', 'dy / a', { domain: [0.1, 4] }),
  log1p: unary(
    'select(log(1.0 + a), a * (1.0 - a * (0.5 - a * (0.33333334 - a * 0.25))), abs(a) < 0.02)',
    'dy / (1.0 + a)',
    { domain: [-0.5, 4] },
  ),
  sqrt: unary('sqrt(a)', 'dy * 0.5 / y', { domain: [0.1, 4] }),
  rsqrt: unary('inverseSqrt(a)', 'dy * -0.5 * y / a', { domain: [0.1, 4] }),
  square: unary('a * a', 'dy * 2.0 * a'),
  reciprocal: unary('1.0 / a', '-dy * y * y', { domain: [0.2, 3] }),
  sin: unary('sin(a)', 'dy * cos(a)'),
  cos: unary('cos(a)', '-dy * sin(a)'),
  tanh: unary('safe_tanh(a)', 'dy * (1.0 - y * y)'),
  sigmoid: unary('sigmoid(a)', 'dy * y * (1.0 - y)'),
  /** `max` would turn NaN into 0. */
  relu: unary('select(a, 0.0, a <= 0.0)', 'select(0.0, dy, a > 0.0)'),
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
  pow: binary('power(a, b)', 'dy * b * power(a, b - 1.0)', 'select(0.0, dy * y * log(a), a > 0.0)', {
    domain: [0.3, 3],
  }),
  /** Equal operands share the gradient, as in PyTorch. */
  maximum: binary(
    'max(a, b)',
    'dy * select(select(0.0, 1.0, a > b), 0.5, a == b)',
    'dy * select(select(0.0, 1.0, b > a), 0.5, a == b)',
    { dtypes: NUMBERS },
  ),
  minimum: binary(
    'min(a, b)',
    'dy * select(select(0.0, 1.0, a < b), 0.5, a == b)',
    'dy * select(select(0.0, 1.0, b < a), 0.5, a == b)',
    { dtypes: NUMBERS },
  ),
  equal: comparison('a == b'),
  notEqual: comparison('a != b'),
  less: comparison('a < b'),
  lessEqual: comparison('a <= b'),
  greater: comparison('a > b'),
  greaterEqual: comparison('a >= b'),
} satisfies Record<string, ElementwiseOp>;

export const ternaryOps = {
  /** `b` is the lower, `c` the upper bound; only `a` has a gradient. */
  clamp: {
    operands: ['a', 'b', 'c'],
    forward: 'min(max(a, b), c)',
    gradients: ['select(0.0, dy, a >= b && a <= c)', null, null],
    dtypes: NUMBERS,
  },
} satisfies Record<string, ElementwiseOp>;
