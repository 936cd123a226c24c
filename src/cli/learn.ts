/** Runs a learner in its folder: reports progress, writes records, and stops cleanly when asked to. */

import picocolors from 'picocolors';
import { files } from '#files';
import { Benchmark, type BenchmarkEvent } from '../continual/benchmark/benchmark.ts';
import type { MetricsLine } from '../continual/benchmark/benchmark-state.ts';
import type { Config } from '../continual/benchmark/config.ts';
import type { AnyMethod } from '../continual/method.ts';
import type { DatasetSplit } from '../data/dataset.ts';
import { ArgumentError, ConfigError, OutOfMemoryError } from '../errors.ts';
import { printable } from '../gpu/printable.ts';
import { reportPage } from '../report/page.ts';
import type { RunRecord } from '../report/run-record.ts';
import type { Engine } from '../tensor/engine.ts';
import { Interrupted } from './exit.ts';
import { ownName } from './own-name.ts';
import { plannedImages } from './pace.ts';
import { Progress } from './progress.ts';
import type { RunFolder } from './run-folder.ts';
import { StopSignal } from './stop-signal.ts';

export interface LearnOptions {
  /** Do not print where the folder is. */
  readonly quiet?: boolean;
  /** Epochs after which the state of a task is saved; 0 for never. */
  readonly saveEvery?: number;
  /** One that is not built in. */
  readonly method?: AnyMethod | undefined;
}

/**
 * Learns every task that is left; `folderOf` gives the folder, for the configuration as it is recorded, once everything is
 * known to fit, so that a mistake leaves nothing behind. One that shows in the first task takes a folder that was made for it
 * away again.
 * @throws Interrupted after Ctrl-C, when all is written.
 * @throws {CheckpointError | ConfigError | DataError}
 */
export async function learn(
  engine: Engine,
  split: DatasetSplit,
  config: Config,
  folderOf: (config: Config) => Promise<RunFolder>,
  { quiet = false, saveEvery = 0, method }: LearnOptions = {},
): Promise<RunRecord> {
  const benchmark = new Benchmark(engine, split, config, method);
  try {
    await tryNetwork(benchmark);
    const folder = await folderOf(benchmark.config);
    return await learnIn(folder, benchmark, { quiet, saveEvery }).catch(async (error) => {
      // The first failure is the one reported.
      if (!(error instanceof Interrupted) && benchmark.lines.length === 0)
        await folder.discard().catch(() => undefined);
      throw error;
    });
  } finally {
    benchmark.dispose();
  }
}

/**
 * A network that cannot be built is a mistake too.
 * @throws {ConfigError}
 */
async function tryNetwork(benchmark: Benchmark): Promise<void> {
  try {
    await benchmark.tryModel();
  } catch (cause) {
    if (!(cause instanceof OutOfMemoryError)) throw cause;
    throw new ConfigError({
      where: '--width',
      message: `this network is too large for the device (${cause.message.replace(` ${cause.fix}`, '').replace(/\.$/, '')}).`,
      fix: 'Choose a smaller --width or another --model.',
      cause,
    });
  }
}

async function learnIn(
  folder: RunFolder,
  benchmark: Benchmark,
  { quiet, saveEvery }: { quiet: boolean; saveEvery: number },
): Promise<RunRecord> {
  await benchmark.resume(await folder.saved());
  // Where the method lies now is where the next one looks for it.
  if (benchmark.config.methodFile !== folder.config.methodFile) await folder.saveConfig(benchmark.config);
  await folder.writeMetrics(benchmark.lines);
  const done = benchmark.tasksDone;
  const after = done > 0 ? picocolors.dim(`, after task ${done} of ${benchmark.scenario.tasks.length}`) : '';
  if (!quiet) console.log(`${picocolors.dim(`folder    ${printable(folder.path)}`)}${after}`);
  await learnTasks(benchmark, folder, saveEvery);
  const record = recordOf(benchmark, folder);
  await folder.saveRecord(record);
  await files.write(folder.file('report.html'), reportPage([record]));
  return record;
}

async function learnTasks(benchmark: Benchmark, folder: RunFolder, saveEvery: number): Promise<void> {
  const tasks = benchmark.scenario.tasks.length;
  if (benchmark.tasksDone === tasks) return;
  const signal = new StopSignal();
  const { scenario, method, config, learner, images } = benchmark;
  const planned = plannedImages({ scenario, method, memory: learner.memory, config }, images);
  const progress = new Progress(planned, benchmark.tasksDone);
  try {
    for await (const event of benchmark.run({ saveEvery })) {
      progress.report(event);
      if (event.type === 'progress') await folder.saveProgress(event.bytes);
      if (event.type === 'epoch') await folder.addMetrics(event);
      if (event.type === 'task') {
        // First what the others can be made from again.
        await folder.saveCheckpoint(await benchmark.save());
        await folder.addMetrics(benchmark.lines.at(-1) as MetricsLine);
        await folder.saveRecord(recordOf(benchmark, folder));
      }
      if (signal.code > 0 && benchmark.tasksDone < tasks && isSaved(event, saveEvery)) {
        throw new Interrupted(howToGoOn(benchmark, folder), signal.code);
      }
    }
  } catch (error) {
    progress.stop();
    // What the settings lead to, they lead to again.
    const again = error instanceof ConfigError || error instanceof ArgumentError || error instanceof Interrupted;
    if (!again && folder.hasState) console.log(printable(howToGoOn(benchmark, folder)));
    throw error;
  } finally {
    progress.stop();
    signal.dispose();
  }
}

/** Whether nothing is lost by stopping here; where epochs are not saved, no place within a task is better than another. */
const isSaved = ({ type }: BenchmarkEvent, saveEvery: number): boolean =>
  saveEvery === 0 || type === 'progress' || type === 'task';

function howToGoOn(benchmark: Benchmark, folder: RunFolder): string {
  const { tasksDone: done, scenario, lines } = benchmark;
  const tasks = done === 1 ? 'The first task is' : `The first ${done} of ${scenario.tasks.length} tasks are`;
  const epochs = lines.filter(({ type, task }) => type === 'epoch' && task === done).length;
  const within = `${epochs} ${epochs === 1 ? 'epoch' : 'epochs'} of task ${done + 1}`;
  const saved = !folder.hasState
    ? 'Nothing was saved yet.'
    : done === 0
      ? `The first ${within} are saved.`
      : `${tasks} saved${epochs > 0 ? `, and ${within}` : ''}.`;
  return `Stopped. ${saved} To go on: ${ownName()} train --resume --out ${folder.path}`;
}

function recordOf(benchmark: Benchmark, folder: RunFolder): RunRecord {
  const { matrix, average, last, forgetting } = benchmark.summary;
  const { lines, learner, config, scenario } = benchmark;
  return {
    name: folder.name,
    method: benchmark.method.name,
    dataset: config.data,
    config,
    classesPerTask: scenario.taskSizes,
    classOrder: [...scenario.classOrder],
    matrix: matrix.map((row) => [...row]),
    average,
    last,
    forgetting,
    losses: lines.flatMap((line) =>
      line.type === 'epoch'
        ? [{ task: line.task, epoch: line.epoch, loss: line.loss, imagesPerSecond: line.images / line.seconds }]
        : [],
    ),
    ...(learner.scaler
      ? { skippedSteps: lines.reduce((n, line) => n + (line.type === 'task' ? line.skippedSteps : 0), 0) }
      : {}),
    adapter: learner.engine.adapterDescription,
    date: folder.date,
    seconds: lines.reduce((total, line) => total + (line.type === 'task' ? line.seconds : 0), 0),
  };
}
