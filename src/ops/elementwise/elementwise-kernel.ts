/**
 * Evaluates one expression at every element of a shape, with NumPy broadcasting: what the elementwise operations and many
 * gradients are made of. Numbers among the operands travel in the uniform, so `x.mul(3)` needs no upload. What is stored as
 * f16 is computed in f32.
 */
import shared from '../../../shaders/elementwise/elementwise.wgsl';
import functions from '../../../shaders/elementwise/functions.wgsl';
import { ShapeError } from '../../errors.ts';
import type { Kernel } from '../../gpu/wgsl/kernel.ts';
import { type DType, isFloat } from '../../tensor/dtype.ts';
import { floatBits } from '../../tensor/float-bits.ts';
import { broadcastStrides, type Shape, sameShape } from '../../tensor/shape.ts';
import { commonEngine, Tensor } from '../../tensor/tensor.ts';

export type Operand = Tensor | number;

/** Elements a workgroup: 64 threads with EACH of the shader. */
const WORKGROUP = 64 * 8;
const MOST_RANK = 8;
const kernels = new Map<string, Kernel>();

/** What a dtype is computed in. */
const computed = (dtype: DType): DType => (isFloat(dtype) ? 'f32' : dtype);

/** The kernel of one expression over tensors (`f32`, …) and numbers (`number f32`, …). */
function kernelFor(
  name: string,
  names: readonly string[],
  kinds: readonly string[],
  expression: string,
  result: DType,
): Kernel {
  const key = `${name} ${kinds.join(' ')}${result === 'f16' ? ' to f16' : ''}`;
  let kernel = kernels.get(key);
  if (!kernel) {
    const stored = kinds.map((kind) => kind.replace('number ', '') as DType);
    const types = stored.map(computed);
    let binding = 0;
    let tensor = 0;
    let scalar = 0;
    const declarations: string[] = [];
    const loads = kinds.map((kind, i) => {
      if (kind.startsWith('number')) {
        const value = `params.scalars[${scalar++}]`;
        return types[i] === 'f32' ? value : `bitcast<${types[i]}>(${value})`;
      }
      declarations.push(`@group(0) @binding(${binding++}) var<storage, read> in_${names[i]}: array<${stored[i]}>;`);
      const element = `in_${names[i]}[broadcast_index(i, ${tensor++}u)]`;
      return stored[i] === 'f16' ? `f32(${element})` : element;
    });
    declarations.push(`@group(0) @binding(${binding++}) var<storage, read_write> output: array<${result}>;`);
    declarations.push(`@group(0) @binding(${binding}) var<uniform> params: Params;`);
    const parameters = names.map((n, i) => `${n}: ${types[i]}`).join(', ');
    const value = `apply(${loads.join(', ')})`;
    const text = [
      ...(stored.includes('f16') || result === 'f16' ? ['enable f16;'] : []),
      ...declarations,
      `fn apply(${parameters}) -> ${computed(result)} { return ${expression}; }`,
      `fn compute(i: u32) -> ${result} { return ${result === 'f16' ? `f16(${value})` : value}; }`,
    ].join('\n');
    const label = `elementwise.${key}`;
    kernel = { name: label, source: { name: label, text, imports: [functions, shared] } };
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
export function launchElementwise(
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
  const numberType = computed(numbers ?? tensors[0]?.dtype ?? 'f32');
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
    throw new ShapeError({
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

/** The sum of two gradients of one shape and dtype. */
export function addGradients(a: Tensor, b: Tensor): Tensor {
  return launchElementwise('add', { a, b }, 'a + b', a.shape, a.dtype);
}

/** The same values as another dtype, not differentiable; itself if it is of that dtype. */
export function convert(a: Tensor, dtype: DType): Tensor {
  return a.dtype === dtype ? a : launchElementwise(`cast_${dtype}`, { a }, `${computed(dtype)}(a)`, a.shape, dtype);
}
