/** Runs a learner in its folder: reports progress, writes records, and stops cleanly when asked to. */

import picocolors from 'picocolors';
import { files } from '#files';
import { restoreCheckpoint, saveCheckpoint } from '../continual/checkpoint.ts';
import type { Config, RunConfig } from '../continual/config.ts';
import { Learner } from '../continual/learner.ts';
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

/**
 * Learns every task that is left; `folderOf` gives the folder, for the configuration as it is recorded, once everything is
 * known to fit, so that a mistake leaves nothing behind. One that shows in the first task takes a folder that was made for it
 * away again.
 * @param quiet do not print where the folder is.
 * @throws Interrupted after Ctrl-C, when all is written.
 * @throws {CheckpointError | ConfigError | DataError}
 */
export async function learn(
  engine: Engine,
  split: DatasetSplit,
  config: Config,
  folderOf: (config: RunConfig) => Promise<RunFolder>,
  { quiet = false }: { quiet?: boolean } = {},
): Promise<RunRecord> {
  const learner = new Learner(engine, split, config);
  try {
    await tryNetwork(learner);
    const folder = await folderOf(learner.config);
    return await learnIn(folder, learner, split, quiet).catch(async (error) => {
      // The first failure is the one reported.
      if (!(error instanceof Interrupted) && learner.tasksDone === 0) await folder.discard().catch(() => undefined);
      throw error;
    });
  } finally {
    learner.dispose();
  }
}

/**
 * A network that cannot be built is a mistake too.
 * @throws {ConfigError}
 */
async function tryNetwork(learner: Learner): Promise<void> {
  try {
    learner.createModel(learner.scenario.classOrder.length).dispose();
    await learner.engine.sync();
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

async function learnIn(folder: RunFolder, learner: Learner, split: DatasetSplit, quiet: boolean): Promise<RunRecord> {
  const saved = await folder.checkpoint();
  if (saved) restoreCheckpoint(learner, saved.bytes, saved.where);
  await folder.cutBack(learner.tasksDone);
  const after = saved ? picocolors.dim(`, after task ${learner.tasksDone} of ${learner.scenario.tasks.length}`) : '';
  if (!quiet) console.log(`${picocolors.dim(`folder    ${printable(folder.path)}`)}${after}`);
  await learnTasks(learner, split, folder);
  const record = recordOf(learner, folder);
  await folder.saveRecord(record);
  await files.write(folder.file('report.html'), reportPage([record]));
  return record;
}

async function learnTasks(learner: Learner, split: DatasetSplit, folder: RunFolder): Promise<void> {
  if (learner.tasksDone === learner.scenario.tasks.length) return;
  const signal = new StopSignal();
  const progress = new Progress(plannedImages(learner, split), learner.tasksDone);
  try {
    for await (const event of learner.run()) {
      progress.report(event);
      if (event.type === 'epoch' || event.type === 'task') await folder.add(event);
      if (event.type === 'task') {
        // After the metrics: what the checkpoint does not know is cut off again, what it knows is there.
        await folder.saveCheckpoint(await saveCheckpoint(learner));
        await folder.saveRecord(recordOf(learner, folder));
      }
      if (signal.code > 0 && learner.tasksDone < learner.scenario.tasks.length) {
        throw new Interrupted(howToGoOn(learner, folder), signal.code);
      }
    }
  } catch (error) {
    progress.stop();
    // What the settings lead to, they lead to again.
    const again = error instanceof ConfigError || error instanceof ArgumentError || error instanceof Interrupted;
    if (!again && (await folder.checkpoint())) console.log(printable(howToGoOn(learner, folder)));
    throw error;
  } finally {
    progress.stop();
    signal.dispose();
  }
}

function howToGoOn({ tasksDone, scenario }: Learner, { path }: RunFolder): string {
  const kept =
    tasksDone === 0
      ? 'The first task was not finished yet.'
      : `${tasksDone === 1 ? 'The first task is' : `The first ${tasksDone} of ${scenario.tasks.length} tasks are`} saved.`;
  return `Stopped. ${kept} To go on: ${ownName()} train --resume --out ${path}`;
}

function recordOf(learner: Learner, folder: RunFolder): RunRecord {
  const { matrix, average, last, forgetting } = learner.summary;
  return {
    name: folder.name,
    method: learner.method.name,
    dataset: learner.config.data,
    config: learner.config,
    classesPerTask: learner.scenario.taskSizes,
    classOrder: [...learner.scenario.classOrder],
    matrix: matrix.map((row) => [...row]),
    average,
    last,
    forgetting,
    losses: folder.metrics.flatMap((line) =>
      line.type === 'epoch'
        ? [{ task: line.task, epoch: line.epoch, loss: line.loss, imagesPerSecond: line.images / line.seconds }]
        : [],
    ),
    ...(learner.scaler
      ? { skippedSteps: folder.metrics.reduce((n, line) => n + (line.type === 'task' ? line.skippedSteps : 0), 0) }
      : {}),
    adapter: learner.engine.adapterDescription,
    date: folder.date,
    seconds: folder.metrics.reduce((total, line) => total + (line.type === 'task' ? line.seconds : 0), 0),
  };
}
