/** A run's last weights as a teacher, with the images it was trained and tested on. */
import { files } from '#files';
import { Benchmark } from '../../continual/benchmark/benchmark.ts';
import { readBenchmarkState } from '../../continual/benchmark/benchmark-state.ts';
import { type Config, parseConfig } from '../../continual/benchmark/config.ts';
import type { ImagesByClass } from '../../continual/benchmark/task-stream.ts';
import { labelsOf } from '../../continual/class-images.ts';
import type { LabelledImages } from '../../continual/compression/compression.ts';
import type { LearnerSettings } from '../../continual/learner-settings.ts';
import { readLearner } from '../../continual/learner-state.ts';
import type { IncrementalModel } from '../../continual/method.ts';
import { taskRecipe } from '../../continual/recipe.ts';
import { className, type DatasetSplit, type Normalization } from '../../data/dataset.ts';
import { fingerprint } from '../../data/fingerprint.ts';
import { type ImageFormat, joinImages } from '../../data/image-bytes.ts';
import { allInMemory, type Images } from '../../data/stored-images.ts';
import { ConfigError, DataError } from '../../errors.ts';
import type { AnyModule } from '../../nn/module.ts';
import type { Engine } from '../../tensor/engine.ts';
import { loadRunData } from '../run-data.ts';
import { checkpointIn } from '../run-files.ts';

/** A run's folder as far as it is read without a device. */
export interface SavedTeacher {
  readonly where: string;
  readonly bytes: Uint8Array;
  readonly config: Config;
  readonly split: DatasetSplit;
}

export interface Teacher {
  readonly model: IncrementalModel;
  /** Names of its classes, in the order of the logits. */
  readonly names: readonly string[];
  /** The name of a class by its number in the data. */
  nameOf(label: number): string;
  /** Classes that each task brought. */
  readonly taskSizes: readonly number[];
  readonly format: ImageFormat & Normalization;
  readonly train: LabelledImages;
  readonly test: LabelledImages;
  /** How its first task was trained. */
  readonly training: LearnerSettings;
  readonly config: Config;
  /** Tells its weights from others. */
  readonly fingerprint: string;
  dispose(): void;
}

/**
 * @param data where the data lie, where not as the run had them.
 * @throws {DataError} for a folder without weights, and missing data.
 * @throws {CheckpointError | ConfigError} for weights that are damaged, or of a method that is not built in.
 */
export async function readTeacher(folder: string, data?: string): Promise<SavedTeacher> {
  const where = await checkpointIn(
    folder,
    'Give --teacher the folder of a run, such as runs/NAME, that has learnt at least one task.',
  );
  const bytes = await files.read(where);
  const { config: saved } = readBenchmarkState(readLearner(bytes, where).metadata, where);
  const config = parseConfig(data === undefined ? saved : { ...saved, data }, where);
  return { where, bytes, config, split: await readData(config, folder) };
}

/** @throws {DataError} that says whose data are missing. */
async function readData(config: Config, folder: string): Promise<DatasetSplit> {
  try {
    return await loadRunData(config);
  } catch (cause) {
    if (!(cause instanceof DataError)) throw cause;
    throw new DataError({
      where: cause.where,
      message: `the data of the run in ${folder} cannot be read: ${cause.reason.replace(/\.$/, '')}.`,
      fix: 'Say where they lie by --data FOLDER.',
      cause,
    });
  }
}

/**
 * @throws {CheckpointError} when weights or data are not those of the run.
 * @throws {ConfigError} for a model of several networks.
 */
export async function loadTeacher(engine: Engine, { where, bytes, config, split }: SavedTeacher): Promise<Teacher> {
  const benchmark = new Benchmark(engine, split, config);
  try {
    await benchmark.resume({ checkpoint: { bytes, where } });
    const { learner, stream, tasksDone } = benchmark;
    const { model, classes: names, taskSizes, imageFormat: format } = learner;
    if (!model || !format) throw new DataError({ where, message: 'the run has learnt no task.' });
    assertOneNetwork(model, config.method, where);
    const tasks = Array.from({ length: tasksDone }, (_, task) => task);
    const lots = (of: (task: number) => ImagesByClass<Images>) => labelled(tasks.map(of), names, where);
    return {
      model,
      names,
      nameOf: (label) => className(split.train, label),
      taskSizes,
      format,
      train: lots((task) => stream.train(task)),
      test: lots((task) => stream.test(task)),
      training: { ...learner.training, ...taskRecipe(learner.training, 0) },
      config: benchmark.config,
      fingerprint: fingerprint([bytes]),
      dispose: () => benchmark.dispose(),
    };
  } catch (error) {
    benchmark.dispose();
    throw error;
  }
}

/** The networks that a model is put together from, by what has features of its own; none where it is one itself. */
const networksIn = (model: AnyModule): AnyModule[] =>
  [...model.children()].flatMap(([, child]) => ('featureSize' in child ? [child] : networksIn(child)));

/** @throws {ConfigError} */
function assertOneNetwork(model: IncrementalModel, method: string, where: string): void {
  const networks = networksIn(model).length;
  if (networks <= 1) return;
  throw new ConfigError({
    where,
    message: `the teacher has to be one network, and the model of "${method}" has ${networks} of them side by side.`,
    fix: 'Take a run by a method with one network, such as joint, fdkd, or foster, which compresses after each task.',
  });
}

function labelled(tasks: readonly ImagesByClass<Images>[], names: readonly string[], where: string): LabelledImages {
  const images = allInMemory(
    tasks.flatMap((lots) => [...lots.values()]),
    where,
  );
  const labels = Int32Array.from(tasks.flatMap((lots) => [...labelsOf(lots, names)]));
  return { images: joinImages(images, where), labels };
}
