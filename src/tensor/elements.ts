/** Numbers from JavaScript as the elements of a tensor: what holds them exactly, or rounded as asked, and what is refused. */

import { DTypeError, ShapeError } from '../errors.ts';
import { type DType, isFloat, type TypedArray, toStored, typedArray } from './dtype.ts';
import { floatBits, halfBits } from './float-bits.ts';
import { type Shape, show, sizeOf, stridesOf } from './shape.ts';

/** Rows of rows of numbers; a scalar is the number itself. */
export type NestedArray = number | readonly NestedArray[];

/** Any typed array of numbers: not of bigints, and no DataView. */
export type NumberArray = ArrayBufferView & ArrayLike<number>;

/** What `engine.tensor` takes: a number, nested arrays, or a typed array with a shape. */
export type TensorData = NestedArray | NumberArray;

/** The dtype that a typed array has unless another is asked for, by the name of its class: one that holds it whole, but for float64. */
const DEFAULTS: Readonly<Record<string, DType>> = {
  Float32Array: 'f32',
  Float64Array: 'f32',
  Float16Array: 'f32',
  Int8Array: 'f32',
  Uint8Array: 'f32',
  Uint8ClampedArray: 'f32',
  Int16Array: 'f32',
  Uint16Array: 'f32',
  Int32Array: 'i32',
  Uint32Array: 'u32',
};

/** Classes whose every number an integer dtype holds. */
const WITHIN: Readonly<Record<'i32' | 'u32', readonly string[]>> = {
  i32: ['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array'],
  u32: ['Uint8Array', 'Uint8ClampedArray', 'Uint16Array', 'Uint32Array'],
};

/** The class of each dtype's own elements. */
const OWN: Readonly<Record<DType, string>> = {
  f32: 'Float32Array',
  f16: 'Float32Array',
  i32: 'Int32Array',
  u32: 'Uint32Array',
};

const RANGES = { i32: [-(2 ** 31), 2 ** 31 - 1], u32: [0, 2 ** 32 - 1] } as const;

/** Arrays that are nested deeper hold themselves. */
const MOST_NESTED = 64;

/** `Float32Array` and so on, of whichever realm; empty for what is not a typed array. */
const classOf = (data: unknown): string =>
  ArrayBuffer.isView(data) ? ((data as { readonly [Symbol.toStringTag]?: string })[Symbol.toStringTag] ?? '') : '';

export const isNumberArray = (data: unknown): data is NumberArray => classOf(data) in DEFAULTS;

/** @throws {DTypeError} for what is neither a number, nor an array, nor a typed array of numbers. */
export function dtypeOf(data: TensorData): DType {
  const given: unknown = data;
  if (typeof given === 'number' || Array.isArray(given)) return 'f32';
  if (isNumberArray(given)) return DEFAULTS[classOf(given)] as DType;
  throw new DTypeError({
    where: 'tensor',
    message: `takes a number, nested arrays of numbers or a typed array of numbers, not ${described(given)}.`,
    fix: 'Convert to numbers first, for example with Float32Array.from(values, Number).',
  });
}

/**
 * The shape of nested arrays, by their first rows.
 * @throws {ShapeError} when they are nested too deep, as those that hold themselves.
 */
export function shapeOf(data: TensorData): number[] {
  const shape: number[] = [];
  for (let level: unknown = data; Array.isArray(level) || isNumberArray(level); level = level[0]) {
    shape.push(level.length);
    if (shape.length > MOST_NESTED) {
      throw new ShapeError({ where: 'tensor', message: `arrays are nested more than ${MOST_NESTED} deep.` });
    }
  }
  return shape;
}

/**
 * The elements as a buffer holds them: the data's own memory where that will do, else a copy. Floats round to nearest, and
 * beyond the dtype's range become infinite.
 * @param shape of nested arrays.
 * @throws {DTypeError} for what is not a number, or one that an integer dtype cannot hold.
 * @throws {ShapeError} when the arrays are ragged.
 */
