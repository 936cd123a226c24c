/** What an elementwise operation is: its expression and the expressions of its gradients. */
import type { DType } from '../../tensor/dtype.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Operand } from './elementwise-kernel.ts';

/**
 * Expressions are WGSL over the operands `a`, `b`, `c`; gradients also over the result `y` and its gradient `dy`. They may call
 * the functions of WGSL and of `shaders/elementwise/functions.wgsl`. Floats are f32 in them, also where f16 is stored.
 */
export interface ElementwiseOp {
  /** Names of the operands, in order. */
  readonly operands: readonly ('a' | 'b' | 'c')[];
  /** The result: `a * b`, for example. */
  readonly forward: string;
  /** Of integers, where it is another expression. */
  readonly integers?: string;
  /** The gradient of each operand; `null` where there is none. */
  readonly gradients: readonly (string | null)[];
  /** The gradient of each operand in recorded operations, of f32: what gradients of gradients need. */
  readonly recorded?: readonly ((at: RecordedGradient) => Tensor)[];
  /** Dtype of the result when it is not the operands' own; such an operation has no gradient. */
  readonly result?: DType;
  /** Dtypes it takes; f32 and f16 by default. */
  readonly dtypes?: readonly DType[];
}

/** What a gradient in recorded operations is made from: the operands, the result, and its gradient. */
export interface RecordedGradient {
  readonly a: Operand;
  /** Of operations with two. */
  readonly b: Operand;
  readonly y: Tensor;
  readonly dy: Tensor;
}

export const FLOATS: readonly DType[] = ['f32', 'f16'];
