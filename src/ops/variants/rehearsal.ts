/** Work on operands of its own, for the tuner to measure the variants of a family by. */
import type { Runtime } from '../../gpu/runtime.ts';
import type { FloatType } from '../../tensor/dtype.ts';
import { normal } from '../../tensor/random-tensors.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { convert } from '../elementwise/elementwise-kernel.ts';
import { sum } from '../reduce.ts';

/** Numbers of no meaning: zeros would flatter adapters that are fast with them. */
export const noise = (engine: Runtime, size: number, dtype: FloatType): Tensor =>
  engine.scope(() => engine.keep(convert(normal(engine, [size], { from: { seed: 1 } }), dtype)));

/** Elements up to the last one that is reached from `origin` along axes of these lengths and strides, which may be negative. */
export const reach = (origin: number, lengths: readonly number[], strides: readonly number[]): number =>
  strides.reduce((last, stride, axis) => last + Math.max(0, ((lengths[axis] as number) - 1) * stride), origin) + 1;

/** A rehearsal on these operands; what `run` allocates is freed after each. */
export function rehearsal<Variant>(engine: Runtime, operands: readonly Tensor[], run: (variant: Variant) => void) {
  return {
    launch: (variant: Variant) => engine.scope(() => run(variant)),
    dispose() {
      for (const operand of operands) operand.dispose();
    },
  };
}

/** A kernel's sums in splits, and their total. */
export function addSplits(engine: Runtime, splits: number, size: number, run: (parts: Tensor) => void): void {
  const parts = Tensor.empty(engine, [splits, size], 'f32', 'tune');
  run(parts);
  if (splits > 1) sum(parts, 0);
}

/** Behind the sizes of work in f16, for people. */
export const suffixOf = (stored: FloatType): string => (stored === 'f16' ? ', f16' : '');
