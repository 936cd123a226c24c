/** One reference file: its arguments and tensors, brought into the engine's layouts, and what was compared with it. */
import type { Engine, Tensor } from '../../src/index.ts';
import { asFloat32, asInt32, readSafetensors, type SafetensorsEntry } from '../../src/nn/safetensors.ts';
import { permute } from '../../src/nn/torch-layout.ts';
import { compareNumbers } from '../../src/tensor/relative-error.ts';
import { sameShape, show } from '../../src/tensor/shape.ts';

/** Axis orders of a file's tensors that differ from ours: images [n, c, …], convolution and linear weights. */
export type Layout = 'images' | 'conv' | 'linear' | 'same';

/** Ours to PyTorch's, for each kind of tensor: axis i there is axis `order[i]` here. */
function torchOrder(layout: Layout, rank: number): readonly number[] | null {
  if (layout === 'images' && rank > 2) return [0, rank - 1, ...Array.from({ length: rank - 2 }, (_, i) => i + 1)];
  if (layout === 'conv') return rank === 3 ? [2, 1, 0] : [3, 2, 0, 1];
  if (layout === 'linear') return [1, 0];
  return null;
}

/** An element that is off. */
export interface Mismatch {
  /** Its place, in the file's own order of axes. */
  readonly index: readonly number[];
  readonly got: number;
  readonly expected: number;
}

export interface Comparison {
  readonly tensor: string;
  readonly error: number;
  readonly tolerance: number;
  /** Where the tolerance is not kept: the elements that are furthest off, the furthest first. */
  readonly furthest?: readonly Mismatch[];
}

/** Elements that are told of a tensor that is off. */
const MOST_TOLD = 8;

function furthestOff(actual: ArrayLike<number>, expected: ArrayLike<number>, shape: readonly number[]): Mismatch[] {
  const places = Array.from({ length: expected.length }, (_, i) => i);
  const off = places.map((i) => {
    const [got, wanted] = [actual[i] as number, expected[i] as number];
    const distance = Object.is(got, wanted) ? 0 : Math.abs(got - wanted);
    // What is not a number in one of them is further off than anything.
    return Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance;
  });
  return places
    .filter((i) => (off[i] as number) > 0)
    .sort((a, b) => (off[b] === off[a] ? a - b : (off[b] as number) - (off[a] as number)))
    .slice(0, MOST_TOLD)
    .map((i) => ({ index: indexOf(i, shape), got: actual[i] as number, expected: expected[i] as number }));
}

function indexOf(place: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  let left = place;
  for (const size of [...shape].reverse()) {
    index.unshift(left % size);
    left = Math.floor(left / size);
  }
  return index;
}

export class GoldenCase {
  /** Name of the operation. */
  readonly operation: string;
  readonly comparisons: Comparison[] = [];
  private readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
  private readonly args: Readonly<Record<string, unknown>>;
  private readonly layout: string;

  /** @throws {CheckpointError} for a damaged file, Error for one without `case` or with unreadable `args`. */
  constructor(
    readonly engine: Engine,
    bytes: Uint8Array,
    file: string,
  ) {
    const { tensors, metadata } = readSafetensors(bytes, file);
    if (!metadata.case) throw new Error('__metadata__ names no case');
    this.operation = metadata.case;
    this.layout = metadata.layout ?? '';
    this.tensors = tensors;
    const args: unknown = JSON.parse(metadata.args || '{}');
    if (typeof args !== 'object' || args === null) throw new Error('args in __metadata__ is not a JSON object');
    this.args = args as Record<string, unknown>;
  }

  get names(): string[] {
    return [...this.tensors.keys()];
  }

  has(name: string): boolean {
    return this.tensors.has(name);
  }

  /**
   * Shape in the file.
   * @throws {Error} when it is missing.
   */
  shape(name: string): readonly number[] {
    return this.entry(name).shape;
  }

  /**
   * Numbers as they lie in the file.
   * @throws {Error} when they are missing.
   */
  numbers(name: string): ArrayLike<number> {
    const { data } = this.entry(name);
    return data instanceof BigInt64Array ? Array.from(data, Number) : data;
  }

  /**
   * The tensor on the device, f32, in our layout.
   * @throws {Error} when it is missing.
   */
  tensor(name: string, layout: Layout = 'same'): Tensor {
    const entry = this.entry(name);
    const order = this.order(layout, entry.shape.length);
    if (!order) return this.engine.tensor(asFloat32(entry), entry.shape);
    const back = order.map((_, i) => order.indexOf(i));
    const { data, shape } = permute(asFloat32(entry), entry.shape, back);
    return this.engine.tensor(data, shape);
  }

