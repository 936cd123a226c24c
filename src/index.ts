/** What a user imports. Nothing inside `src` imports this file. */
import './tensor/scope.ts';
import './tensor/create.ts';
import './ops/methods.ts';

export * from './autograd/tape.ts';
export { Engine, type EngineOptions, type MemoryReport } from './gpu/engine.ts';
export * from './gpu/errors.ts';
export { type CrossEntropyOptions, crossEntropy } from './ops/cross-entropy.ts';
export { where } from './ops/elementwise.ts';
export { countEqual, gather, oneHot, scatterAdd } from './ops/gather.ts';
export { binary, clamp, unary } from './ops/methods.ts';
export { dropout, type RandomSource } from './ops/random.ts';
export { argmax, argmin, max, mean, min, sum } from './ops/reduce.ts';
export { flatten, reshape } from './ops/reshape.ts';
export { logSoftmax, softmax } from './ops/softmax.ts';
export { concat, flip, pad, type Range, slice, transpose } from './ops/strided.ts';
export type { DType } from './tensor/dtype.ts';
export { Tensor } from './tensor/tensor.ts';
