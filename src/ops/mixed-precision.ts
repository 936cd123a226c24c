/**
 * Weights under mixed precision (Micikevicius et al. 2018): the dtype of the images or features is what an operation reads and writes;
 * its weights may stay f32, the master copy, and are rounded for the operation alone. Their gradient is then f32, as it was
 * added up. Biases are added in f32 whatever they are stored as.
 */
import { DTypeError } from '../errors.ts';
import { commonFloat, isFloat } from '../tensor/dtype.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { convert } from './elementwise/elementwise-kernel.ts';

/** What an operation reads of its weights. */
export interface Weights {
  /** Of x's dtype. */
  readonly weight: Tensor;
  /** f32. */
  readonly bias: Tensor | undefined;
  /** Frees what was converted; to be called when no gradient needs it. */
  release(): void;
}

/** @throws {DTypeError} unless x is f32 or f16, the weight of its dtype or f32, and the bias f32 or f16. */
export function weightsFor(where: string, x: Tensor, weight: Tensor, bias: Tensor | null | undefined): Weights {
  const stored = commonFloat(where, [x]);
  if ((weight.dtype !== stored && weight.dtype !== 'f32') || (bias && !isFloat(bias.dtype))) {
    throw new DTypeError({
      where,
      message: `x is ${stored}; the weight must be ${stored === 'f32' ? 'f32' : 'f16 or f32'}, the bias f32 or f16, not ${[weight, ...(bias ? [bias] : [])].map(({ dtype }) => dtype).join(' and ')}.`,
      fix: "Use x.cast('f32') or weight.cast('f32').",
    });
  }
  const made = { weight: convert(weight, stored), bias: bias ? convert(bias, 'f32') : undefined };
  return {
    ...made,
    release() {
      if (made.weight !== weight) made.weight.dispose();
      if (made.bias && made.bias !== bias) made.bias.dispose();
    },
  };
}
