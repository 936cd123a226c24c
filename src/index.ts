/** What a user imports. Nothing inside `src` imports this file. */
import './tensor/scope.ts';
import './tensor/create.ts';
import './ops/methods.ts';

export { type GradcheckOptions, type GradcheckReport, gradcheck, type Reference64 } from './autograd/gradcheck.ts';
export * from './autograd/tape.ts';
export { finiteLoss, type GroupKDOptions, groupKD, groupLosses } from './distill/group-kd.ts';
export type { GroupWeights, TaskWeights } from './distill/group-weights.ts';
export { type Mask, type PoolKind, TaskPool } from './distill/task-pool.ts';
export { Engine, type EngineOptions, type MemoryReport } from './gpu/engine.ts';
export * from './gpu/errors.ts';
export { type BatchNormOptions, batchNorm } from './ops/batch-norm.ts';
export { type Conv2dOptions as ConvolutionOptions, conv2d } from './ops/conv2d.ts';
export { type CrossEntropyOptions, crossEntropy } from './ops/cross-entropy.ts';
export { cast, where } from './ops/elementwise.ts';
export { countEqual, gather, oneHot, scatterAdd } from './ops/gather.ts';
export { linear, type MatmulOptions, matmul } from './ops/matmul.ts';
export { binary, clamp, unary } from './ops/methods.ts';
export { type AvgPoolOptions, avgPool2d, globalAvgPool, maxPool2d, type PoolOptions } from './ops/pooling.ts';
export { dropout, type RandomSource } from './ops/random.ts';
export { argmax, argmin, max, mean, min, sum } from './ops/reduce.ts';
export { flatten, reshape } from './ops/reshape.ts';
export { logSoftmax, softmax } from './ops/softmax.ts';
export { concat, flip, pad, type Range, slice, transpose } from './ops/strided.ts';
export type { DType } from './tensor/dtype.ts';
export { Tensor } from './tensor/tensor.ts';
