/**
 * Streams of tasks cut from data sets, learnt and tested one after the other, with the field's metrics and records that can be
 * resumed. A {@link Benchmark} feeds a learner of `engram/continual`.
 * @module engram/benchmark
 */
// Nothing inside `src` imports this file.
export {
  Benchmark,
  type BenchmarkEvent,
  type RunTaskOptions,
  type SavedRun,
  type TestedTaskEvent,
} from '../continual/benchmark/benchmark.ts';
export type { MetricsLine } from '../continual/benchmark/benchmark-state.ts';
export { type Config, type ConfigInput, parseConfig, settingsFor } from '../continual/benchmark/config.ts';
export {
  accuracyCurve,
  averageIncremental,
  confusionAccuracies,
  lastAccuracy,
  taskAccuracies,
} from '../continual/benchmark/metrics/accuracy.ts';
export { expectedCalibrationError, joinedCalibration } from '../continual/benchmark/metrics/calibration-error.ts';
export {
  accuracyMatrix,
  type Head,
  headMatrix,
  type SparseCounts,
  sparseCounts,
  type TestedPart,
  type TestedStages,
  taskIncrementalMatrix,
} from '../continual/benchmark/metrics/counts.ts';
export { firstLastForgetting, forgetting, incrementForgetting } from '../continual/benchmark/metrics/forgetting.ts';
export type { AccuracyMatrix } from '../continual/benchmark/metrics/matrix.ts';
export { harmonicMean, type OldNew, oldNewSplit } from '../continual/benchmark/metrics/old-new.ts';
export {
  type Accuracies,
  type CountedFigures,
  type Summary,
  type SummaryInput,
  summarize,
} from '../continual/benchmark/metrics/summary.ts';
export { taskConfusion } from '../continual/benchmark/metrics/task-confusion.ts';
export { backwardTransfer, forwardTransfer, type ZeroShot } from '../continual/benchmark/metrics/transfer.ts';
export { recordOf } from '../continual/benchmark/record-of.ts';
export { runFiles, savedConfig } from '../continual/benchmark/run-files.ts';
export { parseRunRecord, type RunRecord } from '../continual/benchmark/run-record.ts';
export { type DomainKind, Scenario, type ScenarioOptions } from '../continual/benchmark/scenario.ts';
export {
  type ImagesByClass,
  type IndicesByClass,
  type StreamConfig,
  TaskStream,
} from '../continual/benchmark/task-stream.ts';
