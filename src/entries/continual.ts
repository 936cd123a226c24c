/**
 * The {@link ContinualLearner}, which takes classes as they come, and what methods of your own are made with.
 * @module engram/continual
 */
// Nothing inside `src` imports this file.
export { alignmentSettings, alignTask, alignWeights } from '../continual/alignment.ts';
export { balancedImages } from '../continual/balanced.ts';
export { CALIBRATION_BINS, type Calibration } from '../continual/calibration.ts';
export type { ClassImages } from '../continual/class-images.ts';
export {
  accuracyOf,
  Compression,
  type CompressionEvent,
  type CompressionOptions,
  type LabelledImages,
  type StudentEvent,
  type StudentOptions,
} from '../continual/compression/compression.ts';
export {
  COMPRESSION_LOSSES,
  type CompressionLoss,
  type CompressionSettings,
  type CompressionSettingsInput,
} from '../continual/compression/settings.ts';
export { countWeights, type WeightCount } from '../continual/compression/size.ts';
export { imagesPerSecond, type SpeedOptions } from '../continual/compression/speed.ts';
export { type StudentFileOptions, saveStudent } from '../continual/compression/student-file.ts';
export {
  checkDistill,
  DISTILLS,
  type Distill,
  type Distillation,
  type DistillationOptions,
  type DistilledTask,
  distillation,
  distillationSettings,
  distillSettings,
  distillTerm,
  drawSeed,
  sizesOf,
} from '../continual/distillation.ts';
export type {
  EpochEvent,
  LearnerEvent,
  NoticeEvent,
  ProgressEvent,
  StepEvent,
  TaskEvent,
} from '../continual/events.ts';
export { ContinualLearner } from '../continual/learner.ts';
export type { ExecutionSettings, LearnerSettings, Recipe, Selection } from '../continual/learner-settings.ts';
export type {
  EvaluateOptions,
  Evaluation,
  Heads,
  KeptImage,
  LearnerOptions,
  LearnOptions,
  LoadLearnerOptions,
  Prediction,
} from '../continual/learner-types.ts';
export { type Exemplar, ExemplarMemory, type MemoryOptions, type ReadonlyExemplarMemory } from '../continual/memory.ts';
export {
  type AnyMethod,
  type Batch as MethodBatch,
  type Drawn,
  defineMethod,
  type IncrementalModel,
  type LinearModel,
  type Method,
  type ModelContext,
  type Outputs,
  type Phase,
  type PredictionContext,
  type Predictor,
  type Task,
  type TaskPlan,
} from '../continual/method.ts';
export { backboneOf, defaultModel, networkOptions } from '../continual/model.ts';
export {
  type Backbone,
  defineNetwork,
  type Extractor,
  type Network,
  type NetworkContext,
  type NetworkFeatures,
  withNetwork,
} from '../continual/network.ts';
export { type NetworkFile, networkFile } from '../continual/network-file.ts';
export { mobileNetV2, type NetworkName, wideResNet } from '../continual/networks.ts';
export {
  choiceSetting,
  type NumberLimits,
  numberSetting,
  type Setting,
  type Settings,
  setting,
  switchSetting,
  type ValuesOf,
  wholeSetting,
} from '../continual/setting.ts';
