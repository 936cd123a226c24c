/**
 * Tensors with autograd on WebGPU, layers and ResNets, optimizers, images, and Dense Knowledge Distillation for training loops of
 * your own. Everything begins with an {@link Engine}.
 * @module engram
 */
// What a user imports; `entries/` has what fewer need. Nothing inside `src` imports this file.
import './ops/methods.ts';

export { recomputed } from './autograd/recompute.ts';
export { backward, type CustomOp, customOp, enableGrad, noGrad, record } from './autograd/tape.ts';
export { ArrayLoader, type ArraySource, type SampleArray } from './data/array-loader.ts';
export { type Augmentation, randomBrightness, randomTransforms } from './data/augment.ts';
export {
  channelMoments,
  classIndices,
  type DatasetSplit,
  firstPerClass,
  type ImageDataset,
  type Normalization,
  type PictureSizes,
  subset,
} from './data/dataset.ts';
export { DeviceImages } from './data/device-images.ts';
export type { ImageBytes, ImageFormat } from './data/image-bytes.ts';
export { type ImageInput, type ImageInputOptions, toImageBytes } from './data/image-input.ts';
export type { ImageArray } from './data/image-pixels.ts';
export { identityTransforms, type SampleOptions } from './data/image-sampler.ts';
export { imagesByClass } from './data/images-by-class.ts';
export { type Batch, DataLoader, indicesOfClasses, type LoaderOptions } from './data/loader.ts';
export { type ImageSize, type ResizeOptions, resizeImages } from './data/resize.ts';
export { type ClassGroups, classGroups, clusterClasses } from './distill/class-groups.ts';
export { type DenseKDOptions, denseKD, globalKD, taskwiseKD } from './distill/dense-kd.ts';
export { GroupDraw, type GroupDrawOptions, gatherGroups } from './distill/group-draw.ts';
export { finiteLoss, type GroupKDOptions, groupKD, groupLosses } from './distill/group-kd.ts';
export type { GroupSizes } from './distill/group-sizes.ts';
export type { GroupWeights, SizeWeights, TaskWeights } from './distill/group-weights.ts';
export { classSimilarity, Prototypes } from './distill/prototypes.ts';
export { type RandomKDOptions, randomKD } from './distill/random-kd.ts';
export { type Mask, type PoolKind, TaskPool, type TaskPoolOptions } from './distill/task-pool.ts';
export { type WeightedLossOptions, weightedLoss } from './distill/weighted-loss.ts';
export {
  type CountStrategy,
  countWeight,
  type Weighting,
  type WeightingOptions,
  type WeightingStrategy,
  weighting,
} from './distill/weighting.ts';
export * from './errors.ts';
export { type DeviceRequirements, deviceRequirements } from './gpu/adapter/device-descriptor.ts';
export type { DeviceBuffer } from './gpu/device-buffer.ts';
export { type Missing, missing } from './gpu/embedding/missing.ts';
export type { Launch, Plan } from './gpu/launch.ts';
export type { MemoryReport } from './gpu/memory-report.ts';
export { plane } from './gpu/plane.ts';
export type { LaunchTime, Profile } from './gpu/profiler.ts';
export type { RecordedMemory } from './gpu/recording/recording.ts';
export type { Runtime } from './gpu/runtime.ts';
export type { TunedPiece } from './gpu/tuning/piece.ts';
export type { Run, Stopwatch } from './gpu/tuning/stopwatch.ts';
export type { TuneOptions, Tuning } from './gpu/tuning/tuner.ts';
export type { TuningCache } from './gpu/tuning/tuning-cache.ts';
export type { Constants } from './gpu/wgsl/constants.ts';
export type { WgslFile } from './gpu/wgsl/file.ts';
export type { Kernel } from './gpu/wgsl/kernel.ts';
export { linkWgsl, wgsl } from './gpu/wgsl/link-wgsl.ts';
export type { Params, ParamValue } from './gpu/wgsl/params.ts';
export * from './nn/activations.ts';
export {
  MultiheadAttention,
  type MultiheadAttentionInput,
  type MultiheadAttentionOptions,
  type MultiheadAttentionOutput,
} from './nn/attention.ts';
export { BasicBlock } from './nn/basic-block.ts';
export { Bottleneck } from './nn/bottleneck.ts';
export { checkpointed } from './nn/checkpointed.ts';
export * from './nn/conv-transpose2d.ts';
export * from './nn/conv1d.ts';
export { copyModule } from './nn/copy.ts';
export { Embedding, type EmbeddingOptions } from './nn/embedding.ts';
export { Flatten, type FlattenOptions } from './nn/flatten.ts';
export { flopsPerImage } from './nn/flops.ts';
export { growLinear } from './nn/head.ts';
export { kaimingNormal, kaimingUniform, parameter } from './nn/init.ts';
export * from './nn/layers.ts';
export { MobileNetV2, type MobileNetV2Options } from './nn/mobilenet.ts';
export { type AnyModule, Module, type NamedTensor, type TorchLayout } from './nn/module.ts';
export { GroupNorm, LayerNorm, type NormLayerOptions } from './nn/normalization.ts';
export type { HasPath, Path } from './nn/path.ts';
export {
  type BackboneOptions,
  type BackboneOutputs,
  createBackbone,
  createResNet,
  RESNET_NAMES,
  ResNet,
  ResNetBackbone,
  type ResNetName,
  type ResNetOptions,
} from './nn/resnet.ts';
export { readSafetensors, type SafetensorsEntry, type SafetensorsFile, writeSafetensors } from './nn/safetensors.ts';
export {
  type LoadableState,
  type LoadOptions,
  type LoadReport,
  loadStateDict,
  readState,
  type StateDict,
  type StateEntry,
  stateDict,
  writeState,
} from './nn/state-dict.ts';
export { type LayerSummary, type ModelSummary, summary } from './nn/summary.ts';
export { loadWeights, saveWeights } from './nn/weights.ts';
export { type WideBackboneOptions, WideResNet, WideResNetBackbone, type WideResNetOptions } from './nn/wide-resnet.ts';
export {
  elu,
  geluTanh,
  hardSigmoid,
  hardSwish,
  leakyRelu,
  logSigmoid,
  mish,
  prelu,
  relu6,
  selu,
} from './ops/activations.ts';
export { type AttentionOptions, scaledDotProductAttention } from './ops/attention.ts';
export { split, squeeze, stack, tile, unsqueeze } from './ops/axes.ts';
export { type BatchNormOptions, batchNorm } from './ops/batch-norm.ts';
export {
  type ConvTranspose2dOptions as TransposedConvolutionOptions,
  convTranspose2d,
} from './ops/conv2d/conv-transpose2d.ts';
export { type Conv1dOptions as Convolution1dOptions, conv1d } from './ops/conv2d/conv1d.ts';
export { type Conv2dOptions as ConvolutionOptions, conv2d } from './ops/conv2d/conv2d.ts';
export type { Padding } from './ops/conv2d/geometry.ts';
export { type CrossEntropyOptions, crossEntropy } from './ops/cross-entropy.ts';
export { dropout } from './ops/dropout.ts';
export { einsum } from './ops/einsum.ts';
export { cast, elementwise, where } from './ops/elementwise/elementwise.ts';
export type { Operand } from './ops/elementwise/elementwise-kernel.ts';
export type { ElementwiseOp } from './ops/elementwise/elementwise-op.ts';
export { countEqual, gather, oneHot, scatterAdd } from './ops/gather.ts';
export { groupNorm, layerNorm, type NormOptions } from './ops/group-norm.ts';
export { type InterpolateOptions, interpolate } from './ops/interpolate.ts';
export { logSumExp } from './ops/log-sum-exp.ts';
export { logicalAnd, logicalNot, logicalOr, logicalXor } from './ops/logical.ts';
export {
  type BinaryCrossEntropyOptions,
  binaryCrossEntropyWithLogits,
  type CosineEmbeddingOptions,
  cosineEmbeddingLoss,
  cosineSimilarity,
  huberLoss,
  type KLOptions,
  klDiv,
  type LossOptions,
  l1Loss,
  mseLoss,
  type NLLOptions,
  nllLoss,
  smoothL1Loss,
} from './ops/losses.ts';
export { linear } from './ops/matmul/linear.ts';
export { type MatmulOptions, matmul } from './ops/matmul/matmul.ts';
export { binary, clamp, unary } from './ops/methods.ts';
export type { Pair } from './ops/pair.ts';
export { type AvgPoolOptions, avgPool2d, globalAvgPool, maxPool2d, type PoolOptions } from './ops/pooling.ts';
export { prod } from './ops/prod.ts';
export { arange, eye, linspace } from './ops/ranges.ts';
export { recordedGradients } from './ops/recorded-gradients.ts';
export { argmax, argmin, max, mean, min, type ReduceOptions, sum } from './ops/reduce.ts';
export type { Reduction } from './ops/reduction.ts';
export { flatten, reshape } from './ops/reshape.ts';
export { cumsum } from './ops/scan.ts';
export { logSoftmax, softmax } from './ops/softmax.ts';
export { argsort, type Sorted, type SortOptions, sort, type TopKOptions, topk } from './ops/sort.ts';
export { norm, std, type VarianceOptions, variance } from './ops/statistics.ts';
export { concat, flip, pad, type Range, slice, transpose } from './ops/strided.ts';
export { tril, triu } from './ops/triangle.ts';
export { tune } from './ops/tune.ts';
export { normalize, vectorNorm } from './ops/vector-norm.ts';
export { Adam, type AdamOptions, AdamW } from './optim/adam.ts';
export { clipGradNorm, clipGradValue } from './optim/clipping.ts';
export { GradScaler, type GradScalerOptions, type GradScalerState } from './optim/grad-scaler.ts';
export { GradientAccumulator } from './optim/gradient-accumulator.ts';
export { MovingAverage } from './optim/moving-average.ts';
export { Optimizer, type OptimizerCounters } from './optim/optimizer.ts';
export type { ParameterGroup, Trained } from './optim/parameter-groups.ts';
export { constantSchedule, cosineSchedule, type Schedule, stepSchedule, warmUp } from './optim/schedules.ts';
export { SGD, type SGDOptions } from './optim/sgd.ts';
export { loadTraining, saveTraining, type TrainingParts } from './optim/training-file.ts';
export { type CapturedStep, type CaptureOptions, capture } from './tensor/capture.ts';
export { type DType, type FloatType, supportsF16, type TypedArray } from './tensor/dtype.ts';
export type { NestedArray, TensorData } from './tensor/elements.ts';
export { borrow, type Lease } from './tensor/embedding/borrow.ts';
export { copyTo, encode, recordInto, submitted } from './tensor/embedding/encoder.ts';
export { type WrapOptions, wrap } from './tensor/embedding/wrap.ts';
export { Engine, type EngineOptions, type GuestOptions } from './tensor/engine.ts';
export { Random } from './tensor/random.ts';
export type { NormalOptions, RandomSource, UniformOptions } from './tensor/random-tensors.ts';
export type { Shape } from './tensor/shape.ts';
export { Tensor } from './tensor/tensor.ts';
