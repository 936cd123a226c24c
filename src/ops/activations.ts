/** Activations beyond those in the elementwise table, as PyTorch's; f32 or f16, with gradients. Derivatives at a kink are PyTorch's. */
import type { Tensor } from '../tensor/tensor.ts';
import { elementwise } from './elementwise/elementwise.ts';

const of = (name: string, forward: string, gradient: string): ((x: Tensor) => Tensor) =>
  elementwise(name, { operands: ['a'], forward, gradients: [gradient] });
const withNumber = (name: string, forward: string, gradient: string) =>
  elementwise(name, { operands: ['a', 'b'], forward, gradients: [gradient, null] });

const leaky = /* @__PURE__ */ withNumber('leakyRelu', 'select(a * b, a, a > 0.0)', 'select(dy * b, dy, a > 0.0)');
const exponential = /* @__PURE__ */ withNumber(
  'elu',
  'select(b * expm1(min(a, 0.0)), a, a > 0.0 || is_nan(a))',
  'select(dy * b * safe_exp(min(a, 0.0)), dy, a > 0.0 || is_nan(a))',
);

/**
 * x where it is above 0, `slope` · x elsewhere (Maas et al. 2013).
 * @param slope 0.01 by default; a tensor of slopes that broadcasts has no gradient here, see the layer `PReLU`.
 * @throws {DTypeError} for integers.
 */
export const leakyRelu = (x: Tensor, slope = 0.01): Tensor => leaky(x, slope);

/**
 * x where it is above 0, alpha · (eˣ − 1) elsewhere (Clevert et al. 2016).
 * @throws {DTypeError} for integers.
 */
export const elu = (x: Tensor, alpha = 1): Tensor => exponential(x, alpha);

/**
 * x where it is above 0, weight · x elsewhere, with a gradient for the weight too (He et al. 2015, eq. 1).
 * @param weight one value, or one for each channel, the last axis.
 * @throws {ShapeError} when the weight does not broadcast.
 * @throws {DTypeError} for integers, or when the two dtypes differ.
 */
export const prelu: (x: Tensor, weight: Tensor) => Tensor = /* @__PURE__ */ elementwise('prelu', {
  operands: ['a', 'b'],
  forward: 'select(a * b, a, a > 0.0)',
  gradients: ['select(dy * b, dy, a > 0.0)', 'select(dy * a, 0.0, a > 0.0)'],
}) as (x: Tensor, weight: Tensor) => Tensor;

/** Between 0 and 6: min(max(0, x), 6). NaN stays NaN, and its gradient passes, as PyTorch's. */
export const relu6 = /* @__PURE__ */ of(
  'relu6',
  'clamped(a, 0.0, 6.0)',
  'select(0.0, dy, (a > 0.0 && a < 6.0) || is_nan(a))',
);

/** scale · elu(x, α) with constants that keep mean 0 and variance 1 (Klambauer et al. 2017). */
export const selu = /* @__PURE__ */ of(
  'selu',
  '1.0507009873554805 * select(1.6732632423543772 * expm1(min(a, 0.0)), a, a > 0.0 || is_nan(a))',
  'dy * 1.0507009873554805 * select(1.6732632423543772 * safe_exp(min(a, 0.0)), 1.0, a > 0.0 || is_nan(a))',
);

/** relu6(x + 3) / 6 (Howard et al. 2019). */
export const hardSigmoid = /* @__PURE__ */ of(
  'hardSigmoid',
  'clamped(a + 3.0, 0.0, 6.0) / 6.0',
  'select(0.0, dy / 6.0, a > -3.0 && a < 3.0)',
);

/** x · relu6(x + 3) / 6 (Howard et al. 2019). */
export const hardSwish = /* @__PURE__ */ of(
  'hardSwish',
  'a * clamped(a + 3.0, 0.0, 6.0) / 6.0',
  'dy * select(select(a / 3.0 + 0.5, 1.0, a >= 3.0), 0.0, a <= -3.0)',
);

/** x · tanh(softplus(x)) (Misra 2020). */
export const mish = /* @__PURE__ */ of(
  'mish',
  'a * safe_tanh(softplus(a))',
  'dy * (safe_tanh(softplus(a)) + a * sigmoid(a) * (1.0 - safe_tanh(softplus(a)) * safe_tanh(softplus(a))))',
);

/** log(1 / (1 + e⁻ˣ)), without underflow. */
export const logSigmoid = /* @__PURE__ */ of('logSigmoid', '-softplus(-a)', 'dy * sigmoid(-a)');

/** GELU by the hyperbolic tangent, PyTorch's `approximate='tanh'` (Hendrycks & Gimpel 2016); the exact one is `x.gelu()`. */
export const geluTanh = /* @__PURE__ */ of(
  'geluTanh',
  '0.5 * a * (1.0 + safe_tanh(0.7978845608028654 * (a + 0.044715 * a * a * a)))',
  [
    'dy * 0.5 * (1.0 + safe_tanh(0.7978845608028654 * (a + 0.044715 * a * a * a))',
    '+ a * (1.0 - safe_tanh(0.7978845608028654 * (a + 0.044715 * a * a * a)) * safe_tanh(0.7978845608028654 * (a + 0.044715 * a * a * a)))',
    '* 0.7978845608028654 * (1.0 + 0.134145 * a * a))',
  ].join(' '),
);
