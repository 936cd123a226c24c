/**
 * A graph of ONNX operators under construction. Images are known to it in both orders, channels last as here and channels first as ONNX's
 * convolutions want them: what stands between two of these stays in their order, and no transposition is made that nobody asks for.
 */
import type { TypedArray } from '../../tensor/dtype.ts';
import { type Shape, sizeOf } from '../../tensor/shape.ts';
import { permute } from '../torch-layout.ts';
import type { OnnxAttribute, OnnxConstant, OnnxElement, OnnxNode } from './file.ts';

export const TO_FIRST = [0, 3, 1, 2];
export const TO_LAST = [0, 2, 3, 1];

/** Something that is computed: by its names in the graph, one for each order in which it is there. */
export interface Value {
  /** Channels last. */
  readonly shape: Shape;
  /** Comparisons give `bool`. */
  readonly element: 'f32' | 'i32' | 'bool';
  last?: string;
  /** Of images alone. */
  first?: string;
}

/** Numbers that do not change, read back. */
export interface Numbers {
  /** What they are called where they come from; `''` for none. */
  readonly name: string;
  readonly shape: Shape;
  readonly data: TypedArray;
}

/** What an operator may take. */
export type Input = Value | Numbers | number;

export const isValue = (input: Input): input is Value => typeof input === 'object' && 'element' in input;
const isNumbers = (input: Input): input is Numbers => typeof input === 'object' && 'data' in input;

const ownElement = (input: Value | Numbers): Value['element'] =>
  isValue(input) ? input.element : input.data instanceof Float32Array ? 'f32' : 'i32';

/** Of inputs of one type: numbers take that of the others. */
export const elementOf = (inputs: readonly Input[]): Value['element'] => {
  const typed = inputs.find((input) => typeof input !== 'number');
  return typed === undefined ? 'f32' : ownElement(typed);
};

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

const SCALARS: Readonly<Record<Value['element'], (value: number) => ArrayBufferView>> = {
  f32: (value) => Float32Array.of(value),
  i32: (value) => Int32Array.of(value),
  bool: (value) => Uint8Array.of(value === 0 ? 0 : 1),
};

export class Graph {
  nodes: OnnxNode[] = [];
  readonly constants: OnnxConstant[] = [];
  private readonly byKey = new Map<string, string>();
  private readonly taken = new Set<string>();
  /** The layer that nodes are named after. */
  layer = '';

  /** A name that nothing else in the graph has. */
  unique(wanted: string): string {
    let name = wanted;
    for (let i = 1; this.taken.has(name); i++) name = `${wanted}_${i}`;
    this.taken.add(name);
    return name;
  }

  /** Calls an operator. @param output a name that is taken for it already. @returns the name of its output. */
  call(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    output?: string,
  ): string {
    const name = this.unique(`${this.layer && `${this.layer}/`}${operator}`);
    const node = { operator, name, inputs, output: output ?? this.unique(`${name}.out`), attributes };
    this.nodes.push(node);
    return node.output;
  }