  /** As {@link tensor}, ready to take a gradient. */
  leaf(name: string, layout: Layout = 'same'): Tensor {
    const tensor = this.tensor(name, layout);
    tensor.requiresGrad = true;
    return tensor;
  }

  /**
   * The tensor on the device, i32.
   * @throws {Error} when it is missing.
   */
  integers(name: string): Tensor {
    const entry = this.entry(name);
    return this.engine.tensor(asInt32(entry), entry.shape);
  }

  /** @throws {Error} when the argument is not a number. */
  number(name: string, otherwise?: number): number {
    const value = this.args[name] ?? otherwise;
    if (typeof value === 'number') return value;
    throw new Error(`argument ${name} is ${JSON.stringify(value)}; a number was expected`);
  }

  /** @throws {Error} when the argument is not a list of numbers. */
  list(name: string): number[] {
    const value = this.args[name];
    if (Array.isArray(value) && value.every((n) => typeof n === 'number')) return value;
    throw new Error(`argument ${name} is ${JSON.stringify(value)}; a list of numbers was expected`);
  }

  /** The arguments but these. */
  argumentsBut(...names: string[]): Record<string, unknown> {
    return Object.fromEntries(Object.entries(this.args).filter(([name]) => !names.includes(name)));
  }

  flag(name: string, otherwise: boolean): boolean {
    return Boolean(this.args[name] ?? otherwise);
  }

  text(name: string, otherwise: string): string {
    return String(this.args[name] ?? otherwise);
  }

  /**
   * A number, or one a direction.
   * @throws {Error} for anything else.
   */
  pair(name: string, otherwise?: readonly [number, number]): readonly [number, number] {
    const value = this.args[name] ?? otherwise;
    if (typeof value === 'number') return [value, value];
    const list = Array.isArray(value) && value.every((n) => typeof n === 'number') ? (value as number[]) : [];
    const [first, second = first] = list;
    if (first !== undefined && second !== undefined && list.length <= 2) return [first, second];
    throw new Error(`argument ${name} is ${JSON.stringify(value)}; a number or two were expected`);
  }

  /** @throws {Error} when the argument is there and means more than `value`, all that is supported. */
  only(name: string, value: number | boolean): void {
    const given = this.args[name] ?? value;
    const all = Array.isArray(given) ? given : [given];
    if (all.some((one) => one !== value)) {
      throw new Error(`argument ${name} is ${JSON.stringify(given)}; only ${value} is supported`);
    }
  }

  /**
   * Compares a result with the reference of that name, if the file has one.
   * @throws {Error} when it is missing or has another shape.
   */
  async compare(name: string, actual: Tensor | null, tolerance: number, layout: Layout = 'same'): Promise<void> {
    if (!this.tensors.has(name)) return;
    if (!actual) throw new Error(`${name} was not computed`);
    const order = this.order(layout, actual.rank);
    const data = (await actual.data()) as Float32Array<ArrayBuffer>;
    const ours = order ? permute(data, actual.shape, order) : { data, shape: actual.shape };
    const expected = this.entry(name).shape;
    const scalar = actual.size === 1 && expected.every((n) => n === 1);
    if (!scalar && !sameShape(ours.shape, expected)) {
      throw new Error(`${name} has shape ${show(ours.shape)}; the reference ${show(expected)}`);
    }
    this.compareNumbers(name, ours.data, tolerance);
  }

  /**
   * Compares numbers in the file's own order.
   * @throws {Error} when their count differs.
   */
  compareNumbers(name: string, actual: ArrayLike<number>, tolerance: number): void {
    const expected = this.numbers(name);
    if (actual.length !== expected.length) {
      throw new Error(`${name} has ${actual.length} elements; the reference ${expected.length}`);
    }
    const { error } = compareNumbers(actual, expected);
    const isMet = error <= tolerance;
    const furthest = isMet ? {} : { furthest: furthestOff(actual, expected, this.shape(name)) };
    this.comparisons.push({ tensor: name, error, tolerance, ...furthest });
  }

  private order(layout: Layout, rank: number): readonly number[] | null {
    const ours = (layout === 'images' && /NHWC/.test(this.layout)) || (layout === 'conv' && /HWIO/.test(this.layout));
    return ours ? null : torchOrder(layout, rank);
  }

  private entry(name: string): SafetensorsEntry {
    const entry = this.tensors.get(name);
    if (!entry) throw new Error(`the file has no tensor ${name}`);
    return entry;
  }
}
