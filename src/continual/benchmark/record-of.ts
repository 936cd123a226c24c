/** What a run leaves to be read, made from its state. */
import { version } from '../../../package.json';
import type { Benchmark } from './benchmark.ts';
import { logOf } from './run-log.ts';
import type { RunRecord } from './run-record.ts';

type Figures = Pick<RunRecord, 'matrix' | 'average' | 'last' | 'forgetting'>;

function recordWith(benchmark: Benchmark, name: string, { matrix, average, last, forgetting }: Figures): RunRecord {
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

/**
 * Once a task is finished.
 * @param name the run's own.
 * @throws {ArgumentError} before.
 */
export const recordOf = (benchmark: Benchmark, name: string): RunRecord =>
  recordWith(benchmark, name, { ...benchmark.summary, matrix: benchmark.matrix });

/**
 * Whatever of a run is done.
 * @param name the run's own.
 * @returns before the first task is finished, a record whose figures are NaN, of a matrix without a row.
 */
export function recordSoFar(benchmark: Benchmark, name: string): RunRecord {
  if (benchmark.tasksDone > 0) return recordOf(benchmark, name);
  return recordWith(benchmark, name, { matrix: [], average: Number.NaN, last: Number.NaN, forgetting: Number.NaN });
}