  /** Gives what a node makes the name of an output of the graph, which is taken for it already. */
  output(name: string, wanted: string): void {
    if (!this.nodes.some(({ output }) => output === name)) {
      this.call('Identity', [name], {}, wanted);
      return;
    }
    this.nodes = this.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map((input) => (input === name ? wanted : input)),
      output: node.output === name ? wanted : node.output,
    }));
  }

  /** A constant, made once for each key. */
  private constant(key: string, wanted: string, make: () => Omit<OnnxConstant, 'name'>): string {
    const known = this.byKey.get(key);
    if (known !== undefined) return known;
    const name = this.unique(wanted);
    this.byKey.set(key, name);
    this.constants.push({ name, ...make() });
    return name;
  }

  /** One number, where operators want all inputs of one type. */
  scalar(value: number, element: Value['element'] = 'f32'): string {
    return this.constant(`${element} ${value}`, `number ${value}`, () => ({
      element,
      shape: [],
      data: bytesOf(SCALARS[element](value)),
    }));
  }

  /** A list of whole numbers, where operators take one as an input. */
  integers(values: readonly number[]): string {
    return this.constant(`i64 ${values.join()}`, `integers ${values.join(' ')}`, () => ({
      element: 'i64',
      shape: [values.length],
      data: bytesOf(BigInt64Array.from(values, BigInt)),
    }));
  }

  words(name: string, values: readonly string[]): string {
    return this.constant(`words ${name}`, name, () => ({ element: 'string', shape: [values.length], data: values }));
  }

  /** Numbers as they are, or with their axes in another order and in another shape. */
  numbers(
    { name, shape, data }: Numbers,
    { order, as, condition = false }: { order?: readonly number[]; as?: Shape; condition?: boolean } = {},
  ): string {
    const wanted = name === '' ? 'constant' : name;
    const element: OnnxElement = condition ? 'bool' : ownElement({ name, shape, data });
    // Anonymous ones are told apart by the array that holds them.
    const key = `${name === '' ? this.identity(data) : name} ${shape.join()} ${order?.join()} ${as?.join()} ${condition}`;
    return this.constant(key, wanted, () => {
      const moved = order ? permute(data, as ?? shape, order) : { shape: as ?? shape, data };
      const own = condition ? Uint8Array.from(moved.data, (x) => (x === 0 ? 0 : 1)) : bytesOf(moved.data);
      return { element, shape: moved.shape, data: own };
    });
  }

  private readonly arrays = new Map<object, number>();
  private identity(data: object): number {
    const known = this.arrays.get(data) ?? this.arrays.size;
    this.arrays.set(data, known);
    return known;
  }

  /** Of what is computed: its name, channels last. */
  last(value: Value): string {
    value.last ??= this.call('Transpose', [value.first as string], { perm: TO_LAST });
    return value.last;
  }

  /** Of images: their name, channels first. */
  first(value: Value): string {
    value.first ??= this.call('Transpose', [value.last as string], { perm: TO_FIRST });
    return value.first;
  }

  /** What an operator takes that knows nothing of channels. @param element of a number; `bool` asks it of a constant too. */
  operand(input: Input, element: Value['element'] = 'f32'): string {
    if (typeof input === 'number') return this.scalar(input, element);
    if (isNumbers(input)) return this.numbers(input, { condition: element === 'bool' });
    return this.last(input);
  }

  /** The same in an operator over images that are channels first: other inputs broadcast against these. */
  private operandFirst(input: Input, element: Value['element']): string {
    if (typeof input === 'number') return this.scalar(input, element);
    if (!isNumbers(input)) return this.first(input);
    const condition = element === 'bool';
    if (input.data.length === 1) return this.numbers(input, { as: [], condition });
    const as = [...new Array<number>(4 - input.shape.length).fill(1), ...input.shape];
    return this.numbers(input, { order: TO_FIRST, as, condition });
  }

  /**
   * An operator that handles elements one by one, in the order in which images are there.
   * @param build from the inputs' names to the output's.
   * @param conditions which inputs must be booleans.
   * @param element of the output; that of the other inputs by default.
   */
  elementwise(
    inputs: readonly Input[],
    shape: Shape,
    build: (names: readonly string[]) => string,
    { conditions = [], element }: { conditions?: readonly number[]; element?: Value['element'] } = {},
  ): Value {
    const common = elementOf(inputs.filter((_, i) => !conditions.includes(i)));
    const values = inputs.filter(isValue);
    const inFirst = values.some(({ first, last }) => first !== undefined && last === undefined);
    const fits = values.every(({ shape }) => shape.length === 4);
    const isFirst = shape.length === 4 && inFirst && fits;
    const names = inputs.map((input, i) => {
      const own = conditions.includes(i) ? 'bool' : common;
      return isFirst ? this.operandFirst(input, own) : this.operand(input, own);
    });
    const name = build(names);
    return { shape, element: element ?? common, ...(isFirst ? { first: name } : { last: name }) };
  }

  /** The same elements in another shape; how many samples there are stays open. */
  reshaped(value: Value, shape: Shape): Value {
    if (value.shape.join() === shape.join()) return value;
    if (
      sizeOf(value.shape.slice(1, 3)) === 1 &&
      value.shape.length === 4 &&
      value.first !== undefined &&
      shape.length === 2
    ) {
      // Pooled: one pixel is the same in both orders.
      return { shape, element: value.element, last: this.call('Flatten', [value.first], { axis: 1 }) };
    }
    const target = shape.length === 0 ? [] : [-1, ...shape.slice(1)];
    const last = this.call('Reshape', [this.last(value), this.integers(target)]);
    return { shape, element: value.element, last };
  }
}
