/** Making tensors from numbers; also installed as methods of the engine. */
import { Engine } from '../gpu/engine.ts';
import { ShapeError } from '../gpu/errors.ts';
import { type DType, type TypedArray, toStored, typedArray } from './dtype.ts';
import { checkShape, type Shape, show, sizeOf } from './shape.ts';
import { type NestedArray, Tensor } from './tensor.ts';

/** What {@link Engine.tensor} takes: a number, nested arrays, or a typed array with a shape. */
export type TensorData = NestedArray | TypedArray;

function shapeOf(data: NestedArray): number[] {
  const shape: number[] = [];
  for (let level: NestedArray | undefined = data; typeof level === 'object'; level = level[0]) shape.push(level.length);
  return shape;
}

function flatten(data: NestedArray, shape: Shape, axis: number, out: number[]): number[] {
  if (typeof data === 'number') {
    if (axis !== shape.length) throw ragged(shape);
    out.push(data);
  } else {
    if (data.length !== shape[axis]) throw ragged(shape);
    for (const row of data) flatten(row, shape, axis + 1, out);
  }
  return out;
}

const ragged = (shape: Shape) =>
  new ShapeError({
    where: 'tensor',
    message: `nested arrays must be regular; the first rows say ${show(shape)}, others differ.`,
  });

function dtypeOf(data: TensorData): DType {
  return data instanceof Int32Array ? 'i32' : data instanceof Uint32Array ? 'u32' : 'f32';
}

declare module '../gpu/engine.ts' {
  interface Engine {
    /**
     * A tensor from a number, nested arrays or a typed array. Typed arrays are flat and take their shape from `shape`
     * (one dimension unless said) and their dtype from their class, unless `dtype` says another; f16 rounds to nearest.
     * @throws ShapeError when the element count does not fit the shape, or nested arrays are ragged; DTypeError for f16
     * on a device without it.
     */
    tensor(data: TensorData, shape?: Shape, dtype?: DType): Tensor;
    /** A tensor filled with one value. */
    full(shape: Shape, value: number, dtype?: DType): Tensor;
    zeros(shape: Shape, dtype?: DType): Tensor;
    ones(shape: Shape, dtype?: DType): Tensor;
    /** `[0, 1, …, n − 1]`. */
    arange(n: number, dtype?: DType): Tensor;
  }
}

Engine.prototype.tensor = function (data, shape, dtype) {
  const type = dtype ?? dtypeOf(data);
  const nested = ArrayBuffer.isView(data) ? null : shapeOf(data);
  const target = shape ?? nested ?? [(data as TypedArray).length];
  checkShape(target, 'tensor');
  const flat = nested ? flatten(data as NestedArray, nested, 0, []) : (data as TypedArray);
  if (flat.length !== sizeOf(target)) {
    throw new ShapeError({
      where: 'tensor',
      message: `${flat.length} elements do not fill the shape ${show(target)} (${sizeOf(target)} elements).`,
    });
  }
  const values = ArrayBuffer.isView(flat) && dtypeOf(flat) === type ? flat : typedArray(type, flat);
  const tensor = Tensor.empty(this, target, type, 'tensor', true);
  this.write(tensor.storage, toStored(type, values));
  return tensor;
};

Engine.prototype.full = function (shape, value, dtype = 'f32') {
  checkShape(shape, 'full');
  return this.tensor(typedArray(dtype, sizeOf(shape)).fill(value), shape, dtype);
};

Engine.prototype.zeros = function (shape, dtype) {
  return this.full(shape, 0, dtype);
};

Engine.prototype.ones = function (shape, dtype) {
  return this.full(shape, 1, dtype);
};

Engine.prototype.arange = function (n, dtype = 'f32') {
  return this.tensor(
    typedArray(dtype, n).map((_, i) => i),
    [n],
    dtype,
  );
};
