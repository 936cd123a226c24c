/** A sweep of `bench/sweeps` with the results that are recorded of it. */
import { readdir } from 'node:fs/promises';
import { type Planned, planSweep } from '../../src/cli/sweep-plan.ts';
import { ownResults, ResultsFile, type SweepResult } from '../../src/sweep/results.ts';

const SWEEPS = 'bench/sweeps';
const RESULTS = 'bench/results/sweeps';

export interface RecordedSweep extends Planned {
  readonly name: string;
  /** Of runs that are the sweep's as it is now, in its order and by its names for them. */
  readonly results: readonly SweepResult[];
}

/** Where a sweep's file is, and where its results go. */
export const pathsOf = (name: string) => ({ file: `${SWEEPS}/${name}.json`, results: `${RESULTS}/${name}.jsonl` });

/** Where a sweep is learnt. */
export const sweepFolderOf = (name: string): string => `runs/sweeps/${name}`;

/** Where one of its runs is learnt. */
export const runFolderOf = (name: string, run: string): string => `${sweepFolderOf(name)}/runs/${run}`;

/** Those whose names begin with one of these; all of them where none is given. */
export async function sweepNames(prefixes: readonly string[] = []): Promise<string[]> {
  const names = (await readdir(SWEEPS)).flatMap((file) => (file.endsWith('.json') ? [file.slice(0, -5)] : []));
  return names.filter((name) => prefixes.length === 0 || prefixes.some((prefix) => name.startsWith(prefix))).sort();
}

/** @throws {DataError | ConfigError} for a file that is no sweep, or a line that is no result. */
export async function recordedSweep(name: string): Promise<RecordedSweep> {
  const { file, results: path } = pathsOf(name);
  const planned = await planSweep(file);
  const recorded = await ResultsFile.read(path);
  return { ...planned, name, results: ownResults(planned.runs, recorded) };
}

/** Orders of the classes, with seeds, in which each configuration is to be run. */
export const orderCount = ({ runs }: Pick<RecordedSweep, 'runs'>): number => new Set(runs.map(({ pair }) => pair)).size;

/** A label without what it says of one setting: what configurations have in common that differ in it alone. */
export const withoutSetting = (label: string, key: string): string => label.replace(new RegExp(` ${key}=\\S+`), '');

/** Adds what other sweeps have recorded of this one's runs to its results, under its own names for them: a run is its settings. */
export async function takeOver({ name, runs }: RecordedSweep): Promise<void> {
  const own = await ResultsFile.open(pathsOf(name).results);
  for (const other of await sweepNames()) {
    const recorded = await ResultsFile.read(pathsOf(other).results);
    for (const result of ownResults(runs, recorded)) await own.add(result);
  }
}
