/** Runs a learner in its folder: reports progress, writes records, and stops cleanly when asked to. */

import picocolors from 'picocolors';
import { files } from '#files';
import { Benchmark, type BenchmarkEvent } from '../continual/benchmark/benchmark.ts';
import type { MetricsLine } from '../continual/benchmark/benchmark-state.ts';
import type { Config } from '../continual/benchmark/config.ts';
import { recordOf } from '../continual/benchmark/record-of.ts';
import type { RunRecord } from '../continual/benchmark/run-record.ts';
import type { AnyMethod } from '../continual/method.ts';
import type { AnyDataset, DatasetSplit } from '../data/dataset.ts';
import { ArgumentError, ConfigError, OutOfMemoryError } from '../errors.ts';
import { printable } from '../gpu/printable.ts';
import { saveWeights } from '../nn/weights.ts';
import { counted } from '../report/counted.ts';
import { type ExemplarSheet, exemplarSheet } from '../report/exemplar-sheet.ts';
import { reportPage } from '../report/page.ts';
import type { Engine } from '../tensor/engine.ts';
import { assertEventFolder } from './event-folder.ts';
import { Interrupted } from './exit.ts';
import { LiveEvents } from './live-events.ts';
import { ownName } from './own-name.ts';
import { plannedImages } from './pace.ts';
import { Progress } from './progress.ts';
import type { RunFolder, Saved } from './run-folder.ts';
import { StopSignal } from './stop-signal.ts';

export interface LearnOptions {
  /** Do not print where the folder is. */
  readonly quiet?: boolean;
  /** Epochs after which the state of a task is saved; 0 for never. */
  readonly saveEvery?: number;
  /** Keep the model after each task too; a run that was begun so goes on so. */
  readonly keepStages?: boolean;
  /** Write TensorBoard's events while it learns; a run that was begun so goes on so. */
  readonly tensorboard?: boolean;
  /** One that is not built in. */
  readonly method?: AnyMethod | undefined;
  /** Who follows the run, told of every event; by default a person at a terminal. Arguments as those of {@link Progress}. */
  readonly follow?: (planned: readonly number[], tasksDone: number, begun: number) => Follower;
  /** Called when what was saved is in the folder. */
  readonly onSaved?: (saved: Saved) => void;
}

/** With the file that is written beside the records, where there is one. */
type Following = LearnOptions & { readonly events: LiveEvents | null };

/** Follows a run while it learns. */
export type Follower = Pick<Progress, 'report' | 'stop'>;

/**
 * Learns every task that is left; `folderOf` gives the folder, for the configuration as it is recorded, once everything is
 * known to fit, so that a mistake leaves nothing behind. One that shows in the first task takes a folder that was made for it
 * away again.
 * @throws Interrupted after Ctrl-C, when all is written.
 * @throws {CheckpointError | ConfigError | DataError}
 */
export async function learn(
  engine: Engine,
  split: DatasetSplit<AnyDataset>,
  config: Config,
  folderOf: (config: Config) => Promise<RunFolder>,
  options: LearnOptions = {},
): Promise<RunRecord> {
  const { method } = options;
  const benchmark = new Benchmark(engine, split, config, method);
  try {
    await tryNetwork(benchmark);
    const folder = await folderOf(benchmark.config);
    try {
      return await learnIn(folder, benchmark, options);
    } catch (error) {
      const isVain = leadsThereAgain(error) ? folder.saved.tasks === 0 : !folder.hasState;
      // The first failure is the one reported.
      if (isVain && !(error instanceof Interrupted)) await folder.discard().catch(() => undefined);
      throw error;
    } finally {
      await folder.close();
    }
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
      message: `this network is too large for the device (${cause.where}: ${cause.reason.replace(/\.$/, '')}).`,
      fix: 'Choose a smaller --width or another --model.',
      cause,
    });
  }
}

async function learnIn(folder: RunFolder, benchmark: Benchmark, options: LearnOptions): Promise<RunRecord> {
  const { quiet = false, keepStages = false, tensorboard = false } = options;
  await benchmark.resume(folder.state);
  folder.saved = { tasks: benchmark.tasksDone, epochs: epochsBegun(benchmark).length };
  const notices = await folder.mend(benchmark);
  if (benchmark.tasksDone > 0) await folder.saveRecord(recordOf(benchmark, folder.name));
  const stages = await folder.stages();
  const keeps = keepStages || stages.length > 0;
  // It may have been stopped between a checkpoint and its stage.
  if (keeps && benchmark.tasksDone > 0 && !stages.includes(benchmark.tasksDone)) await keepStage(benchmark, folder);
  if (!quiet) console.log(picocolors.dim(`folder    ${printable(folder.path)}${whereFrom(benchmark)}`));
  for (const notice of [...notices, ...adapterNotice(benchmark)]) console.log(picocolors.yellow(printable(notice)));
  const { eventFolder } = folder;
  const isFollowed = tensorboard || (await files.exists(eventFolder));
  if (isFollowed) await assertEventFolder(eventFolder);
  const events = isFollowed ? await LiveEvents.begin(eventFolder, benchmark, folder.name) : null;
  await learnTasks(benchmark, folder, { ...options, keepStages: keeps, events });
  const record = recordOf(benchmark, folder.name);
  await folder.saveRecord(record);
  await folder.savePage(reportPage([record], { exemplars: [keptBy(benchmark)] }));
  return record;
}

