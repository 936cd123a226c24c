/** A matrix product as its kernels see it, and what a variant of them is. */
import type { Plan } from '../../gpu/launch.ts';
import type { Runtime } from '../../gpu/runtime.ts';
import type { Params } from '../../gpu/wgsl/params.ts';
import type { FloatType } from '../../tensor/dtype.ts';
import type { KernelVariant } from '../variants/kernel-variants.ts';
import type { Split } from '../variants/split.ts';

/** c[batch, m, n] = a·b. The strides, in elements, say how the operands lie; a batch stride of 0 repeats one matrix. */
export interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly batch: number;
  readonly aRow: number;
  readonly aCol: number;
  readonly aBatch: number;
  readonly bRow: number;
  readonly bCol: number;
  readonly bBatch: number;
  /** How a and b are stored. */
  readonly stored: FloatType;
}

/** How c is written: with several splits it is [splits, batch, m, n], to be added up. */
export interface Output extends Split {
  /** How c is stored. */
  readonly result: FloatType;
  /** Whether a bias is added to every row; only without splits. */
  readonly hasBias: boolean;
}

export interface MatmulVariant extends KernelVariant<Product> {
  /** How the sum over k is split. */
  split(engine: Runtime, product: Product): Split;
  plan(engine: Runtime, product: Product, output: Output): Plan;
}

export const flopsOf = ({ m, n, k, batch }: Product): number => 2 * batch * m * n * k;

/** See `matmul/params.wgsl`. */
export const paramsOf = (
  { m, n, k, batch, aRow, aCol, aBatch, bRow, bCol, bBatch }: Product,
  { chunk, splits, hasBias }: Output,
): Params => ({ m, n, k, batch, aRow, aCol, aBatch, bRow, bCol, bBatch, chunk, splits, hasBias });

/** The constants of the types in memory. */
export const storedAs = ({ stored }: Product, { result }: Output) => ({ S: stored, R: result });

/** Whether neighbours along one axis lie side by side, a quad of them at a time. */
const inQuads = (one: number, other: number, size: number, batchStride: number): boolean =>
  one === 1 && size % 4 === 0 && other % 4 === 0 && batchStride % 4 === 0;

const aTermsInQuads = ({ k, aRow, aCol, aBatch }: Product): boolean => inQuads(aCol, aRow, k, aBatch);
const aRowsInQuads = ({ m, aRow, aCol, aBatch }: Product): boolean => inQuads(aRow, aCol, m, aBatch);
const bColumnsInQuads = ({ n, bRow, bCol, bBatch }: Product): boolean => inQuads(bCol, bRow, n, bBatch);
const bTermsInQuads = ({ k, bRow, bCol, bBatch }: Product): boolean => inQuads(bRow, bCol, k, bBatch);

/** Whether a can be loaded in quads, of terms or of rows. */
export const isAInQuads = (product: Product): boolean => aTermsInQuads(product) || aRowsInQuads(product);

/** Whether b can be loaded in quads, of columns or of terms. */
export const isBInQuads = (product: Product): boolean => bColumnsInQuads(product) || bTermsInQuads(product);

/** Whether everything that is loaded or stored together comes in quads. */
export const isInQuads = (product: Product): boolean =>
  product.k % 4 === 0 && product.n % 4 === 0 && isAInQuads(product) && isBInQuads(product);

/** The constants of operands in quads: along which axes neighbours lie. */
export const quadLayout = (product: Product) => ({
  A_ROWS: !aTermsInQuads(product),
  B_TERMS: !bColumnsInQuads(product),
});
