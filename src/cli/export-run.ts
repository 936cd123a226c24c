/** `engram export`: what a run learnt and recorded, for other programs. */
import { basename, resolve } from 'node:path';
import { joinPath } from '../data/files.ts';
import { ConfigError } from '../errors.ts';
import { clipped, printable } from '../gpu/printable.ts';
import { assertEventFolder, assertFolderOfRuns, writeEvents } from './event-folder.ts';
import { type ExportOptions, exportNetwork } from './export.ts';
import { exportTables } from './export-csv.ts';
import { type ReadRun, readRuns } from './read-run.ts';
import { EVENTS } from './run-files.ts';

export interface RunExportOptions extends ExportOptions {
  /** The folder of the runs' folders; one in each run's own by default. */
  readonly tensorboard?: string | true;
  /** The folder of the tables; in the run's own, or beside the first of several, by default. */
  readonly csv?: string | true;
}

/**
 * Several runs by their names.
 * @throws {ConfigError} where two have the same.
 */
function namesOf(folders: readonly string[]): string[] {
  const names = folders.map((folder) => basename(resolve(folder)));
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice === undefined) return names;
  throw new ConfigError({
    where: 'engram export',
    message: `two runs are called "${clipped(twice)}": their events would lie in one folder.`,
    fix: 'Export them into folders of their own, or leave the folder out: then they lie beside each run.',
  });
}

/**
 * TensorBoard's events of runs, a folder each.
 * @throws {ConfigError | DataError} before anything is written, where something else is in a folder.
 */
async function exportEvents(runs: readonly ReadRun[], to: string | true): Promise<void> {
  const folders = runs.map(({ path }) => path);
  const names = to === true ? [] : namesOf(folders);
  if (to !== true) await assertFolderOfRuns(to);
  const places = folders.map((folder, at) => (to === true ? joinPath(folder, EVENTS) : joinPath(to, names[at]!)));
  for (const place of places) await assertEventFolder(place);
  for (const [at, { record }] of runs.entries())
    console.log(`events    ${printable((await writeEvents(places[at]!, record)).path)}`);
}

/**
 * @throws {ConfigError} when it is not said what is wanted, or a network is wanted of several runs.
 * @throws {DataError} when there is no run, or nothing can be written.
 */
export async function exportRun(paths: readonly string[], options: RunExportOptions): Promise<void> {
  const { tensorboard, csv, ...network } = options;
  const [first = '', ...others] = paths;
  const wantsNetwork = Object.keys(network).length > 0 || (tensorboard === undefined && csv === undefined);
  if (wantsNetwork && others.length > 0) {
    throw new ConfigError({
      where: 'engram export',
      message: `a network is exported of one run at a time, and ${paths.length} are given.`,
      fix: 'Name one run; of several, --csv and --tensorboard export the records.',
    });
  }
  const runs = tensorboard === undefined && csv === undefined ? [] : await readRuns(paths);
  if (tensorboard !== undefined) await exportEvents(runs, tensorboard);
  if (csv !== undefined) await exportTables(runs, paths, csv);
  if (wantsNetwork) await exportNetwork(first, network);
}
