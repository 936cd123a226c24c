/** A sweep's folder in place of runs' folders: all its finished runs, by the names that the sweep has for them. */
import { files } from '#files';
import { CONFIG } from '../continual/benchmark/run-files.ts';
import { joinPath } from '../data/files.ts';
import { DataError } from '../errors.ts';
import { ResultsFile } from '../sweep/results.ts';
import { SWEEP, SweepFolder } from './sweep-folder.ts';

/** A run's folder. */
export interface NamedFolder {
  readonly path: string;
  /** What its sweep calls it, where it was named by that. */
  readonly name?: string;
}

/** Whether this is the folder of a sweep, and of no run. */
export const isSweepFolder = async (path: string): Promise<boolean> =>
  (await files.exists(joinPath(path, SWEEP))) && !(await files.exists(joinPath(path, CONFIG)));

/** How to mend what takes runs alone, where it is given a sweep's folder. */
export const runsOfSweep = (path: string): string => {
  const folder = path.replace(/\/+$/, '');
  return `This is a sweep's folder, and its runs lie below it: give ${folder}/runs/ID, or ${folder}/runs/* where several are taken.`;
};

/**
 * Folders of runs, with those of each sweep that is among them in its place: of runs that came to their end and lie there.
 * @throws {DataError} for a sweep that has none.
 */
export async function runFolders(paths: readonly string[]): Promise<NamedFolder[]> {
  const found: NamedFolder[] = [];
  for (const path of paths) found.push(...((await isSweepFolder(path)) ? await finishedRuns(path) : [{ path }]));
  return found;
}

async function finishedRuns(path: string): Promise<NamedFolder[]> {
  const { all } = await ResultsFile.read(SweepFolder.resultsOf(path));
  const runs: NamedFolder[] = [];
  for (const { run, label, pair, stopped } of all) {
    const folder = joinPath(SweepFolder.runsOf(path), run);
    if (stopped === undefined && (await files.exists(folder)))
      runs.push({ path: folder, name: [label, pair].filter(Boolean).join(', ') });
  }
  if (runs.length > 0) return runs;
  throw new DataError({
    where: path,
    message: "this is a sweep's folder, and no finished run lies in it.",
    fix: 'Wait for the first one, or give the folders of runs. Those that workers learn lie with the workers.',
  });
}
