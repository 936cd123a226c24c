/**
 * Types that signatures of the other modules name, and that no entry exports: what is written where they stand has them by itself.
 * @module Other types
 */
export type { RecordedBackward } from '../../autograd/tape.ts';
export type { Disposable } from '../../continual/disposables.ts';
export type { DistillationSettings } from '../../continual/distillation.ts';
export type { Batches } from '../../data/array-loader.ts';
export type { DeviceImagesOptions } from '../../data/device-images.ts';
export type { ReadOptions } from '../../data/reader.ts';
export type { GroupSource } from '../../distill/group-kd.ts';
export type { AdapterKind } from '../../gpu/adapter/adapter.ts';
export type { FeedData } from '../../gpu/recording/recording.ts';
export type { Scoped } from '../../gpu/scope.ts';
export type { SafetensorsData, SafetensorsDType } from '../../nn/safetensors.ts';
export type { RecordedGradient } from '../../ops/elementwise/elementwise-op.ts';
export type { NumberArray } from '../../tensor/elements.ts';
