/** Element types. `f16` storage has its place here and comes with the kernels that read it. */
export type DType = 'f32' | 'i32' | 'u32';

export type TypedArray = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

const BYTES: Record<DType, number> = { f32: 4, i32: 4, u32: 4 };

export function bytesPerElement(dtype: DType): number {
  return BYTES[dtype];
}

/** A typed array of the dtype over a buffer, or with `length` zeros. */
export function typedArray(dtype: DType, source: ArrayBuffer | number | ArrayLike<number>): TypedArray {
  const make = { f32: Float32Array, i32: Int32Array, u32: Uint32Array }[dtype];
  return typeof source === 'number'
    ? new make(source)
    : source instanceof ArrayBuffer
      ? new make(source)
      : make.from(source);
}
