/**
 * Elementwise operations with NumPy broadcasting. Kernels are put together from the operation table's expressions;
 * numbers among the operands travel in the uniform, so `x.mul(3)` needs no upload.
 */
import shared from '../../shaders/elementwise.wgsl';
import functions from '../../shaders/elementwise_functions.wgsl';
import { record } from '../autograd/tape.ts';
import { floatBits } from '../gpu/engine.ts';
import { DTypeError } from '../gpu/errors.ts';
import type { Kernel } from '../gpu/kernel.ts';
import type { DType } from '../tensor/dtype.ts';
import { broadcastShapes, broadcastStrides, type Shape, sameShape, show } from '../tensor/shape.ts';
import { commonEngine, Tensor } from '../tensor/tensor.ts';
import type { ElementwiseOp } from './elementwise-table.ts';
import { sumTo } from './reduce.ts';

export type Operand = Tensor | number;

/** Elements a workgroup: 64 threads with EACH of the shader. */
const WORKGROUP = 64 * 8;
const MOST_RANK = 8;
const kernels = new Map<string, Kernel>();

/** The kernel of one expression over tensors (`f32`, …) and numbers (`number f32`, …). */
function kernelFor(
  name: string,
  names: readonly string[],
  kinds: readonly string[],
  expression: string,
  result: DType,
): Kernel {
  const key = `${name} ${kinds.join(' ')}`;
  let kernel = kernels.get(key);
  if (!kernel) {
    const types = kinds.map((kind) => kind.replace('number ', ''));
    let binding = 0;
    let tensor = 0;
    let scalar = 0;
    const declarations: string[] = [];
    const loads = kinds.map((kind, i) => {
      if (kind.startsWith('number')) {
        const value = `params.scalars[${scalar++}]`;
        return types[i] === 'f32' ? value : `bitcast<${types[i]}>(${value})`;
      }
      declarations.push(`@group(0) @binding(${binding++}) var<storage, read> in_${names[i]}: array<${types[i]}>;`);
      return `in_${names[i]}[broadcast_index(i, ${tensor++}u)]`;
    });
    declarations.push(`@group(0) @binding(${binding++}) var<storage, read_write> output: array<${result}>;`);
    declarations.push(`@group(0) @binding(${binding}) var<uniform> params: Params;`);
    const parameters = names.map((n, i) => `${n}: ${types[i]}`).join(', ');
    const source = [
      ...declarations,
      functions,
      `fn apply(${parameters}) -> ${result} { return ${expression}; }`,
      `fn compute(i: u32) -> ${result} { return apply(${loads.join(', ')}); }`,
      shared,
    ].join('\n');
    kernel = { name: `elementwise.${key}`, source };
    kernels.set(key, kernel);
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

/**
 * Evaluates an expression at every element of `shape`. Not differentiable by itself: the building block of the
 * operations here and of gradients elsewhere.
 * @param numbers dtype of the numbers among the operands; the first tensor's unless said.
 */
export function evaluate(
  name: string,
  operands: Readonly<Record<string, Operand>>,
  expression: string,
  shape: Shape,
  result: DType = 'f32',
  numbers?: DType,
): Tensor {
  const names = Object.keys(operands);
  const values = Object.values(operands);
  const tensors = values.filter((v): v is Tensor => v instanceof Tensor);
  const engine = commonEngine(name, tensors);
  const numberType = numbers ?? tensors[0]?.dtype ?? 'f32';
  const kinds = values.map((v) => (v instanceof Tensor ? v.dtype : `number ${numberType}`));
  const output = Tensor.empty(engine, shape, result, name);
  const flat = tensors.every((t) => sameShape(t.shape, shape));
  const walk = flat
    ? { dims: [], strides: [] }
    : collapse(
        shape,
        tensors.map((t) => broadcastStrides(t.shape, shape)),
      );
  if (walk.dims.length > MOST_RANK) {
    throw new DTypeError({
      where: name,
      message: `broadcasting over ${walk.dims.length} separate dimensions is not supported (at most ${MOST_RANK}).`,
    });
  }
  const scalars = values.filter((v): v is number => typeof v === 'number');
  const groups = Math.ceil(output.size / WORKGROUP);
  const x = Math.min(groups, engine.device.limits.maxComputeWorkgroupsPerDimension);
  const padded = (list: readonly number[], n: number) => Array.from({ length: n }, (_, i) => list[i] ?? 0);
  const params = [
    output.size,
    x,
    0,
    0,
    ...padded(
      scalars.map((s) => (numberType === 'f32' ? floatBits(s) : s >>> 0)),
      4,
    ),
  ];
  if (!flat) {
    params.push(...padded(walk.dims, 8));
    for (const strides of walk.strides) params.push(...padded(strides, 8));
  }
  engine.dispatch({
    kernel: kernelFor(name, names, kinds, expression, result),
    constants: { FLAT: flat, RANK: walk.dims.length },
    buffers: [...tensors.map((t) => t.storage), output.storage],
    params: padded(params, 56),
    workgroups: [x, Math.ceil(groups / x)],
  });
  return output;
}

/** The operands an expression mentions. */
const mentioned = (expression: string, all: Readonly<Record<string, Operand>>): Record<string, Operand> =>
  Object.fromEntries(Object.entries(all).filter(([name]) => new RegExp(`\\b${name}\\b`).test(expression)));

/**
 * Applies an operation of the table.
 * @throws ShapeError when shapes do not broadcast, DTypeError for a dtype it does not take or a mix of dtypes.
 */
export function applyElementwise(name: string, op: ElementwiseOp, values: readonly Operand[]): Tensor {
  const tensors = values.filter((v): v is Tensor => v instanceof Tensor);
  commonEngine(name, tensors);
  const dtype = tensors[0]?.dtype ?? 'f32';
  const allowed = op.dtypes ?? ['f32'];
  if (!allowed.includes(dtype) || tensors.some((t) => t.dtype !== dtype)) {
    const given = tensors.map((t) => `${t.dtype}${show(t.shape)}`).join(', ');
    throw new DTypeError({
      where: name,
      message: `takes operands of one dtype among ${allowed.join(', ')}; was given ${given}.`,
      fix: 'Convert with cast().',
    });
  }
  const shape = broadcastShapes(name, ...tensors.map((t) => t.shape));
  const operands: Record<string, Operand> = {};
  op.operands.forEach((operand, i) => {
    operands[operand] = values[i] as Operand;
  });
  const y = evaluate(name, operands, op.forward, shape, op.result ?? dtype);
  if (dtype !== 'f32' || op.result) return y;
  return record(y, name, tensors, (dy) => {
    const all = { ...operands, y, dy };
    let tensor = 0;
    const gradients: (Tensor | null)[] = [];
    values.forEach((value, i) => {
      if (!(value instanceof Tensor)) return;
      const input = tensors[tensor++] as Tensor;
      const expression = op.gradients[i];
      if (!expression || !input.requiresGrad) gradients.push(null);
      else if (expression === 'dy') gradients.push(sumTo(dy, input.shape));
      else {
        const full = evaluate(`${name}.d${op.operands[i]}`, mentioned(expression, all), expression, shape);
        gradients.push(sumTo(full, input.shape));
      }
    });
    return gradients;
  });
}

/**
 * Elements of `a` where `condition` is not zero, of `b` elsewhere; all broadcast.
 * @param condition u32, as comparisons give it.
 */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  if (condition.dtype !== 'u32') {
    throw new DTypeError({
      where: 'where',
      message: `the condition must be u32 (0 or 1), not ${condition.dtype}.`,
      fix: 'Use a comparison, for example x.greater(0).',
    });
  }
  const tensors = [a, b].filter((v): v is Tensor => v instanceof Tensor);
  const dtype = tensors[0]?.dtype ?? 'f32';
  if (tensors.some((t) => t.dtype !== dtype)) {
    throw new DTypeError({
      where: 'where',
      message: `both choices must have one dtype, not ${tensors.map((t) => t.dtype).join(' and ')}.`,
      fix: 'Convert with cast().',
    });
  }
  commonEngine('where', [condition, ...tensors]);
  const shape = broadcastShapes('where', condition.shape, ...tensors.map((t) => t.shape));
  const y = evaluate('where', { condition, a, b }, 'select(b, a, condition != 0u)', shape, dtype, dtype);
  const choices = [
    [a, 'select(0.0, dy, condition != 0u)'],
    [b, 'select(dy, 0.0, condition != 0u)'],
  ] as const;
  return record(y, 'where', tensors, (dy) =>
    choices.flatMap(([choice, expression], i) => {
      if (!(choice instanceof Tensor)) return [];
      if (!choice.requiresGrad) return [null];
      return [sumTo(evaluate(`where.d${i}`, { condition, dy }, expression, shape), choice.shape)];
    }),
  );
}

/** The same values as another dtype; f32 to integers truncates. No gradient passes through integers. */
export function cast(a: Tensor, dtype: DType): Tensor {
  return a.dtype === dtype ? a : evaluate(`cast_${dtype}`, { a }, `${dtype}(a)`, a.shape, dtype);
}

/** The sum of two gradients of one shape. */
export function addGradients(a: Tensor, b: Tensor): Tensor {
  return evaluate('add', { a, b }, 'a + b', a.shape);
}
