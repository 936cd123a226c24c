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

export type UnaryName = keyof typeof unaryOps;
export type BinaryName = keyof typeof binaryOps;

type ElementwiseMethods = { [K in UnaryName]: () => Tensor } & { [K in BinaryName]: (other: Operand) => Tensor };

/** The operation with the gradient that has a gradient itself, where there is one. */
function twice<Op extends ElementwiseOp>(name: string, op: Op): Op {
  const recorded = secondDerivatives[name];
  return recorded ? { ...op, recorded } : op;
}

/** The unary operations as functions: `unary.exp(x)`. */
export const unary = Object.fromEntries(
  Object.entries(unaryOps).map(([name, op]) => [name, elementwise(name, twice(name, op))]),
) as { [K in UnaryName]: (x: Tensor) => Tensor };

/** The binary operations as functions: `binary.add(a, b)`; one of the operands may be a number. */
export const binary = Object.fromEntries(
  Object.entries(binaryOps).map(([name, op]) => [name, elementwise(name, twice(name, op))]),
) as { [K in BinaryName]: (a: Operand, b: Operand) => Tensor };

/** The least and the largest number of each dtype. */
const LIMITS: Readonly<Record<DType, readonly [number, number]>> = {
  f32: [-Infinity, Infinity],
  f16: [-Infinity, Infinity],
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u32: [0, 2 ** 32 - 1],
};

const limited = elementwise('clamp', clampOp);

/** Limits to [low, high]; a side that is left out has no limit. NaN stays NaN. The gradient is that of `x` inside and 0 outside. */
export function clamp(x: Tensor, low?: Operand, high?: Operand): Tensor {
  const [least, most] = LIMITS[x.dtype];
  return limited(x, low ?? least, high ?? most);
}

type Axes = number | readonly number[];

declare module '../tensor/tensor.ts' {
  interface Tensor extends ElementwiseMethods {
    clamp(low?: Operand, high?: Operand): Tensor;
    cast(dtype: DType): Tensor;
    sum(axes?: Axes, options?: ReduceOptions): Tensor;
    mean(axes?: Axes, options?: ReduceOptions): Tensor;
    max(axes?: Axes, options?: ReduceOptions): Tensor;
    min(axes?: Axes, options?: ReduceOptions): Tensor;
    argmax(axis?: number, options?: ReduceOptions): Tensor;
    argmin(axis?: number, options?: ReduceOptions): Tensor;
    reshape(shape: Shape): Tensor;
    /**
     * Everything from `axis` (1 by default) on in one dimension. Images flatten row, column, channel; the layer `Flatten` orders
     * as PyTorch does.
     */
    flatten(axis?: number): Tensor;
    transpose(axes?: readonly number[]): Tensor;
    slice(ranges: readonly (Range | null | undefined)[]): Tensor;
    flip(axes: readonly number[]): Tensor;
    gather(index: Tensor, axis?: number): Tensor;
    matmul(other: Tensor, options?: MatmulOptions): Tensor;
    softmax(axis?: number): Tensor;
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
