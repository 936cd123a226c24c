/** A loss in parts, so that only one batch's activations are there at a time. */
import { noGrad } from '../autograd/tape.ts';
import { ArgumentError } from '../errors.ts';
import type { Runtime } from '../gpu/runtime.ts';
import '../ops/methods.ts';
import type { Tensor } from '../tensor/tensor.ts';

/**
 * A loss as a function that gives a scalar f32, or as several whose sum it is, a batch each. They give the same whenever they are
 * called: no augmentation, no dropout, batch norm in inference.
 */
export type LossParts = (() => Tensor) | readonly (() => Tensor)[];

/** @throws {ArgumentError} for no parts. */
export function partsOf(loss: LossParts, where: string): readonly (() => Tensor)[] {
  const parts = typeof loss === 'function' ? [loss] : loss;
  if (parts.length > 0) return parts;
  throw new ArgumentError({ where, message: 'the loss has no parts.', fix: 'Give at least one function.' });
}

/** The sum of the parts, without a gradient. */
export const sumOf = (engine: Runtime, parts: readonly (() => Tensor)[]): Tensor =>
  noGrad(engine, () =>
    engine.scope(() => {
      const [first, ...others] = parts as readonly [() => Tensor, ...(() => Tensor)[]];
      return others.reduce((sum, part) => engine.scope(() => sum.add(part())), engine.scope(first));
    }),
  );
