/** The kernels that have several variants, with what the tuner needs to measure them. */

import type { Runtime } from '../../gpu/runtime.ts';
import type { FloatType } from '../../tensor/dtype.ts';
import { normal } from '../../tensor/random-tensors.ts';
import { Tensor } from '../../tensor/tensor.ts';
import type { Geometry, TapPass } from '../conv2d/geometry.ts';
import { type TapVariant, flopsOf as tapFlops, tapVariants } from '../conv2d/variants.ts';
import { type WeightVariant, flopsOf as weightFlops, weightVariants } from '../conv2d/weight-gradient.ts';
import { convert } from '../elementwise/elementwise-kernel.ts';
import { type MatmulVariant, matmulVariants, type Product, flopsOf as productFlops } from '../matmul/variants.ts';
import { sum } from '../reduce.ts';
import type { KernelFamily } from './kernel-variants.ts';

/** Numbers of no meaning: zeros would flatter adapters that are fast with them. */
const noise = (engine: Runtime, size: number, dtype: FloatType): Tensor =>
  engine.scope(() => engine.keep(convert(normal(engine, [size], { from: { seed: 1 } }), dtype)));

/** Behind the sizes of work in f16. */
const told = (stored: FloatType): string => (stored === 'f16' ? ', f16' : '');

/** Elements up to the last one that is reached from `origin` along axes of these lengths and strides, which may be negative. */
const reach = (origin: number, lengths: readonly number[], strides: readonly number[]): number =>
  strides.reduce((last, stride, axis) => last + Math.max(0, ((lengths[axis] as number) - 1) * stride), origin) + 1;

/** What launches allocate is freed after each. */
function rehearsal<Variant>(engine: Runtime, operands: readonly Tensor[], run: (variant: Variant) => void) {
  return {
    launch: (variant: Variant) => engine.scope(() => run(variant)),
    dispose() {
      for (const operand of operands) operand.dispose();
    },
  };
}

/** A kernel's sums in splits, and their total. */
function addSplits(engine: Runtime, splits: number, size: number, run: (parts: Tensor) => void): void {
  const parts = Tensor.empty(engine, [splits, size], 'f32', 'tune');
  run(parts);
  if (splits > 1) sum(parts, 0);
}

export const matmulFamily: KernelFamily<Product, MatmulVariant> = {
  name: 'matmul',
  preference: 'matmul',
  variants: matmulVariants,
  flopsOf: productFlops,
  describe({ m, n, k, batch, aCol, bCol, stored }) {
    const product = `${m}×${k}${aCol === 1 ? '' : 'ᵀ'} · ${k}×${n}${bCol === 1 ? '' : 'ᵀ'}`;
    return `${batch === 1 ? product : `${batch} of ${product}`}${told(stored)}`;
  },
  rehearse(engine, product) {
    const { m, n, k, batch, aRow, aCol, aBatch, bRow, bCol, bBatch, stored } = product;
    const a = noise(engine, reach(0, [batch, m, k], [aBatch, aRow, aCol]), stored);
    const b = noise(engine, reach(0, [batch, k, n], [bBatch, bRow, bCol]), stored);
    return rehearsal(engine, [a, b], (variant) => {
      const split = variant.split(engine, product);
      addSplits(engine, split.splits, batch * m * n, (c) =>
        variant.dispatch(engine, product, split, { a: a.storage, b: b.storage, c: c.storage, result: 'f32' }),
      );
    });
  },
};

export const tapFamily: KernelFamily<TapPass, TapVariant> = {
  name: 'conv2d',
  preference: 'conv2d',
  variants: tapVariants,
  flopsOf: tapFlops,
  // The weights of an input gradient are turned.
  describe: (p) =>
    `${p.batch}×${p.height}×${p.width}×${p.channels} → ${p.rows}×${p.columns}×${p.targetChannels}, ` +
    `${p.tapRows}×${p.tapColumns}${p.weightTarget === 1 ? '' : 'ᵀ'}${told(p.stored)}`,
  rehearse(engine, p) {
    const source = noise(engine, p.batch * p.height * p.width * p.channels, p.stored);
    const taps = [p.tapRows, p.tapColumns, p.channels, p.targetChannels];
    const strides = [p.weightY, p.weightX, p.weightSource, p.weightTarget];
    const weight = noise(engine, reach(p.weightOrigin, taps, strides), p.stored);
    const result = noise(engine, p.batch * p.targetHeight * p.targetWidth * p.targetChannels, p.stored);
    return rehearsal(engine, [source, weight, result], (variant) =>
      variant.dispatch(engine, p, { source: source.storage, weight: weight.storage, result: result.storage }),
    );
  },
};

export const weightFamily: KernelFamily<Geometry, WeightVariant> = {
  name: 'conv2d weights',
  preference: 'conv2d',
  variants: weightVariants,
  flopsOf: weightFlops,
  describe: (g) =>
    `${g.batch}×${g.height}×${g.width}×${g.inChannels} → ${g.outHeight}×${g.outWidth}×${g.outChannels}, ${g.kernelY}×${g.kernelX}${told(g.stored)}`,
  rehearse(engine, g) {
    const x = noise(engine, g.batch * g.height * g.width * g.inChannels, g.stored);
    const dy = noise(engine, g.batch * g.outHeight * g.outWidth * g.outChannels, g.stored);
    return rehearsal(engine, [x, dy], (variant) => {
      const split = variant.split(engine, g);
      addSplits(engine, split.splits, g.kernelY * g.kernelX * g.inChannels * g.outChannels, (parts) =>
        variant.dispatch(engine, g, split, { x: x.storage, dy: dy.storage, parts: parts.storage }),
      );
    });
  },
};
