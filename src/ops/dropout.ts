/** Dropout (Srivastava et al. 2014), from the engine's seeded streams. */
import { record } from '../autograd/tape.ts';
import { ArgumentError } from '../errors.ts';
import { commonFloat } from '../tensor/dtype.ts';
import { draw, drawState, type RandomSource } from '../tensor/random-tensors.ts';
import { Tensor } from '../tensor/tensor.ts';

/** @throws {ArgumentError} unless 0 ≤ p < 1. */
export function checkProbability(where: string, p: number): void {
  if (!(p >= 0 && p < 1)) throw new ArgumentError({ where, message: `the probability must be in [0, 1), not ${p}.` });
}

/**
 * Sets each element to 0 with probability `p` and scales the rest by 1 / (1 − p), so that the expectation stays. In f32 or f16. What is
 * dropped of NaN and ∞ is NaN, as PyTorch's product with a mask.
 * @throws {ArgumentError} unless 0 ≤ p < 1.
 * @throws {DTypeError} for integers.
 */
export function dropout(
  x: Tensor,
  p: number,
  { training = true, from }: { training?: boolean; from?: RandomSource } = {},
): Tensor {
  checkProbability('dropout', p);
  const dtype = commonFloat('dropout', [x]);
  if (!training || p === 0) return x;
  const { engine } = x;
  const state = drawState(engine, from, 'dropout');
  const mask = (input: Tensor) => {
    const output = Tensor.empty(engine, x.shape, dtype, 'dropout');
    draw(engine, 'dropout', state, [input], output, p, 1 / (1 - p));
    return output;
  };
  return record(mask(x), 'dropout', [x], (dy) => [mask(dy)]);
}
