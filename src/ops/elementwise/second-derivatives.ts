/**
 * Gradients of elementwise operations in recorded operations, by name: what gradients of gradients are made of. Apart from the
 * table, whose names are the tensors' methods that these call. Another operation that is to be differentiated twice costs a row.
 */
import type { ElementwiseOp } from './elementwise-op.ts';

export const secondDerivatives: Readonly<Record<string, NonNullable<ElementwiseOp['recorded']>>> = {
  neg: [({ dy }) => dy.neg()],
  exp: [({ dy, y }) => dy.mul(y)],
  log: [({ dy, a }) => dy.div(a)],
  sqrt: [({ dy, y }) => dy.div(y).mul(0.5)],
  rsqrt: [({ dy, a, y }) => dy.mul(y).div(a).mul(-0.5)],
  square: [({ dy, a }) => dy.mul(a).mul(2)],
  tanh: [({ dy, y }) => dy.sub(dy.mul(y.square()))],
  sigmoid: [({ dy, y }) => dy.mul(y.sub(y.square()))],
  relu: [({ dy, y }) => dy.mul(y.detach().sign())],
  // Of the bounds none passes.
  clamp: [({ dy, a, y }) => dy.mul(y.detach().equal(a).cast('f32'))],
  add: [({ dy }) => dy, ({ dy }) => dy],
  sub: [({ dy }) => dy, ({ dy }) => dy.neg()],
  mul: [({ dy, b }) => dy.mul(b), ({ dy, a }) => dy.mul(a)],
  div: [({ dy, b }) => dy.div(b), ({ dy, b, y }) => dy.mul(y).div(b).neg()],
};
