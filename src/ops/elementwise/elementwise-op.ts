/** What an elementwise operation is: its expression and the expressions of its gradients. */
import type { DType } from '../../tensor/dtype.ts';

/**
 * Expressions are WGSL over the operands `a`, `b`, `c`; gradients also over the result `y` and its gradient `dy`. They may call
 * the functions of WGSL and of `shaders/elementwise/functions.wgsl`. Floats are f32 in them, also where f16 is stored.
 */
export interface ElementwiseOp {
  /** Names of the operands, in order. */
  readonly operands: readonly ('a' | 'b' | 'c')[];
  readonly forward: string;
  /** Of integers, where it is another expression. */
  readonly integers?: string;
  /** The gradient of each operand; `null` where there is none. */
  readonly gradients: readonly (string | null)[];
  /** Dtype of the result when it is not the operands' own; such an operation has no gradient. */
  readonly result?: DType;
  /** Dtypes it takes; f32 and f16 by default. */
  readonly dtypes?: readonly DType[];
}

export const FLOATS: readonly DType[] = ['f32', 'f16'];
