/** Walks over row-major arrays, for references. */

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Every position of a shape, in order. */
export function* positions(shape: readonly number[]): Generator<number[]> {
  for (let i = 0; i < sizeOf(shape); i++) {
    const at: number[] = [];
    let rest = i;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at.unshift(rest % shape[axis]!);
      rest = Math.floor(rest / shape[axis]!);
    }
    yield at;
  }
}

/** The flat index of a position; an axis of length 1 is the same everywhere, missing leading ones do not count. */
export function indexOf(position: readonly number[], shape: readonly number[]): number {
  const at = position.slice(position.length - shape.length);
  return shape.reduce((index, n, axis) => index * n + (n === 1 ? 0 : at[axis]!), 0);
}
