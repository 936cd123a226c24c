/** Making tensors from numbers; the engine has these as methods. */
import source from '../../shaders/lib/fill.wgsl';
import { DTypeError, ShapeError } from '../errors.ts';
import type { Runtime } from '../gpu/runtime.ts';
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

/** See {@link Engine.tensor}, which is this. */
export function tensorFrom(engine: Runtime, data: TensorData, shape?: Shape, dtype?: DType): Tensor {
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
  const tensor = Tensor.empty(engine, target, type, 'tensor');
  try {
    engine.write(tensor.storage, storedElements(data, type, given));
    return tensor;
  } catch (error) {
    tensor.dispose();
    throw error;
  }
}

/** Launches an entry of `lib/fill.wgsl` over so many elements of `T`. */
function launch(tensor: Tensor, entry: 'fill' | 'arange', T: DType, size: number, word = 0): void {
  const groups = Math.min(Math.ceil(size / 64), MOST_GROUPS);
  tensor.engine.dispatch({
    kernel: { name: 'fill', source, entry },
    constants: { T },
    buffers: [tensor.storage],
    params: { size, threads: groups * 64, word },
    workgroups: [groups],
  });
}

function filled(engine: Runtime, where: string, shape: Shape, value: number, dtype: DType): Tensor {
  checkShape(shape, where);
  const word = fillWord(where, value, dtype);
  const words = bytesOf(dtype, sizeOf(shape)) / 4;
  const tensor = Tensor.empty(engine, shape, dtype, where);
  if (words <= FEW) engine.write(tensor.storage, new Uint32Array(words).fill(word));
  else launch(tensor, 'fill', 'u32', words, word);
  return tensor;
}

/** See {@link Engine.full}, which is this. */
export function full(engine: Runtime, shape: Shape, value: number, dtype: DType = 'f32'): Tensor {
  return filled(engine, 'full', shape, value, dtype);
}

export function zeros(engine: Runtime, shape: Shape, dtype: DType = 'f32'): Tensor {
  return filled(engine, 'zeros', shape, 0, dtype);
}

export function ones(engine: Runtime, shape: Shape, dtype: DType = 'f32'): Tensor {
  return filled(engine, 'ones', shape, 1, dtype);
}

/** See {@link Engine.arange}, which is this. */
export function arange(engine: Runtime, n: number, dtype: DType = 'f32'): Tensor {
  checkShape([n], 'arange');
  if (n - 1 > EXACT[dtype]) {
    throw new DTypeError({
      where: 'arange',
      message: `${dtype} does not hold every whole number up to ${n - 1}, only up to ${EXACT[dtype]}.`,
      fix: "Use 'i32' or 'u32'.",
    });
  }
  const tensor = Tensor.empty(engine, [n], dtype, 'arange');
  if (n <= FEW)
    engine.write(
      tensor.storage,
      toStored(
        dtype,
        typedArray(dtype, n).map((_, i) => i),
      ),
    );
  else launch(tensor, 'arange', dtype, n);
  return tensor;
}
