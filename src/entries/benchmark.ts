/** `engram/benchmark`: streams of tasks cut from data sets, their metrics and records. Nothing inside `src` imports this file. */
export {
  Benchmark,
  type BenchmarkEvent,
  type RunTaskOptions,
  type SavedRun,
  type Summary,
  type TestedTaskEvent,
} from '../continual/benchmark/benchmark.ts';
export type { MetricsLine } from '../continual/benchmark/benchmark-state.ts';
export { type Config, type ConfigInput, parseConfig, settingsFor } from '../continual/benchmark/config.ts';
export {
  type AccuracyMatrix,
  accuracyCurve,
  averageIncremental,
  backwardTransfer,
  confusionAccuracies,
  forgetting,
  lastAccuracy,
  taskAccuracies,
} from '../continual/benchmark/metrics.ts';
export { type DomainKind, Scenario, type ScenarioOptions } from '../continual/benchmark/scenario.ts';
export {
  type ImagesByClass,
  type IndicesByClass,
  type StreamConfig,
  TaskStream,
} from '../continual/benchmark/task-stream.ts';
