/** `engram analyse`: what runs' models are like beyond their accuracies, as a table and a page. */
import { dirname } from 'node:path';
import picocolors from 'picocolors';
import { files } from '#files';
import { analyse as analyseRun } from '../analysis/run/analyse.ts';
import { ANALYSES, type AnalysisName, type AnalysisRecord } from '../analysis/run/analysis-record.ts';
import { joinPath } from '../data/files.ts';
import { printable } from '../gpu/printable.ts';
import { analysisPage } from '../report/analysis-page.ts';
import { analysisTable } from '../report/analysis-table.ts';
import type { Engine } from '../tensor/engine.ts';
import { assertAnalysable, type Elsewhere, openAnalysed } from './analysed-folder.ts';
import { AnalysisProgress } from './analysis-progress.ts';
import { ownName } from './own-name.ts';
import { ANALYSIS_PAGE } from './run-files.ts';
import { namesApart } from './run-names.ts';
import { runFolders } from './sweep-runs.ts';
import { withEngine } from './with-engine.ts';
import { assertWritable, assertWritableFile } from './writable.ts';

export interface AnalyseCommand extends Elsewhere {
  only?: readonly AnalysisName[];
  images: number;
  seed: number;
  out?: string;
  json?: boolean;
}

/**
 * @param folders of runs, or of sweeps, which stand for all their finished runs.
 * @throws {DataError} where a folder holds no run, no weights or nothing can be written, or a run's data are missing.
 * @throws {ConfigError} where a run's method is missing, or another process is at work in its folder.
 * @throws {CheckpointError} where weights are damaged, or data are others than the run's.
 */
export async function analyse(folders: readonly string[], command: AnalyseCommand): Promise<void> {
  const { json = false, out } = command;
  const [first = '.'] = folders;
  const page = out ?? joinPath(folders.length === 1 ? first : dirname(first.replace(/\/+$/, '')), ANALYSIS_PAGE);
  // All mistakes before hours of work.
  const runs = await runFolders(folders);
  for (const { path } of runs) {
    await assertAnalysable(path);
    await assertWritable(path);
  }
  await assertWritableFile(page);
  const records = await withEngine(
    async (engine) => {
      const all: AnalysisRecord[] = [];
      for (const { path } of runs) all.push(await analyseFolder(engine, path, command));
      return all;
    },
    { quiet: json },
  );
  const names = namesApart(
    records.map((record, at) => runs[at]!.name ?? record.name),
    runs.map(({ path }) => path),
  );
  const told = records.map((record, at) => ({ ...record, name: names[at]! }));
  await files.write(page, analysisPage(told));
  if (json) {
    for (const record of told) console.log(JSON.stringify(record));
    return;
  }
  console.log(analysisTable(told));
  console.log(`page      ${printable(page)}`);
}

async function analyseFolder(engine: Engine, path: string, command: AnalyseCommand): Promise<AnalysisRecord> {
  const { only = ANALYSES, images, seed, json = false } = command;
  const say = (line: string) => {
    if (!json) console.log(line);
  };
  const { folder, run, state, known, notices, close } = await openAnalysed(engine, path, { images, seed }, command);
  const progress = new AnalysisProgress(folder.name, json);
  try {
    for (const notice of notices) say(picocolors.yellow(printable(notice)));
    const { record, missing } = await analyseRun(run, {
      name: folder.name,
      state,
      only,
      known,
      onProgress: (name, done, of) => progress.report(name, done, of),
      onMeasured: async (name, record) => {
        progress.done(name);
        await folder.saveAnalysis(record);
      },
    });
    progress.stop();
    for (const line of missingLines(path, missing, run.stages, run.benchmark.tasksDone))
      say(picocolors.yellow(printable(line)));
    return record;
  } finally {
    progress.stop();
    await close();
  }
}

/** What could not be told, and how it can be. */
function missingLines(
  path: string,
  missing: readonly { readonly name: AnalysisName; readonly why: string }[],
  stages: readonly number[],
  tasks: number,
): string[] {
  const how = `${ownName()} train --keep-stages keeps them, from the beginning of a run on.`;
  const reasons = new Map<string, string[]>();
  for (const { name, why } of missing) reasons.set(why, [...(reasons.get(why) ?? []), name]);
  const lines = [...reasons].map(
    ([why, names]) => `${path}: no ${names.join(' and ')}, as ${why}.${tasks > 1 ? ` ${how}` : ''}`,
  );
  const lost = Array.from({ length: tasks }, (_, i) => i + 1).filter((task) => !stages.includes(task));
  return missing.length === 0 && lost.length > 0
    ? [
        `${path}: drift and stability leave out the models after ${lost.length === 1 ? 'task' : 'tasks'} ${lost.join(', ')}, which were not kept. ${how}`,
      ]
    : lines;
}