export function storedElements(data: TensorData, dtype: DType, shape: Shape): ArrayBufferView<ArrayBuffer> {
  const values = isNumberArray(data) ? fromTyped(data, dtype) : flatten(data, shape, dtype);
  return toStored(dtype, values);
}

function fromTyped(data: NumberArray, dtype: DType): TypedArray {
  const name = classOf(data);
  if (!isFloat(dtype) && !WITHIN[dtype].includes(name)) {
    for (let i = 0; i < data.length; i++)
      if (!fits(data[i], dtype)) throw refusal('tensor', data[i], dtype, ` at ${i}`);
  }
  return name === OWN[dtype] && isPlain(data.buffer) ? (data as TypedArray) : typedArray(dtype, data);
}

/** Memory that WebGPU takes uploads from; shared memory could change meanwhile, and a resizable buffer shrink. */
const isPlain = (buffer: ArrayBufferLike & { readonly resizable?: boolean }): boolean =>
  buffer instanceof ArrayBuffer && !buffer.resizable;

function flatten(data: NestedArray, shape: Shape, dtype: DType): TypedArray {
  const out = typedArray(dtype, sizeOf(shape));
  let next = 0;
  const walk = (part: unknown, axis: number): void => {
    if (fits(part, dtype)) {
      if (axis !== shape.length) throw ragged(shape);
      out[next++] = part;
    } else if (Array.isArray(part) || isNumberArray(part)) {
      if (part.length !== shape[axis]) throw ragged(shape);
      for (let i = 0; i < part.length; i++) walk(part[i], axis + 1);
    } else {
      throw refusal('tensor', part, dtype, shape.length === 0 ? '' : ` at ${show(placeOf(next, shape))}`);
    }
  };
  walk(data, 0);
  return out;
}

const ragged = (shape: Shape) =>
  new ShapeError({
    where: 'tensor',
    message: `nested arrays must be regular; by the first rows the shape is ${show(shape)}, and others differ.`,
  });

/** Where element number `at` of a row-major array stands. */
const placeOf = (at: number, shape: Shape): number[] =>
  stridesOf(shape).map((stride, axis) => Math.floor(at / stride) % (shape[axis] as number));

function fits(element: unknown, dtype: DType): element is number {
  if (typeof element !== 'number') return false;
  if (isFloat(dtype)) return true;
  const [least, most] = RANGES[dtype];
  return Number.isInteger(element) && element >= least && element <= most;
}

function refusal(where: string, element: unknown, dtype: DType, place = ''): DTypeError {
  if (typeof element !== 'number' || isFloat(dtype)) {
    return new DTypeError({
      where,
      message: `the element${place} is ${described(element)}, not a number.`,
      fix: 'Convert it with Number() first.',
    });
  }
  const [least, most] = RANGES[dtype];
  return new DTypeError({
    where,
    message: `the element${place} is ${element}, but ${dtype} holds whole numbers from ${least} to ${most}.`,
    fix: 'Round and limit the numbers first, or use f32.',
  });
}

/** For people: what was given instead of a number. */
function described(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (typeof value !== 'object') return `a ${typeof value}`;
  return `an object of class ${Object.getPrototypeOf(value)?.constructor?.name ?? 'null'}`;
}

/** @throws {DTypeError} unless it is a number that the dtype holds. */
export function checkNumber(where: string, value: unknown, dtype: DType): void {
  if (!fits(value, dtype)) throw refusal(where, value, dtype);
}

/**
 * The word that fills a buffer with one value: its bits, twice for f16.
 * @throws {DTypeError} for what the dtype cannot hold.
 */
export function fillWord(where: string, value: number, dtype: DType): number {
  checkNumber(where, value, dtype);
  if (dtype === 'f32') return floatBits(value);
  return dtype === 'f16' ? (halfBits(value) * 0x10001) >>> 0 : value >>> 0;
}
