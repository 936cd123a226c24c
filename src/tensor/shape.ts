/** Shape arithmetic: everything an operation needs to know before it touches the GPU. */
import { ShapeError } from '../errors.ts';

/** Dimensions from the outermost to the innermost, each a whole number of at least 1; `[]` is a scalar's. */
export type Shape = readonly number[];

export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const n of shape) size *= n;
  return size;
}

/** For people: `[2, 3]`. */
export function show(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** Strides in elements of a row-major tensor. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i] as number;
  }
  return strides;
}

/** Dimensions that kernels walk at most. */
export const MOST_RANK = 8;

/** Dimensions or strides as kernels take them: with zeros behind, {@link MOST_RANK} in all. */
export const padded = (list: readonly number[]): number[] => Array.from({ length: MOST_RANK }, (_, i) => list[i] ?? 0);

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}

/** @throws {ShapeError} unless every dimension is a whole number ≥ 1, and their product one below 2⁵³. */
export function checkShape(shape: Shape, where: string): void {
  if (!Array.isArray(shape)) {
    throw new ShapeError({ where, message: `a shape is an array of whole numbers, not ${String(shape)}.` });
  }
  for (const n of shape) {
    if (!Number.isInteger(n) || n < 1) {
      throw new ShapeError({
        where,
        message: `${show(shape)} is not a shape: every dimension must be a whole number of at least 1.`,
      });
    }
  }
  if (!Number.isSafeInteger(sizeOf(shape))) {
    throw new ShapeError({ where, message: `${show(shape)} has more elements than can be counted.` });
  }
}

/**
 * NumPy's broadcasting: trailing dimensions must be equal or 1.
 * @throws {ShapeError} when they are not.
 */
export function broadcastShapes(where: string, ...shapes: Shape[]): number[] {
  const rank = Math.max(...shapes.map((s) => s.length));
  const out = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    for (let i = 0; i < shape.length; i++) {
      const at = rank - shape.length + i;
      const n = shape[i] as number;
      if (n === out[at] || n === 1) continue;
      if (out[at] !== 1) {
        throw new ShapeError({
          where,
          message: `shapes ${shapes.map(show).join(' and ')} do not broadcast: trailing dimensions must be equal or 1.`,
          fix: 'Reshape or slice one of them.',
        });
      }
      out[at] = n;
    }
  }
  return out;
}

/** Strides of `shape` seen as `target`: 0 along broadcast dimensions. */
export function broadcastStrides(shape: Shape, target: Shape): number[] {
  const strides = stridesOf(shape);
  const lead = target.length - shape.length;
  return target.map((n, i) => {
    const at = i - lead;
    return at < 0 || (shape[at] === 1 && n !== 1) ? 0 : (strides[at] as number);
  });
}

/**
 * Sorted axes, those counted from the end as ordinary ones; all of them for `undefined`.
 * @throws {ShapeError} when an axis is out of range or given twice.
 */
export function normalizeAxes(axes: number | readonly number[] | undefined, rank: number, where: string): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, i) => i);
  const list = (typeof axes === 'number' ? [axes] : axes).map((axis) => {
    if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
      throw new ShapeError({ where, message: `axis ${axis} is out of range for a tensor of rank ${rank}.` });
    }
    return axis < 0 ? axis + rank : axis;
  });
  if (new Set(list).size !== list.length) {
    throw new ShapeError({ where, message: `axes ${show(list)} name one axis twice.` });
  }
  return list.sort((a, b) => a - b);
}

export function normalizeAxis(axis: number, rank: number, where: string): number {
  return normalizeAxes(axis, rank, where)[0] as number;
}

/** The order of axes that undoes another one. */
export const inverseOrder = (order: readonly number[]): number[] => order.map((_, i) => order.indexOf(i));
