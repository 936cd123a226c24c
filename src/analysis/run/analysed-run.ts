/** A run that is looked at: its model, those after earlier tasks where they were kept, and images of all its classes. */
import { noGrad } from '../../autograd/tape.ts';
import type { Benchmark } from '../../continual/benchmark/benchmark.ts';
import type { IncrementalModel } from '../../continual/method.ts';
import { buildModel, grownCopy } from '../../continual/model.ts';
import { TaskImages } from '../../continual/task-images.ts';
import { ArgumentError } from '../../errors.ts';
import { loadWeights } from '../../nn/weights.ts';
import { crossEntropy } from '../../ops/cross-entropy.ts';
import { concat } from '../../ops/strided.ts';
import type { Engine } from '../../tensor/engine.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { type LabelledImages, trainingSubset } from './training-subset.ts';

/** Weights after a task, as `engram train --keep-stages` keeps them. */
export interface Stage {
  /** Tasks learnt by then. */
  readonly tasks: number;
  /** Names it in errors. */
  readonly where: string;
  /** The bytes of the file. */
  read(): Promise<Uint8Array>;
}

/** On what a run is analysed. */
export interface AnalysedRunOptions {
  /** Weights after earlier tasks; none by default. */
  stages?: readonly Stage[];
  /** Training images, of all tasks together: 1024 by default, or as many as there are. */
  images?: number;
  /** Of the choice of images, and of all that is random in what is measured; 0 by default. */
  seed?: number;
}

/** Images at once. */
const BATCH = 128;

/** A run with what is measured on it: see `analyse`. Models compute in f32, whatever the run was learnt in. */
export class AnalysedRun {
  readonly engine: Engine;
  /** After the last finished task, in inference. */
  readonly model: IncrementalModel;
  /** Training images of all tasks learnt. */
  readonly train: LabelledImages;
  readonly seed: number;
  /** Tasks after which there is a model, ascending; the last one is that of the run as it is. */
  readonly stages: readonly number[];
  private readonly kept: ReadonlyMap<number, Stage>;

  /**
   * @param benchmark a run that was gone on with (`Benchmark.resume`) or has just learnt; it is its owner's.
   * @throws {ArgumentError} before its first task is learnt, and for a number of images below 1.
   */
  constructor(
    readonly benchmark: Benchmark,
    { stages = [], images = 1024, seed = 0 }: AnalysedRunOptions = {},
  ) {
    const { learner, tasksDone } = benchmark;
    if (!learner.model) {
      throw new ArgumentError({
        where: 'AnalysedRun',
        message: 'nothing has been learnt yet.',
        fix: 'Learn a task first.',
      });
    }
    if (!(Number.isInteger(images) && images >= 1)) {
      throw new ArgumentError({ where: 'AnalysedRun', message: `${images} images; at least 1 was expected.` });
    }
    this.engine = benchmark.engine;
    this.seed = seed;
    this.kept = new Map(stages.filter(({ tasks }) => tasks < tasksDone).map((stage) => [stage.tasks, stage]));
    this.stages = [...this.kept.keys(), tasksDone].sort((a, b) => a - b);
    this.train = trainingSubset(benchmark, { count: images, seed });
    const { model, taskSizes } = learner;
    this.model = grownCopy(learner.method, this.context, { model, taskSizes }, 0).unfreeze().eval();
  }

  /** Classes that each task brought, those that brought none left out. */
  get taskSizes(): readonly number[] {
    return this.benchmark.learner.taskSizes;
  }

  /**
   * The mean cross entropy of images by the model's logits, a part a batch.
   * @internal
   */
  loss(images: TaskImages): (() => Tensor)[] {
    const { model } = this;
    const count = images.labels.length;
    return batchesOf(count).map((batch) => () => {
      const logits = model.forward(images.raw(batch));
      return crossEntropy(logits, images.targets(batch)).mul(batch.length / count);
    });
  }

  /**
   * Does something with images on the device.
   * @internal
   */
  async with<T>({ images, labels }: LabelledImages, use: (images: TaskImages) => Promise<T>): Promise<T> {
    const format = this.benchmark.learner.imageFormat;
    if (!format) throw new ArgumentError({ where: 'AnalysedRun', message: 'nothing has been learnt yet.' });
    const uploaded = new TaskImages(this.engine, images, labels, format);
    try {
      return await use(uploaded);
    } finally {
      uploaded.dispose();
    }
  }

  /**
   * Does something with the model after so many tasks, in inference; 0 for the network as initialised.
   * @throws {CheckpointError} when its weights are damaged, or of another model.
   */
  async after<T>(tasks: number, use: (model: IncrementalModel) => Promise<T>): Promise<T> {
    const stage = this.kept.get(tasks);
    if (tasks > 0 && !stage) return use(this.model);
    const { method } = this.benchmark;
    const sizes = stage ? this.sizesAfter(tasks) : this.taskSizes;
    const model = buildModel(method, this.context, sizes).eval();
    try {
      if (stage) loadWeights(model, await stage.read(), stage.where);
      return await use(model);
    } finally {
      model.dispose();
    }
  }

  /** Frees its models; the benchmark is its owner's. */
  dispose(): void {
    this.model.dispose();
  }

  private get context() {
    const { engine } = this;
    const { training, methodSettings: settings, network } = this.benchmark.learner;
    return {
      engine,
      settings,
      network,
      images: this.benchmark.images.train,
      training: { ...training, precision: 'f32', gradientCheckpointing: false },
    } as const;
  }

  /** Classes that the first tasks brought; where all bring the same, those of the first. */
  private sizesAfter(tasks: number): number[] {
    return this.benchmark.scenario.newSizes.slice(0, tasks).filter((size) => size > 0);
  }
}

/** Places of a batch each. */
export const batchesOf = (count: number): number[][] =>
  Array.from({ length: Math.ceil(count / BATCH) }, (_, i) =>
    Array.from({ length: Math.min(BATCH, count - i * BATCH) }, (_, place) => i * BATCH + place),
  );

/** Features of all images, f32 [n, featureSize]; they belong to the caller. */
export function featuresOf(model: IncrementalModel, images: TaskImages): Tensor {
  const { engine } = model;
  return noGrad(engine, () =>
    engine.scope(() =>
      engine.keep(
        concat(
          batchesOf(images.labels.length).map((batch) => engine.scope(() => model.features(images.raw(batch)))),
          0,
        ),
      ),
    ),
  );
}
