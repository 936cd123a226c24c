/** Makes the operations methods of {@link Tensor}: `x.add(1).relu().mean()`. */
import { backward, useAddition } from '../autograd/tape.ts';
import type { DType } from '../tensor/dtype.ts';
import type { Shape } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { cast, elementwise } from './elementwise/elementwise.ts';
import { addGradients, type Operand } from './elementwise/elementwise-kernel.ts';
import type { ElementwiseOp } from './elementwise/elementwise-op.ts';
import { secondDerivatives } from './elementwise/second-derivatives.ts';
import { binaryOps, clampOp, unaryOps } from './elementwise/table.ts';
import { gather } from './gather.ts';
import { type MatmulOptions, matmul } from './matmul/matmul.ts';
import { argmax, argmin, max, mean, min, type ReduceOptions, sum } from './reduce.ts';
import { flatten, reshape } from './reshape.ts';
import { logSoftmax, softmax } from './softmax.ts';
import { flip, type Range, slice, transpose } from './strided.ts';

/** Names of the operations with one operand. */
export type UnaryName = keyof typeof unaryOps;
/** Names of the operations with two operands. */
export type BinaryName = keyof typeof binaryOps;

type ElementwiseMethods = { [K in keyof typeof unaryOps]: () => Tensor } & {
  [K in keyof typeof binaryOps]: (other: Operand) => Tensor;
};

/** The operation with the gradient that has a gradient itself, where there is one. */
function twice<Op extends ElementwiseOp>(name: string, op: Op): Op {
  const recorded = secondDerivatives[name];
  return recorded ? { ...op, recorded } : op;
}

/** The unary operations as functions: `unary.exp(x)`. What they are of is called `a` below. */
export const unary = Object.fromEntries(
  Object.entries(unaryOps).map(([name, op]) => [name, elementwise(name, twice(name, op))]),
) as { [K in keyof typeof unaryOps]: (x: Tensor) => Tensor };

/** The binary operations as functions: `binary.add(a, b)`; one of the operands may be a number. */
export const binary = Object.fromEntries(
  Object.entries(binaryOps).map(([name, op]) => [name, elementwise(name, twice(name, op))]),
) as { [K in keyof typeof binaryOps]: (a: Operand, b: Operand) => Tensor };

/** The least and the largest number of each dtype. */
const LIMITS: Readonly<Record<DType, readonly [number, number]>> = {
  f32: [-Infinity, Infinity],
  f16: [-Infinity, Infinity],
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u32: [0, 2 ** 32 - 1],
};

const limited = elementwise('clamp', twice('clamp', clampOp));

/** Limits to [low, high]; a side that is left out has no limit. NaN stays NaN. The gradient is that of `x` inside and 0 outside. */
export function clamp(x: Tensor, low?: Operand, high?: Operand): Tensor {
  const [least, most] = LIMITS[x.dtype];
  return limited(x, low ?? least, high ?? most);
}

/** @inline */
type Axes = number | readonly number[];

declare module '../tensor/tensor.ts' {
  interface Tensor extends ElementwiseMethods {
    /** Limits to [low, high]; a side that is left out has no limit. See {@link clamp}. */
    clamp(low?: Operand, high?: Operand): Tensor;
    /** The same values as another dtype; floats to integers truncate. See {@link cast}. */
    cast(dtype: DType): Tensor;
    /** Sum over the axes, all by default; of f16 in f32. See {@link sum}. */
    sum(axes?: Axes, options?: ReduceOptions): Tensor;
    /** Mean over the axes, all by default, in f32. See {@link mean}. */
    mean(axes?: Axes, options?: ReduceOptions): Tensor;
    /** Largest element over the axes, all by default; equal ones share the gradient. See {@link max}. */
    max(axes?: Axes, options?: ReduceOptions): Tensor;
    /** Smallest element over the axes, all by default; equal ones share the gradient. See {@link min}. */
    min(axes?: Axes, options?: ReduceOptions): Tensor;
    /** Index (i32) of the largest element along the axis, the last by default; the first among equals. See {@link argmax}. */
    argmax(axis?: number, options?: ReduceOptions): Tensor;
    /** Index (i32) of the smallest element along the axis, the last by default; the first among equals. See {@link argmin}. */
    argmin(axis?: number, options?: ReduceOptions): Tensor;
    /** The same elements in another shape, in which one dimension may be −1. See {@link reshape}. */
    reshape(shape: Shape): Tensor;
    /**
     * Everything from `axis` (1 by default) on in one dimension. Images flatten row, column, channel; the layer `Flatten` orders
     * as PyTorch does.
     */
    flatten(axis?: number): Tensor;
    /** Reorders the axes; reverses them when `axes` is left out. See {@link transpose}. */
    transpose(axes?: readonly number[]): Tensor;
    /**
     * A box of elements, one range an axis: `x.slice([[0, 10], null, [null, null, 2]])` is `x[0:10, :, ::2]`. See {@link slice}.
     */
    slice(ranges: readonly (Range | null | undefined)[]): Tensor;
    /** Reverses the elements along the axes. See {@link flip}. */
    flip(axes: readonly number[]): Tensor;
    /**
     * Elements along an axis (the first by default) by an i32 index: whole slices by a list, as PyTorch's gather otherwise. See {@link gather}.
     */
    gather(index: Tensor, axis?: number): Tensor;
    /** Matrix product of the last two axes: [..., m, k] · [..., k, n]. See {@link matmul}. */
    matmul(other: Tensor, options?: MatmulOptions): Tensor;
    /** exp(x) / Σ exp(x) along the axis, the last by default. See {@link softmax}. */
    softmax(axis?: number): Tensor;
    /** x − log Σ exp(x) along the axis, the last by default. See {@link logSoftmax}. */
    logSoftmax(axis?: number): Tensor;
    /** The same values cut off from what made them: no gradient passes. */
    detach(): Tensor;
    /** Adds the gradients of this tensor to the `grad` of every leaf behind it. */
    backward(seed?: Tensor): void;
  }
}

const method = (name: string, fn: (self: Tensor, ...rest: never[]) => unknown): void => {
  Object.defineProperty(Tensor.prototype, name, {
    configurable: true,
    writable: true,
    value(this: Tensor, ...rest: never[]) {
      return fn(this, ...rest);
    },
  });
};

for (const [name, fn] of Object.entries(unary)) method(name, fn);
for (const [name, fn] of Object.entries(binary)) method(name, fn);
method('clamp', clamp);
method('cast', cast);
for (const [name, fn] of Object.entries({ sum, mean, max, min, argmax, argmin })) method(name, fn);
for (const [name, fn] of Object.entries({
  reshape,
  flatten,
  transpose,
  slice,
  flip,
  gather,
  matmul,
  softmax,
  logSoftmax,
})) {
  method(name, fn);
}
method('detach', (x) => Tensor.view(x, x.shape, 'detach'));
method('backward', backward);
useAddition(addGradients);
