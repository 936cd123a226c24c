/**
 * Evaluates one expression at every element of a shape, with NumPy broadcasting: what the elementwise operations and many
 * gradients are made of. Numbers among the operands travel in the uniform, so `x.mul(3)` needs no upload. What is stored as
 * f16 is computed in f32.
 */
import { ShapeError } from '../../errors.ts';
import { plane } from '../../gpu/plane.ts';
import type { Kernel } from '../../gpu/wgsl/kernel.ts';
import type { DType } from '../../tensor/dtype.ts';
import { checkNumber } from '../../tensor/elements.ts';
import { broadcastStrides, MOST_RANK, padded, type Shape, sameShape } from '../../tensor/shape.ts';
import { commonEngine, Tensor } from '../../tensor/tensor.ts';
import { computed, elementwiseSource } from './elementwise-source.ts';

/** What elementwise operations take: a tensor, or a number that stands for one of the same dtype and broadcasts. */
export type Operand = Tensor | number;

export interface ElementwiseOutput {
  /** What all operands broadcast to. */
  readonly shape: Shape;
  /** Dtype of the result, f32 by default. */
  readonly result?: DType;
  /** Dtype of the numbers among the operands, the first tensor's by default. */
  readonly numbers?: DType;
}

/** Elements of a workgroup: 64 threads with EACH of the shader. */
const WORKGROUP = 64 * 8;

/** By expression, then by everything else: finding a kernel must cost less than its launch. */
const kernels = new Map<string, Map<string, Kernel>>();

function kernelFor(
  name: string,
  expression: string,
  operands: Readonly<Record<string, Operand>>,
  result: DType,
  number: DType,
  isFlat: boolean,
): Kernel {
  let kinds = '';
  for (const operand in operands) {
    const value = operands[operand];
    kinds += value instanceof Tensor ? ` ${operand}:${value.dtype}` : ` ${operand}:number ${number}`;
  }
  const key = `${name}${kinds} ${result} ${isFlat}`;
  let byKind = kernels.get(expression);
  if (!byKind) {
    byKind = new Map();
    kernels.set(expression, byKind);
  }
  let kernel = byKind.get(key);
  if (!kernel) {
    const shown = kinds.replace(/\w+:/g, '');
    const label = `elementwise.${name}${shown}${result === 'f16' ? ' to f16' : ''}`;
    const list = Object.entries(operands).map(([operand, value]) => {
      const isNumber = !(value instanceof Tensor);
      return { name: operand, dtype: isNumber ? number : value.dtype, isNumber };
    });
    kernel = { name: label, source: elementwiseSource(label, { operands: list, expression, result, isFlat }) };
    byKind.set(key, kernel);
  }
  return kernel;
}

/** Merges neighbouring dimensions that every operand walks alike: fewer divisions an element. */
function collapse(shape: Shape, strides: readonly number[][]): { dims: number[]; strides: number[][] } {
  const dims: number[] = [];
  const merged = strides.map(() => [] as number[]);
  shape.forEach((n, axis) => {
    const last = dims.length - 1;
    const joins = last >= 0 && strides.every((s, k) => merged[k]?.[last] === (s[axis] as number) * n);
    if (joins) {
      dims[last] = (dims[last] as number) * n;
      strides.forEach((s, k) => {
        (merged[k] as number[])[last] = s[axis] as number;
      });
    } else if (n !== 1 || shape.length === 1) {
      dims.push(n);
      strides.forEach((s, k) => {
        (merged[k] as number[]).push(s[axis] as number);
      });
    }
  });
  return { dims, strides: merged };
}

/** How operands of other shapes are walked. */
function broadcastOver(where: string, shape: Shape, tensors: readonly Tensor[]) {
  const { dims, strides } = collapse(
    shape,
    tensors.map((t) => broadcastStrides(t.shape, shape)),
  );
  if (dims.length > MOST_RANK) {
    throw new ShapeError({
      where,
      message: `broadcasting over ${dims.length} separate dimensions is not supported (at most ${MOST_RANK}).`,
    });
  }
  return { constants: { RANK: dims.length }, params: { dims: padded(dims), strides: strides.map(padded) } };
}

/**
 * Evaluates a WGSL expression over the operands' names at every element of `shape`. Not differentiable by itself: the building
 * block of the operations here and of gradients elsewhere.
 * @param name Of the operation, for errors and profiles.
 * @throws {ShapeError} when operands broadcast over more than 8 separate dimensions.
 * @throws {DTypeError} for a number that the numbers' dtype does not hold.
 * @throws {EngineMismatchError} when tensors belong to several engines.
 * @example launchElementwise('scale', 'a * b', { a: x, b: 3 }, { shape: x.shape });
 */
export function launchElementwise(
  name: string,
  expression: string,
  operands: Readonly<Record<string, Operand>>,
  { shape, result = 'f32', numbers }: ElementwiseOutput,
): Tensor {
  const tensors = Object.values(operands).filter((operand) => operand instanceof Tensor);
  const engine = commonEngine(name, tensors);
  const number = computed(numbers ?? tensors[0]?.dtype ?? 'f32');
  const params: Record<string, number> = {};
  for (const operand in operands) {
    const value = operands[operand];
    if (value instanceof Tensor) continue;
    checkNumber(name, value, number);
    params[operand] = value as number;
  }
  const isFlat = tensors.every((t) => sameShape(t.shape, shape));
  const walk = isFlat ? null : broadcastOver(name, shape, tensors);
  const kernel = kernelFor(name, expression, operands, result, number, isFlat);
  const output = Tensor.empty(engine, shape, result, name);
  const [x, y] = plane(engine, Math.ceil(output.size / WORKGROUP));
  params.size = output.size;
  params.row = x;
  const buffers = tensors.map((t) => t.storage);
  buffers.push(output.storage);
  engine.dispatch({
    kernel,
    buffers,
    ...(walk ? { constants: walk.constants, params: { ...params, ...walk.params } } : { params }),
    workgroups: [x, y],
  });
  return output;
}

/** The sum of two gradients of one shape and dtype. */
export function addGradients(a: Tensor, b: Tensor): Tensor {
  return launchElementwise('add', 'a + b', { a, b }, { shape: a.shape, result: a.dtype });
}

/** The same values as another dtype, not differentiable; the tensor itself if it has that dtype. */
export function convert(a: Tensor, dtype: DType): Tensor {
  if (a.dtype === dtype) return a;
  return launchElementwise(`cast_${dtype}`, `${computed(dtype)}(a)`, { a }, { shape: a.shape, result: dtype });
}
