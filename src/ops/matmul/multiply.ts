/** The product of two tensors without gradients: a variant of the kernel, its splits added up, a bias. */
import { commonFloat, type FloatType } from '../../tensor/dtype.ts';
import type { Shape } from '../../tensor/shape.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { convert, launchElementwise } from '../elementwise/elementwise-kernel.ts';
import { sum } from '../reduce.ts';
import { chooseVariant } from '../variants/kernel-variants.ts';
import { launchMatmul, matmulFamily } from './family.ts';
import type { Product } from './product.ts';

/**
 * Multiplies tensors of one dtype.
 * @param result Dtype of the product.
 * @param bias f32, added to every row.
 */
export function multiply(
  where: string,
  a: Tensor,
  b: Tensor,
  sizes: Omit<Product, 'stored'>,
  shape: Shape,
  result: FloatType,
  bias?: Tensor,
): Tensor {
  const { engine } = a;
  const product = { ...sizes, stored: commonFloat(where, [a, b]) };
  const variant = chooseVariant(engine, matmulFamily, product);
  const split = variant.split(engine, product);
  const operands = { a: a.storage, b: b.storage };
  if (split.splits === 1) {
    const c = Tensor.empty(engine, shape, result, where);
    const buffers = { ...operands, bias: bias?.storage, c: c.storage };
    launchMatmul(engine, variant, product, { ...split, result, hasBias: bias !== undefined }, buffers);
    return c;
  }
  const parts = Tensor.empty(engine, [split.splits, ...shape], 'f32', where);
  const output = { ...split, result: 'f32', hasBias: false } as const;
  launchMatmul(engine, variant, product, output, { ...operands, c: parts.storage });
  const total = sum(parts, 0);
  parts.dispose();
  const finished = bias
    ? launchElementwise('bias', 'a + b', { a: total, b: bias }, { shape, result })
    : convert(total, result);
  if (finished !== total) total.dispose();
  return finished;
}
