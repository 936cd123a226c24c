/** The shapes a function of several tensors takes, checked in one place and told in one sentence. */
import { DTypeError, ShapeError } from '../errors.ts';
import type { DType } from '../tensor/dtype.ts';
import { show } from '../tensor/shape.ts';
import { commonEngine, type Tensor } from '../tensor/tensor.ts';

/** A tensor, its dtype and its axes: a size, or a name for one. Axes of one name are as long. */
export type Expected = readonly [tensor: Tensor, dtype: DType, axes: readonly (string | number)[]];

/**
 * Refuses tensors that are not as expected.
 * @returns the sizes by name.
 * @throws {ShapeError} when an axis is missing, too many, or of another size.
 * @throws {DTypeError} when a dtype is another.
 * @throws {EngineMismatchError} when they belong to several engines.
 * @example const { n } = expectShapes('loss', { logits: [logits, 'f32', ['n', 'classes']], targets: [targets, 'i32', ['n']] });
 */
export function expectShapes(where: string, expected: Readonly<Record<string, Expected>>): Record<string, number> {
  const entries = Object.entries(expected);
  commonEngine(
    where,
    entries.map(([, [tensor]]) => tensor),
  );
  const told = () => {
    const takes = entries.map(([name, [, dtype, axes]]) => `${name} ${dtype}[${axes.join(', ')}]`);
    const given = entries.map(([, [{ dtype, shape }]]) => `${dtype}${show(shape)}`);
    return `takes ${takes.join(', ')}; was given ${given.join(', ')}.`;
  };
  const sizes: Record<string, number> = {};
  for (const [, [{ shape }, , axes]] of entries) {
    const fits = axes.every((axis, i) => {
      const size = shape[i];
      if (typeof axis === 'number') return size === axis;
      if (size !== undefined) sizes[axis] ??= size;
      return size === sizes[axis];
    });
    if (!fits || shape.length !== axes.length) throw new ShapeError({ where, message: told() });
  }
  if (entries.some(([, [tensor, dtype]]) => tensor.dtype !== dtype)) {
    throw new DTypeError({ where, message: told(), fix: 'Convert with cast().' });
  }
  return sizes;
}