/** Lines of the task under way. */
const epochsBegun = ({ lines, tasksDone }: Benchmark) =>
  lines.flatMap((line) => (line.type === 'epoch' && line.task === tasksDone ? [line] : []));

function whereFrom(benchmark: Benchmark): string {
  const { tasksDone: done, scenario } = benchmark;
  const epochs = epochsBegun(benchmark).length;
  const places = [
    ...(done > 0 ? [`task ${done} of ${scenario.tasks.length}`] : []),
    ...(epochs > 0 ? [`${counted(epochs, 'epoch')} of task ${done + 1}`] : []),
  ];
  return places.length > 0 ? `, after ${places.join(' and ')}` : '';
}

/** What the learner keeps, as its checkpoint holds it. */
function keptBy({ learner: { classes, imageFormat: format, memory } }: Benchmark): ExemplarSheet | undefined {
  return format ? exemplarSheet({ classes, format, exemplars: memory.exemplars }) : undefined;
}

function adapterNotice({ adapters }: Benchmark): string[] {
  const others = adapters.slice(0, -1);
  if (others.length === 0) return [];
  return [
    `This run was begun on ${others.join(', then ')}: on another adapter results may differ in their last digits.`,
  ];
}

async function learnTasks(benchmark: Benchmark, folder: RunFolder, options: Following): Promise<void> {
  const { saveEvery = 0, follow = (...plan) => new Progress(...plan) } = options;
  const tasks = benchmark.scenario.tasks.length;
  if (benchmark.tasksDone === tasks) return;
  const signal = new StopSignal();
  const { stream, method, learner } = benchmark;
  const planned = plannedImages({ stream, method, memory: learner.memory, training: learner.training });
  const begun = epochsBegun(benchmark).reduce((total, { images }) => total + images, 0);
  const progress = follow(planned, benchmark.tasksDone, begun);
  try {
    for await (const event of benchmark.run({ saveEvery })) {
      progress.report(event);
      await keep(event, benchmark, folder, options);
      if (signal.code > 0 && benchmark.tasksDone < tasks && isSaved(event, saveEvery)) {
        await folder.written();
        throw new Interrupted(howToGoOn(folder, tasks), signal.code);
      }
    }
  } catch (error) {
    progress.stop();
    await folder.written().catch(() => undefined);
    if (!leadsThereAgain(error) && !(error instanceof Interrupted) && folder.hasState)
      console.log(printable(howToGoOn(folder, tasks)));
    throw error;
  } finally {
    progress.stop();
    signal.dispose();
  }
}

const keepStage = async ({ learner, tasksDone }: Benchmark, folder: RunFolder): Promise<void> =>
  learner.model ? folder.saveStage(await saveWeights(learner.model), tasksDone) : undefined;

async function keep(
  event: BenchmarkEvent,
  benchmark: Benchmark,
  folder: RunFolder,
  { keepStages = false, onSaved = () => {}, events }: Following,
): Promise<void> {
  const { lines } = benchmark;
  if (event.type === 'epoch') {
    await folder.addMetrics(lines.at(-1) as MetricsLine);
    await events?.add();
  }
  if (event.type === 'progress') {
    const { tasksDone: tasks } = benchmark;
    const saved = { tasks, epochs: epochsBegun(benchmark).length };
    await folder.saveProgress(event.bytes, saved);
    // What fails is thrown where the folder is written to next.
    folder.written().then(
      () => onSaved(saved),
      () => undefined,
    );
  }
  if (event.type === 'task') {
    // First what the others can be made from again.
    await folder.saveCheckpoint(await benchmark.save(), benchmark.tasksDone);
    if (keepStages) await keepStage(benchmark, folder);
    await folder.addMetrics(lines.at(-1) as MetricsLine);
    await folder.saveRecord(recordOf(benchmark, folder.name));
    await events?.add();
    onSaved(folder.saved);
  }
}

/** What the settings lead to, they lead to again. */
const leadsThereAgain = (error: unknown): boolean => error instanceof ConfigError || error instanceof ArgumentError;

/** Whether nothing is lost by stopping here; where epochs are not saved, no place within a task is better than another. */
const isSaved = ({ type }: BenchmarkEvent, saveEvery: number): boolean =>
  saveEvery === 0 || type === 'progress' || type === 'task';

/** @param of tasks of the whole run. */
function howToGoOn({ saved, hasState, path }: RunFolder, of: number): string {
  const { tasks, epochs } = saved;
  const finished = tasks === 1 ? 'The first task is' : `The first ${tasks} of ${of} tasks are`;
  const within = `${counted(epochs, 'epoch')} of task ${tasks + 1}`;
  const said = !hasState
    ? 'Nothing was saved yet.'
    : tasks === 0
      ? `${within} ${epochs === 1 ? 'is' : 'are'} saved.`
      : `${finished} saved${epochs > 0 ? `, and ${within}` : ''}.`;
  return `Stopped. ${said} To go on: ${ownName()} train --resume --out ${path}`;
}
