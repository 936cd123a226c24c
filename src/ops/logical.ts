/** Logical operations: what is not 0, NaN too, is true. Results are u32, 0 or 1, without a gradient, as those of comparisons. */
import { elementwise } from './elementwise/elementwise.ts';
import { type ElementwiseOp, FLOATS } from './elementwise/elementwise-op.ts';

const DTYPES = [...FLOATS, 'i32', 'u32'] as const;
const of = <const Names extends ElementwiseOp['operands']>(operands: Names, condition: string) => ({
  operands,
  forward: `select(0u, 1u, ${condition})`,
  gradients: operands.map(() => null),
  result: 'u32' as const,
  dtypes: DTYPES,
});
const both = ['a', 'b'] as const;

/** 1 where both are true; shapes broadcast, dtypes are the same. */
export const logicalAnd = /* @__PURE__ */ elementwise('logicalAnd', of(both, '!(a == 0) && !(b == 0)'));
/** 1 where one of the two is true, or both; shapes broadcast, dtypes are the same. */
export const logicalOr = /* @__PURE__ */ elementwise('logicalOr', of(both, '!(a == 0) || !(b == 0)'));
/** 1 where one of the two is true, and not both; shapes broadcast, dtypes are the same. */
export const logicalXor = /* @__PURE__ */ elementwise('logicalXor', of(both, '(a == 0) != (b == 0)'));
/** 1 where it is not true. */
export const logicalNot = /* @__PURE__ */ elementwise('logicalNot', of(['a'], 'a == 0'));
