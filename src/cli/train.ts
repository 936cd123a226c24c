/** `engram train`: one run, from its settings to its report. */
import { parseConfig } from '../continual/benchmark/config.ts';
import { loadDataset } from '../data/load-dataset.ts';
import { ConfigError } from '../errors.ts';
import type { RunRecord } from '../report/run-record.ts';
import type { GivenSettings } from './config-flags.ts';
import { learn } from './learn.ts';
import { printResults } from './results.ts';
import { assertUnused, RunFolder, unusedName } from './run-folder.ts';
import { checkAgreement, mergeSettings, readConfigFile } from './settings.ts';
import { withEngine } from './with-engine.ts';

export interface TrainOptions {
  flags: GivenSettings;
  config?: string;
  out?: string;
  resume?: boolean;
  /** Epochs after which the state of a task is saved. */
  saveEvery: number;
}

export async function train({ flags, config: file, out, resume, saveEvery }: TrainOptions): Promise<void> {
  const fromFile = file === undefined ? {} : await readConfigFile(file);
  if (resume) await goOn(out, flags, fromFile, saveEvery);
  else await begin(out, mergeSettings(flags, fromFile), saveEvery);
}

async function begin(out: string | undefined, settings: GivenSettings, saveEvery: number): Promise<void> {
  const config = parseConfig(settings, 'settings');
  const dataName = config.data.replace(/\/+$/, '').split('/').at(-1);
  const path = out ?? (await unusedName(`runs/${config.method}-${dataName}`));
  await assertUnused(path);
  const split = await loadDataset(config.data);
  const record = await withEngine((engine) =>
    learn(engine, split, config, (complete) => RunFolder.create(path, complete), { saveEvery }),
  );
  finish(record, path);
}

async function goOn(
  out: string | undefined,
  flags: GivenSettings,
  file: GivenSettings,
  saveEvery: number,
): Promise<void> {
  if (out === undefined) {
    throw new ConfigError({
      where: '--resume',
      message: 'it is not said which run to go on with.',
      fix: 'Name its folder: --resume --out runs/NAME.',
    });
  }
  const folder = await RunFolder.open(out);
  checkAgreement(folder.config, flags, file, out);
  const split = await loadDataset(folder.config.data);
  const record = await withEngine((engine) => learn(engine, split, folder.config, async () => folder, { saveEvery }));
  finish(record, out);
}

const finish = (record: RunRecord, path: string): void => printResults(record, `${path}/report.html`);
