/** The variants of the matrix product, launched in one place. */
import { productsOnLanes } from '#lane-variants';
import type { DeviceBuffer } from '../../gpu/device-buffer.ts';
import type { Runtime } from '../../gpu/runtime.ts';
import type { KernelFamily } from '../variants/kernel-variants.ts';
import { launchPlan } from '../variants/launch-plan.ts';
import { addSplits, noise, reach, rehearsal, suffixOf } from '../variants/rehearsal.ts';
import { flopsOf, type MatmulVariant, type Output, type Product } from './product.ts';
import { blocks } from './software-variants.ts';
import { tiled } from './tiled-variants.ts';

export interface MatmulBuffers {
  readonly a: DeviceBuffer;
  readonly b: DeviceBuffer;
  /** f32; added to every row. Only without splits. */
  readonly bias?: DeviceBuffer | undefined;
  readonly c: DeviceBuffer;
}

/** Runs a product by one variant. */
export function launchMatmul(
  engine: Runtime,
  variant: MatmulVariant,
  product: Product,
  output: Output,
  { a, b, bias, c }: MatmulBuffers,
): void {
  const plan = variant.plan(engine, product, output);
  // The kernels bind a bias whether there is one or not. Those that bind it in quads have a b of four of them or more, and
  // perhaps an a of less than one.
  launchPlan(engine, plan, [a, b, bias ?? b, c], flopsOf(product));
}

export const matmulFamily: KernelFamily<Product, MatmulVariant> = {
  name: 'matmul',
  preference: 'matmul',
  // Best first.
  variants: /* @__PURE__ */ productsOnLanes.concat(blocks, tiled),
  flopsOf,
  describe({ m, n, k, batch, aCol, bCol, stored }) {
    const product = `${m}×${k}${aCol === 1 ? '' : 'ᵀ'} · ${k}×${n}${bCol === 1 ? '' : 'ᵀ'}`;
    return `${batch === 1 ? product : `${batch} of ${product}`}${suffixOf(stored)}`;
  },
  rehearse(engine, product) {
    const { m, n, k, batch, aRow, aCol, aBatch, bRow, bCol, bBatch, stored } = product;
    const a = noise(engine, reach(0, [batch, m, k], [aBatch, aRow, aCol]), stored);
    const b = noise(engine, reach(0, [batch, k, n], [bBatch, bRow, bCol]), stored);
    return rehearsal(engine, [a, b], (variant) => {
      const split = variant.split(engine, product);
      addSplits(engine, split.splits, batch * m * n, ({ storage: c }) =>
        launchMatmul(
          engine,
          variant,
          product,
          { ...split, result: 'f32', hasBias: false },
          { a: a.storage, b: b.storage, c },
        ),
      );
    });
  },
};
