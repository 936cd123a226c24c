/** Between the kernels' axis orders and PyTorch's. */
import type { TypedArray } from '../tensor/dtype.ts';
import { inverseOrder, type Shape, stridesOf } from '../tensor/shape.ts';
import type { TorchLayout } from './module.ts';

/** Axis order here to axis order there. */
const TO_TORCH: Record<TorchLayout, readonly number[] | null> = {
  OIHW: [3, 2, 0, 1],
  OIW: [2, 1, 0],
  OI: [1, 0],
  same: null,
};

interface Ordered<T> {
  shape: Shape;
  data: T;
}

/** Reorders the axes of a row-major array; axis i of the result is axis `order[i]` of the source. */
export function permute<T extends TypedArray>(data: T, shape: Shape, order: readonly number[]): Ordered<T> {
  const target = order.map((axis) => shape[axis] as number);
  const strides = stridesOf(shape);
  const steps = order.map((axis) => strides[axis] as number);
  const out = data.slice() as T;
  const index = new Array<number>(target.length).fill(0);
  let from = 0;
  for (let i = 0; i < out.length; i++) {
    out[i] = data[from] as number;
    for (let axis = target.length - 1; axis >= 0; axis--) {
      from += steps[axis] as number;
      if (++(index[axis] as number) < (target[axis] as number)) break;
      from -= (steps[axis] as number) * (target[axis] as number);
      index[axis] = 0;
    }
  }
  return { shape: target, data: out };
}

/** The shape in PyTorch's order. */
export const torchShape = (shape: Shape, layout: TorchLayout): Shape =>
  TO_TORCH[layout]?.map((axis) => shape[axis] as number) ?? shape;

/** A tensor's elements in PyTorch's order. */
export function toTorch<T extends TypedArray>(data: T, shape: Shape, layout: TorchLayout): Ordered<T> {
  const order = TO_TORCH[layout];
  return order ? permute(data, shape, order) : { shape, data };
}

/** PyTorch's elements, of a shape in PyTorch's order, in ours. */
export function fromTorch<T extends TypedArray>(data: T, shape: Shape, layout: TorchLayout): T {
  const order = TO_TORCH[layout];
  if (!order) return data;
  const back = inverseOrder(order);
  return permute(data, shape, back).data;
}
