/** The runs side by side: of an experiment, or of files; and their files. */
import { DataError, type DatasetSplit, type Engine } from 'engram';
import {
  Benchmark,
  type Config,
  type ConfigInput,
  parseConfig,
  runFiles,
  savedConfig,
  settingsFor,
} from 'engram/benchmark';
import { loadDataset } from 'engram/data';
import { fashionMini, glyphs } from 'engram-data';
import { unzipSync, zipSync } from 'fflate';
import type { GivenFile } from '../shared/given-files.ts';
import { type Experiment, MOST_LEARNERS, WATCHED, type Watched } from './experiment.ts';
import { RECORDING, type Recorded, readRecording, writeRecording } from './recording-file.ts';

const DATA = { 'fashion-mini': fashionMini, glyphs };

/** A run that is to be made, or gone on with. */
export interface Run {
  readonly config: Config;
  readonly checkpoint?: GivenFile;
}

/** What all runs of an experiment have in common beside its settings: the recipe that `npm start` was measured with. */
const recipe = { model: 'resnet8', clip: 1, crop: 1, align: false };

/** The run of one learner, as a command line would have it. */
export const configOf = ({ learners: _, ...settings }: Experiment, method: Watched): Config =>
  parseConfig(settingsFor(method, { ...settings, ...recipe } as ConfigInput), 'settings');

export const runsOf = (experiment: Experiment): Run[] =>
  experiment.learners.map((method) => ({ config: configOf(experiment, method) }));

const refused = (where: string, message: string, fix: string): DataError => new DataError({ where, message, fix });

/** What was found in files. */
export interface Found {
  readonly runs: Run[];
  /** What this page had told of them; `null` for runs from elsewhere. */
  readonly recorded: readonly Recorded[] | null;
}

/**
 * Runs from their checkpoints, by themselves or in an archive.
 * @throws {DataError} where there is none, or too many.
 * @throws {CheckpointError | ConfigError} for one that is damaged or of another version.
 */
export function runsIn(files: readonly GivenFile[]): Found {
  const all = files.flatMap((file) => (file.bytes[0] === 0x50 && file.bytes[1] === 0x4b ? unpacked(file) : [file]));
  const isCheckpoint = ({ name }: GivenFile) =>
    name.endsWith('.safetensors') && !/(progress|recording)\.safetensors$/.test(name);
  const found = all.filter(isCheckpoint);
  const recording = all.find(({ name }) => name.endsWith(RECORDING));
  const where = files.length === 1 ? (files[0] as GivenFile).name : 'files';
  if (found.length === 0) {
    const fix = 'Give the checkpoint.safetensors of a run, its folder, or the archive that this page made.';
    throw refused(where, 'there is no run in it.', fix);
  }
  if (found.length > MOST_LEARNERS) {
    throw refused(where, `${found.length} runs were given.`, `Choose ${MOST_LEARNERS} of them.`);
  }
  return {
    runs: found.map((checkpoint) => ({ config: savedConfig(checkpoint.bytes, checkpoint.name), checkpoint })),
    recorded: recording ? readRecording(recording.bytes, recording.name) : null,
  };
}

function unpacked({ name, bytes }: GivenFile): GivenFile[] {
  try {
    return Object.entries(unzipSync(bytes)).map(([inner, content]) => ({
      name: inner,
      bytes: content as Uint8Array<ArrayBuffer>,
    }));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw refused(name, `the archive is damaged (${reason}).`, 'Download it again.');
  }
}

/** The data that all runs learn. @throws {DataError} for others than the bundled ones. */
export async function dataOf(runs: readonly Run[]): Promise<DatasetSplit> {
  const names = [...new Set(runs.map(({ config }) => config.data))];
  const [name = ''] = names;
  const known = Object.hasOwn(DATA, name) ? DATA[name as keyof typeof DATA] : undefined;
  if (names.length > 1)
    throw refused('runs', `they learn different data: ${names.join(', ')}.`, 'Open those of one set.');
  if (!known) {
    const fix = `This page has ${Object.keys(DATA).join(' and ')}; go on with it by \`engram train --resume\`.`;
    throw refused('runs', `they learn “${name}”.`, fix);
  }
  return loadDataset(known);
}

/**
 * Ready to learn what is left.
 * @throws {ConfigError | DataError | CheckpointError} when a run is known to fail, or is not on the stream of the others.
 */
export async function benchmarksOf(engine: Engine, split: DatasetSplit, runs: readonly Run[]): Promise<Benchmark[]> {
  const made: Benchmark[] = [];
  try {
    for (const { config, checkpoint } of runs) {
      const benchmark = new Benchmark(engine, split, config);
      made.push(benchmark);
      if (checkpoint) {
        await benchmark.resume({ checkpoint: { bytes: checkpoint.bytes, where: checkpoint.name } });
      }
    }
    checkSameStream(made);
    return made;
  } catch (error) {
    for (const benchmark of made) benchmark.dispose();
    throw error;
  }
}

function checkSameStream(benchmarks: readonly Benchmark[]): void {
  const streams = benchmarks.map(({ scenario: { tasks, domains, blurry }, images: { test } }) =>
    JSON.stringify([tasks, domains, blurry, test.labels.length]),
  );
  if (new Set(streams).size > 1) {
    throw refused('runs', 'they learn other classes, or in another order.', 'Side by side stand runs on one stream.');
  }
  if (benchmarks.some(({ scenario }) => scenario.isShared)) {
    throw refused('runs', 'their tasks share classes.', 'This page shows runs whose tasks bring new ones.');
  }
}

/** A name for each run, to be told apart by. */
export function namesOf(benchmarks: readonly Benchmark[]): string[] {
  const names: string[] = [];
  for (const { method } of benchmarks) {
    let [name, next] = [method.name, 2];
    while (names.includes(name)) name = `${method.name}-${next++}`;
    names.push(name);
  }
  return names;
}

/**
 * What a command line writes of each run, in a folder by its name, and beside them what was told of all.
 * @throws {ArgumentError} before the first task of each is finished.
 */
export async function archiveOf(
  benchmarks: readonly Benchmark[],
  recorded: readonly Recorded[],
): Promise<Uint8Array<ArrayBuffer>> {
  const isFinished = (told: Recorded) =>
    told.type === 'begun' || told.task < (benchmarks[told.learner] as Benchmark).tasksDone;
  const files: Record<string, Uint8Array> = { [RECORDING]: writeRecording(recorded.filter(isFinished)) };
  for (const [at, name] of namesOf(benchmarks).entries()) {
    const own = await runFiles(benchmarks[at] as Benchmark, name);
    for (const [file, bytes] of own) files[`${name}/${file}`] = bytes;
  }
  // Weights hardly become smaller.
  return zipSync(files, { level: 1 }) as Uint8Array<ArrayBuffer>;
}

/** Whether what was told is of these runs as they are. */
export function isOf(recorded: readonly Recorded[], benchmarks: readonly Benchmark[]): boolean {
  const [begun] = recorded;
  if (begun?.type !== 'begun') return false;
  const isSame = JSON.stringify(begun.learners.map(({ method }) => method)) === JSON.stringify(namesOf(benchmarks));
  const stages = (learner: number) =>
    recorded.filter((told) => told.type === 'stage' && told.learner === learner).length;
  return isSame && benchmarks.every(({ tasksDone }, learner) => stages(learner) === tasksDone);
}

/** What the page knows of a method; of others than those it offers, that it is one. */
export const poolOf = (method: string) => (Object.hasOwn(WATCHED, method) ? WATCHED[method as Watched].pool : null);
