/** Element types, and how their elements lie in buffers and in JavaScript. */

import { DTypeError } from '../errors.ts';
import type { Runtime } from '../gpu/runtime.ts';
import { fromHalfBits, halfBits } from './float-bits.ts';

/** `f16` is storage: kernels compute and add up in f32. It needs a device with `shader-f16`. */
export type DType = 'f32' | 'f16' | 'i32' | 'u32';
/** The dtypes that gradients pass through. */
export type FloatType = 'f32' | 'f16';

/** What a tensor is read as: f32 and f16 as a Float32Array, integers as arrays of their own kind. */
export type TypedArray = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** In JavaScript f16 elements are f32 numbers. */
const ARRAYS = { f32: Float32Array, f16: Float32Array, i32: Int32Array, u32: Uint32Array } as const;

/** Bytes of so many elements in a buffer, in whole words. */
export const bytesOf = (dtype: DType, size: number): number => (dtype === 'f16' ? Math.ceil(size / 2) : size) * 4;

/** Whether gradients pass through the dtype. */
export const isFloat = (dtype: DType): dtype is FloatType => dtype === 'f32' || dtype === 'f16';

/** Whether tensors of the engine may be f16: its device was made with the feature `shader-f16`. */
export const supportsF16 = (engine: Runtime): boolean => engine.device.features.has('shader-f16');

/** @throws {DTypeError} for what is not a dtype, or one that the engine's device has no tensors of. */
export function checkSupported(engine: Runtime, dtype: DType, where: string): void {
  if (!Object.hasOwn(ARRAYS, dtype)) {
    throw new DTypeError({
      where,
      message: `unknown dtype ${String(dtype)}: there are ${Object.keys(ARRAYS).join(', ')}.`,
    });
  }
  if (dtype !== 'f16' || supportsF16(engine)) return;
  throw new DTypeError({
    where,
    message: `f16 tensors need the feature shader-f16, which the device ${engine.adapterDescription} was made without.`,
    fix: 'Use f32 where supportsF16(engine) is false.',
  });
}

/** What {@link commonFloat} needs of a tensor. */
interface Typed {
  readonly dtype: DType;
  assertLive(where: string): void;
}

/**
 * The one dtype of all of these. Operations ask for it before they make anything: what is refused leaves nothing behind.
 * @throws {FreedTensorError} when one was freed.
 * @throws {DTypeError} unless all are f32, or all f16.
 */
export function commonFloat(where: string, tensors: readonly Typed[]): FloatType {
  // JavaScript gives what is no tensor: its dtype is told then.
  for (const tensor of tensors as readonly Partial<Typed>[]) tensor?.assertLive?.(where);
  const dtypes = tensors.map((tensor) => tensor?.dtype);
  const [first = 'f32'] = dtypes;
  if (isFloat(first) && dtypes.every((dtype) => dtype === first)) return first;
  throw new DTypeError({
    where,
    message: `takes f32 or f16, the same for all operands; was given ${dtypes.join(', ')}.`,
    fix: "Use x.cast('f32').",
  });
}

/** A typed array of the dtype over numbers, or with `length` zeros. */
export function typedArray(dtype: DType, source: number | ArrayLike<number>): TypedArray {
  const make = ARRAYS[dtype];
  return typeof source === 'number' ? new make(source) : make.from(source);
}

/** Elements as a buffer holds them. */
export function toStored(dtype: DType, values: TypedArray): TypedArray | Uint16Array<ArrayBuffer> {
  if (dtype !== 'f16') return values;
  const halves = new Uint16Array(bytesOf(dtype, values.length) / 2);
  for (let i = 0; i < values.length; i++) halves[i] = halfBits(values[i] as number);
  return halves;
}

/** The first `size` elements of what a buffer holds. */
export function fromStored(dtype: DType, bytes: ArrayBuffer, size: number): TypedArray {
  if (dtype !== 'f16') return new ARRAYS[dtype](bytes, 0, size);
  const halves = new Uint16Array(bytes, 0, size);
  return Float32Array.from(halves, fromHalfBits);
}
