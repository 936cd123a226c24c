/** The WGSL of an elementwise kernel: its operands, its parameters and its expression, around the walk that all share. */
import broadcast from '../../../shaders/elementwise/broadcast.wgsl';
import walk from '../../../shaders/elementwise/elementwise.wgsl';
import functions from '../../../shaders/elementwise/functions.wgsl';
import type { EntryText, WgslFile } from '../../gpu/wgsl/file.ts';
import { type DType, isFloat } from '../../tensor/dtype.ts';
import { MOST_RANK } from '../../tensor/shape.ts';

/** What a dtype is computed in. */
export const computed = (dtype: DType): DType => (isFloat(dtype) ? 'f32' : dtype);

export interface OperandKind {
  /** What the expression calls it. */
  readonly name: string;
  readonly dtype: DType;
  /** Whether it is one number, which is then a parameter of its own name, or a tensor. */
  readonly isNumber: boolean;
}

export interface ElementwiseKind {
  readonly operands: readonly OperandKind[];
  readonly expression: string;
  readonly result: DType;
  /** Whether every tensor has the output's shape; if not, `dims` and `strides` are parameters too. */
  readonly isFlat: boolean;
}

/** The file called `name` that evaluates the expression. Its parameters are `size`, `row` (workgroups along x) and the numbers. */
export function elementwiseSource(name: string, { operands, expression, result, isFlat }: ElementwiseKind): WgslFile {
  const numbers = operands.filter(({ isNumber }) => isNumber);
  const tensors = operands.filter(({ isNumber }) => !isNumber);
  const members = ['size: u32', 'row: u32', ...numbers.map((operand) => `${operand.name}: ${operand.dtype}`)];
  if (!isFlat) {
    const vectors = MOST_RANK / 4;
    members.push(`dims: array<vec4<u32>, ${vectors}>`, `strides: array<vec4<u32>, ${vectors * tensors.length}>`);
  }
  const buffers = tensors.map(
    (operand, i) => `@group(0) @binding(${i}) var<storage, read> in_${operand.name}: array<${operand.dtype}>;`,
  );
  const loads = operands.map((operand) => {
    if (operand.isNumber) return `params.${operand.name}`;
    const element = `in_${operand.name}[${isFlat ? 'i' : `broadcast_index(i, ${tensors.indexOf(operand)}u)`}]`;
    return operand.dtype === 'f16' ? `f32(${element})` : element;
  });
  const parameters = operands.map((operand) => `${operand.name}: ${computed(operand.dtype)}`).join(', ');
  const value = `apply(${loads.join(', ')})`;
  const half = result === 'f16' || operands.some(({ dtype }) => dtype === 'f16');
  const text = [
    ...(half ? ['enable f16;'] : []),
    `struct Params { ${members.join(', ')} }`,
    ...buffers,
    `@group(0) @binding(${tensors.length}) var<storage, read_write> output: array<${result}>;`,
    `@group(0) @binding(${tensors.length + 1}) var<uniform> params: Params;`,
    `fn apply(${parameters}) -> ${computed(result)} { return ${expression}; }`,
    `fn compute(i: u32) -> ${result} { return ${result === 'f16' ? `f16(${value})` : value}; }`,
  ].join('\n');
  const bindings = `${tensors.map((_, i) => `${i}r`).join('')}${tensors.length}w${tensors.length + 1}u`;
  const main: EntryText = [bindings, layoutText(numbers, tensors, isFlat)];
  return { name, text, imports: isFlat ? [functions, walk] : [functions, broadcast, walk], entries: { main } };
}

/** What a parser would read off `Params`. */
function layoutText(numbers: readonly OperandKind[], tensors: readonly OperandKind[], isFlat: boolean): string {
  const single = ['size:u32', 'row:u32', ...numbers.map(({ name, dtype }) => `${name}:${dtype}`)];
  if (isFlat) return single.join(' ');
  const vectors = MOST_RANK / 4;
  const dims = 4 * Math.ceil(single.length / 4);
  const strides = `array<vec4<u32>,${vectors * tensors.length}>=u32*${MOST_RANK * tensors.length}@${dims + MOST_RANK}`;
  return [...single, `dims:array<vec4<u32>,${vectors}>=u32*${MOST_RANK}@${dims}`, `strides:${strides}`].join(' ');
}
