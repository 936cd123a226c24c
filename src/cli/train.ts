/** `engram train`: one run, from its settings to its report. */
import picocolors from 'picocolors';
import { type Config, parseConfig } from '../continual/benchmark/config.ts';
import type { RunRecord } from '../continual/benchmark/run-record.ts';
import { TaskStream } from '../continual/benchmark/task-stream.ts';
import type { AnyDataset, DatasetSplit } from '../data/dataset.ts';
import { ConfigError, EngramError } from '../errors.ts';
import { printable } from '../gpu/printable.ts';
import { type Typed, typedSettings } from './assignments.ts';
import type { GivenSettings } from './config-flags.ts';
import { learn } from './learn.ts';
import { isMethodFile } from './method-choice.ts';
import { type MethodFile, originOf } from './method-file.ts';
import { printResults } from './results.ts';
import { assertData, assertRunData, openRunData } from './run-data.ts';
import { assertUnused, RunFolder, unusedName } from './run-folder.ts';
import { checkAgreement, mergeSettings, placesNow, readConfigFile } from './settings.ts';
import { withEngine } from './with-engine.ts';

export interface TrainOptions {
  flags: GivenSettings;
  /** Settings as `memory=1000`. */
  set?: readonly string[];
  config?: string;
  out?: string;
  resume?: boolean;
  /** A method that is not built in. */
  own?: MethodFile | undefined;
  /** Epochs after which the state of a task is saved. */
  saveEvery: number;
  /** Keep the model after each task. */
  keepStages?: boolean;
  /** Write TensorBoard's events too. */
  tensorboard?: boolean;
}

export async function train(options: TrainOptions): Promise<void> {
  const { config: file, resume, own, set = [] } = options;
  const typed = typedSettings(named(options.flags, own), set, own?.method);
  const { method } = typed.settings;
  const fromFile = file === undefined ? {} : named(await readConfigFile(file, method, own?.method), own);
  if (resume) await goOn(typed, fromFile, options);
  else await begin(mergeSettings(typed, fromFile, own?.method), options);
}

/** Settings with the method's name in place of its file's. */
const named = (settings: GivenSettings, own: MethodFile | undefined): GivenSettings =>
  own && isMethodFile(settings.method) ? { ...settings, method: own.method.name } : settings;

async function begin(
  settings: GivenSettings,
  { out, own, saveEvery, keepStages = false, tensorboard = false }: TrainOptions,
): Promise<void> {
  const method = own?.method;
  const config = parseConfig({ ...settings, ...(own ? originOf(own) : {}) }, 'settings', method);
  const dataName = config.data.replace(/\/+$/, '').split('/').at(-1);
  const anyName = () => unusedName(`runs/${config.method}-${dataName}`);
  let path = out ?? (await anyName());
  await assertUnused(path);
  await assertData(config.data, '--data FOLDER');
  const split = await openRunData(config);
  printNotes(split);
  const create = async (complete: Config) => {
    // Another run may have taken the name meanwhile.
    path = out ?? (await anyName());
    return RunFolder.create(path, complete, method);
  };
  const options = { saveEvery, keepStages, tensorboard, method };
  const record = await withEngine((engine) => learn(engine, split, config, create, options));
  finish(record, path);
}

/** What was left out of the data, or decided for people. */
function printNotes({ notes = [] }: DatasetSplit<AnyDataset>): void {
  for (const note of notes) console.log(picocolors.dim(`data      ${printable(note)}`));
}

async function goOn(
  typed: Typed,
  file: GivenSettings,
  { out, own, saveEvery, keepStages = false, tensorboard = false }: TrainOptions,
): Promise<void> {
  if (out === undefined) {
    throw new ConfigError({
      where: '--resume',
      message: 'it is not said which run to go on with.',
      fix: 'Name its folder: --resume --out runs/NAME.',
    });
  }
  const method = own?.method;
  const folder = await RunFolder.open(out, method);
  try {
    checkAgreement(folder.config, typed, file, out);
    const moved = placesNow(folder.config, typed);
    const config: Config = { ...folder.config, ...moved, ...(own ? originOf(own) : {}) };
    await assertRunData(out, config);
    const split = await openRunData(config);
    if ('data' in moved) assertDealt(config, split, out);
    const record = await withEngine((engine) =>
      learn(engine, split, config, async () => folder, { saveEvery, keepStages, tensorboard, method }),
    );
    finish(record, out);
  } finally {
    await folder.close();
  }
}

/**
 * Data that the tasks cannot even be cut from are others than those the run began with; whether those that can are, the
 * checkpoint knows.
 * @throws {ConfigError}
 */
function assertDealt(config: Config, split: DatasetSplit<AnyDataset>, folder: string): void {
  try {
    TaskStream.of(config, split);
  } catch (cause) {
    if (!(cause instanceof EngramError)) throw cause;
    throw new ConfigError({
      where: '--data',
      message: `the data in ${config.data} are not those that the run in ${folder} began with: ${cause.reason.replace(/\.$/, '')}.`,
      fix: 'Give the place where the data of the run lie now.',
      cause,
    });
  }
}

const finish = (record: RunRecord, path: string): void => printResults(record, `${path}/report.html`);
