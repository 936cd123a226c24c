/** A run's folder that is analysed: what is needed of it, and what is said where that is missing. */
import { files } from '#files';
import { AnalysedRun, type AnalysedRunOptions } from '../analysis/run/analysed-run.ts';
import { type AnalysisRecord, parseAnalysis } from '../analysis/run/analysis-record.ts';
import { Benchmark } from '../continual/benchmark/benchmark.ts';
import { CHECKPOINT, CONFIG } from '../continual/benchmark/run-files.ts';
import { joinPath } from '../data/files.ts';
import { fingerprint } from '../data/fingerprint.ts';
import { DataError } from '../errors.ts';
import type { Engine } from '../tensor/engine.ts';
import { methodOfRun } from './method-choice.ts';
import { ownName } from './own-name.ts';
import { assertRunData, loadRunData } from './run-data.ts';
import { ANALYSIS } from './run-files.ts';
import { RunFolder } from './run-folder.ts';

/** @throws {DataError} unless there is a run that has weights. */
export async function assertAnalysable(path: string): Promise<void> {
  const refuse = (message: string, fix: string) => new DataError({ where: path, message, fix });
  if (!(await files.exists(path))) {
    throw refuse('there is no such folder.', 'Give the folder of a run, such as runs/NAME.');
  }
  const [hasConfig, hasWeights] = await Promise.all(
    [CONFIG, CHECKPOINT].map((name) => files.exists(joinPath(path, name))),
  );
  if (!hasConfig) {
    throw refuse(`this is no folder of a run (no ${CONFIG}).`, 'Give the folder of a run, such as runs/NAME.');
  }
  if (hasWeights) return;
  throw refuse(
    `there are no weights here (no ${CHECKPOINT}).`,
    `They are there once a task is finished: ${ownName()} train --resume --out ${path} goes on with the run. ` +
      'Where they were removed, put them back.',
  );
}

/** Where things are that are not where the run found them. */
export interface Elsewhere {
  /** The data set. */
  readonly data?: string | undefined;
  /** The file of a method of one's own. */
  readonly method?: string | undefined;
}

export interface AnalysedFolder {
  readonly folder: RunFolder;
  readonly run: AnalysedRun;
  /** Tells its state from others. */
  readonly state: string;
  /** What was measured of it before. */
  readonly known: AnalysisRecord | null;
  readonly notices: readonly string[];
  close(): Promise<void>;
}

/**
 * @throws {DataError} when there is no run, no weights, or no data.
 * @throws {ConfigError} when another process is at work in the folder, or the run's method is not there.
 * @throws {CheckpointError} when the weights are damaged, or the data are not those of the run.
 */
export async function openAnalysed(
  engine: Engine,
  path: string,
  options: Pick<AnalysedRunOptions, 'images' | 'seed'>,
  elsewhere: Elsewhere,
): Promise<AnalysedFolder> {
  await assertAnalysable(path);
  const own = (await methodOfRun(path, elsewhere.method))?.method;
  const folder = await RunFolder.open(path, own);
  let benchmark: Benchmark | null = null;
  try {
    const { checkpoint } = folder.state;
    const config = { ...folder.config, data: elsewhere.data ?? folder.config.data };
    await assertRunData(path, config);
    benchmark = new Benchmark(engine, await loadRunData(config), config, own);
    await benchmark.resume({ checkpoint: checkpoint ?? null });
    const stages = (await folder.stages()).map((tasks) => {
      const where = folder.stagePath(tasks);
      return { tasks, where, read: () => files.read(where) };
    });
    const run = new AnalysedRun(benchmark, { ...options, stages });
    const opened = benchmark;
    return {
      folder,
      run,
      state: fingerprint(checkpoint ? [checkpoint.bytes] : []),
      ...(await knownOf(folder)),
      async close() {
        run.dispose();
        opened.dispose();
        await folder.close();
      },
    };
  } catch (error) {
    benchmark?.dispose();
    await folder.close();
    throw error;
  }
}

async function knownOf(folder: RunFolder): Promise<{ known: AnalysisRecord | null; notices: string[] }> {
  const text = await folder.analysis();
  if (text === null) return { known: null, notices: [] };
  try {
    return { known: parseAnalysis(text, joinPath(folder.path, ANALYSIS)), notices: [] };
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return { known: null, notices: [`${folder.name}: ${ANALYSIS} was damaged, and all of it is measured again.`] };
  }
}
