/** Making tensors from numbers; also installed as methods of the engine. */
import source from '../../shaders/lib/fill.wgsl';
import { DTypeError, ShapeError } from '../errors.ts';
import { Engine } from '../gpu/engine.ts';
import { bytesOf, type DType, toStored, typedArray } from './dtype.ts';
import { dtypeOf, fillWord, isNumberArray, shapeOf, storedElements, type TensorData } from './elements.ts';
import { checkShape, type Shape, show, sizeOf } from './shape.ts';
import { Tensor } from './tensor.ts';

export type { TensorData };

/** Whole numbers up to here are exact. */
const EXACT: Readonly<Record<DType, number>> = { f32: 2 ** 24, f16: 2 ** 11, i32: 2 ** 31 - 1, u32: 2 ** 32 - 1 };

/** Elements whose upload takes less than a launch, and is not repeated when a captured step is replayed. */
const FEW = 1024;
/** Workgroups of 64 that keep an adapter busy. */
const MOST_GROUPS = 1024;

declare module '../gpu/engine.ts' {
  interface Engine {
    /**
     * A tensor from a number, nested arrays or a typed array. Typed arrays are flat and take their shape from `shape`
     * (one dimension unless said).
     * @param dtype i32 for an Int32Array, u32 for a Uint32Array and f32 for all else, unless said. Floats round to nearest
     * (Float64Array, f16), and beyond the range become infinite; integers take whole numbers of their range only.
     * @throws ShapeError when the element count does not fit the shape, or nested arrays are ragged; DTypeError for what
     * are no numbers (booleans, strings, bigints, holes), numbers that the integer dtype cannot hold, or f16 on a device
     * without it; OutOfMemoryError beyond the device's limits, before anything is converted.
     */
    tensor(data: TensorData, shape?: Shape, dtype?: DType): Tensor;
    /**
     * A tensor filled with one value; on the device, but for small ones.
     * @throws ShapeError; DTypeError for a value that the dtype cannot hold; OutOfMemoryError beyond the device's limits.
     */
    full(shape: Shape, value: number, dtype?: DType): Tensor;
    zeros(shape: Shape, dtype?: DType): Tensor;
    ones(shape: Shape, dtype?: DType): Tensor;
    /**
     * `[0, 1, …, n − 1]`.
     * @throws ShapeError unless `n` is a whole number ≥ 1; DTypeError where the dtype cannot hold all of them: f32 whole
     * numbers up to 2²⁴, f16 up to 2¹¹.
     */
    arange(n: number, dtype?: DType): Tensor;
  }
}

Engine.prototype.tensor = function (data, shape, dtype) {
  const own = dtypeOf(data);
  const type = dtype ?? own;
  const given = shapeOf(data);
  const target = shape ?? given;
  checkShape(target, 'tensor');
  const count = isNumberArray(data) ? data.length : sizeOf(given);
  if (count !== sizeOf(target)) {
    throw new ShapeError({
      where: 'tensor',
      message: `${count} elements do not fill the shape ${show(target)} (${sizeOf(target)} elements).`,
    });
  }
  const tensor = Tensor.empty(this, target, type, 'tensor');
  try {
    this.write(tensor.storage, storedElements(data, type, given));
    return tensor;
  } catch (error) {
    tensor.dispose();
    throw error;
  }
};

/** Launches an entry of `lib/fill.wgsl` over so many elements of `T`. */
function launch(tensor: Tensor, entry: 'fill' | 'arange', T: DType, size: number, word = 0): void {
  const groups = Math.min(Math.ceil(size / 64), MOST_GROUPS);
  tensor.engine.dispatch({
    kernel: { name: 'fill', source, entry },
    constants: { T },
    buffers: [tensor.storage],
    params: [size, groups * 64, word],
    workgroups: [groups],
  });
}

function full(engine: Engine, where: string, shape: Shape, value: number, dtype: DType): Tensor {
  checkShape(shape, where);
  const word = fillWord(where, value, dtype);
  const words = bytesOf(dtype, sizeOf(shape)) / 4;
  const tensor = Tensor.empty(engine, shape, dtype, where);
  if (words <= FEW) engine.write(tensor.storage, new Uint32Array(words).fill(word));
  else launch(tensor, 'fill', 'u32', words, word);
  return tensor;
}

Engine.prototype.full = function (shape, value, dtype = 'f32') {
  return full(this, 'full', shape, value, dtype);
};

Engine.prototype.zeros = function (shape, dtype = 'f32') {
  return full(this, 'zeros', shape, 0, dtype);
};

Engine.prototype.ones = function (shape, dtype = 'f32') {
  return full(this, 'ones', shape, 1, dtype);
};

Engine.prototype.arange = function (n, dtype = 'f32') {
  checkShape([n], 'arange');
  if (n - 1 > EXACT[dtype]) {
    throw new DTypeError({
      where: 'arange',
      message: `${dtype} does not hold every whole number up to ${n - 1}, only up to ${EXACT[dtype]}.`,
      fix: "Use 'i32' or 'u32'.",
    });
  }
  const tensor = Tensor.empty(this, [n], dtype, 'arange');
  if (n <= FEW)
    this.write(
      tensor.storage,
      toStored(
        dtype,
        typedArray(dtype, n).map((_, i) => i),
      ),
    );
  else launch(tensor, 'arange', dtype, n);
  return tensor;
};
