/** What a run leaves to be read, made from its state. */

import { version } from '../../../package.json';
import type { Benchmark } from './benchmark.ts';
import { logOf } from './run-log.ts';
import type { RunRecord } from './run-record.ts';

/**
 * Once a task is finished.
 * @param name the run's own.
 */
export function recordOf(benchmark: Benchmark, name: string): RunRecord {
  const { matrix, average, last, forgetting } = benchmark.summary;
  const { lines, learner, config, scenario, stages, zeroShots } = benchmark;
  return {
    name,
    version,
    method: benchmark.method.name,
    dataset: config.data,
    config,
    classesPerTask: scenario.taskSizes,
    classOrder: [...scenario.classOrder],
    matrix: matrix.map((row) => [...row]),
    average,
    last,
    forgetting,
    tests: stages,
    zeroShots,
    ...logOf(lines),
    ...(learner.scaler
      ? { skippedSteps: lines.reduce((n, line) => n + (line.type === 'task' ? line.skippedSteps : 0), 0) }
      : {}),
    adapter: benchmark.adapters.join(', then '),
    date: benchmark.began,
    seconds: lines.reduce((total, line) => total + (line.type === 'task' ? line.seconds : 0), 0),
  };
}
