/**
 * Learns a scenario task by task: grows the classifier, trains with the method's loss, aligns, keeps exemplars, tests on
 * every class seen. What happens in task t depends on the configuration and on the state after task t − 1 alone, so that
 * a resumed run goes on exactly as if it had never stopped.
 */
import { noGrad } from '../autograd/tape.ts';
import type { DatasetSplit } from '../data/dataset.ts';
import { Prototypes } from '../distill/weighting.ts';
import type { Engine } from '../gpu/engine.ts';
import { ConfigError } from '../gpu/errors.ts';
import { copyModule } from '../nn/copy.ts';
import { createResNet, type ResNet } from '../nn/resnet.ts';
import { GradScaler, type GradScalerState } from '../optim/grad-scaler.ts';
import { type FloatType, supportsF16 } from '../tensor/dtype.ts';
import { Random } from '../tensor/random.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { alignWeights } from './alignment.ts';
import type { Config } from './config.ts';
import type { LearnerEvent } from './events.ts';
import { fitTask } from './fit.ts';
import { type LearnerImages, prepareImages } from './images.ts';
import { ExemplarMemory, herding, randomSelection } from './memory.ts';
import type { Method } from './method.ts';
import { methods } from './methods.ts';
import { accuracyCurve, averageIncremental, forgetting, lastAccuracy, taskAccuracies } from './metrics.ts';
import { Scenario } from './scenario.ts';

export interface Summary {
  /** Row t: accuracy in percent on tasks 0 … t after task t. */
  matrix: readonly (readonly number[])[];
  /** Accuracy over all classes seen after each task. */
  curve: readonly number[];
  average: number;
  last: number;
  forgetting: number;
}

const EVALUATION_BATCH = 128;

export class Learner {
  readonly scenario: Scenario;
  readonly memory: ExemplarMemory;
  readonly matrix: number[][] = [];
  readonly method: Method;
  /** The model after the last task; none before the first. */
  model: ResNet | null = null;
  /** How activations are stored: as configured, where the device has it. */
  readonly precision: FloatType;
  /** Scales the loss for f16, over all tasks. */
  readonly scaler: GradScaler | null;
  private readonly train: LearnerImages;
  private readonly test: LearnerImages;

  /**
   * @param method one of your own, or the configured one.
   * @throws ConfigError, DataError when the configuration does not fit the data.
   */
  constructor(
    readonly engine: Engine,
    split: DatasetSplit,
    readonly config: Config,
    method?: Method,
  ) {
    this.method = method ?? methods[config.method];
    this.scenario = new Scenario({ ...config, classes: split.train.classes });
    this.memory = new ExemplarMemory({ total: config.memory, perClass: config.memoryPerClass });
    if (this.method.data === 'memory') this.memory.quota(this.scenario.classOrder.length);
    this.precision = supportsF16(engine) ? config.precision : 'f32';
    const { train, test } = prepareImages(engine, split, config);
    this.train = train;
    this.test = test;
    const empty = this.scenario.classOrder.find(
      (label) => train.byClass[label]?.length === 0 || test.byClass[label]?.length === 0,
    );
    if (empty !== undefined) {
      throw new ConfigError({
        where: 'scenario',
        message: `class ${empty} has no images in ${split.train.name}.`,
        fix: 'Leave it out of the class order, or use data that has it.',
      });
    }
    this.scaler = this.precision === 'f16' ? new GradScaler(engine) : null;
  }

  /** Tasks learnt so far. */
  get tasksDone(): number {
    return this.matrix.length;
  }

  get summary(): Summary {
    const curve = accuracyCurve(this.matrix, this.testCounts());
    return {
      matrix: this.matrix,
      curve,
      average: averageIncremental(curve),
      last: lastAccuracy(curve),
      forgetting: forgetting(this.matrix),
    };
  }

  /** Learns every task that is left, telling what happens; may be stopped between tasks and gone on with later. */
  async *run(): AsyncGenerator<LearnerEvent> {
    if (this.precision !== this.config.precision) {
      const message = `${this.engine.adapterDescription} has no shader-f16: training in f32 instead of f16.`;
      yield { type: 'notice', message };
    }
    while (this.tasksDone < this.scenario.tasks.length) yield* this.runTask();
  }

  /** Learns the next task. */
  async *runTask(): AsyncGenerator<LearnerEvent> {
    const started = performance.now();
    const task = this.tasksDone;
    const oldClasses = this.scenario.classesAfter(task - 1);
    const skippedBefore = await this.skippedSteps();
    const teacher = task > 0 && this.method.teacher ? this.frozenCopy() : null;
    const model = this.grow(task);
    try {
      const loss = await this.method.begin({
        engine: this.engine,
        task,
        oldTaskSizes: this.scenario.taskSizes.slice(0, task),
        newClasses: this.scenario.taskSizes[task] as number,
        config: this.config,
        prototypes: () => this.prototypes(teacher ?? model, task),
      });
      yield* fitTask({
        engine: this.engine,
        config: this.config,
        scenario: this.scenario,
        images: this.train,
        indices: this.trainingIndices(task),
        task,
        model,
        teacher,
        loss,
        scaler: this.scaler,
      });
      loss.dispose?.();
    } finally {
      teacher?.dispose();
    }
    const gamma = this.config.align ? await alignWeights(model.fc, oldClasses) : 1;
    await this.keepExemplars(model, task);
    const accuracies = await this.evaluate(task);
    this.matrix.push(accuracies);
    const curve = accuracyCurve(this.matrix, this.testCounts());
    yield {
      type: 'task',
      task,
      accuracies,
      accuracy: lastAccuracy(curve),
      gamma,
      exemplars: this.memory.size,
      skippedSteps: (await this.skippedSteps()) - skippedBefore,
      seconds: (performance.now() - started) / 1000,
    };
  }

  /** Number of training images, as configured. */
  get trainingImages(): number {
    return this.train.dataset.labels.length;
  }

  /** Takes over a saved state; see `restoreCheckpoint`. */
  resumeFrom(
    model: ResNet,
    matrix: readonly (readonly number[])[],
    memory: Parameters<ExemplarMemory['restore']>[0],
    scaler?: GradScalerState,
  ): void {
    this.model?.dispose();
    this.model = model;
    this.matrix.splice(0, Number.POSITIVE_INFINITY, ...matrix.map((row) => [...row]));
    this.memory.restore(memory);
    if (scaler) this.scaler?.load(scaler);
  }

  /** Logits [n, classes seen] of test images, without recording. */
  predict(indices: ArrayLike<number>): Tensor {
    const model = this.model as ResNet;
    return noGrad(this.engine, () => this.engine.scope(() => model.eval().forward(this.test.plain(indices))));
  }

  dispose(): void {
    this.model?.dispose();
    this.model = null;
    this.train.dispose();
    this.test.dispose();
    this.scaler?.dispose();
  }

  /** A model for `classes` classes with the run's architecture, freshly initialised. */
  createModel(classes: number): ResNet {
    const { precision } = this;
    const { width, stem, model, init, seed, gradientCheckpointing } = this.config;
    return createResNet(this.engine, model, {
      classes,
      stem,
      init,
      seed,
      gradientCheckpointing,
      precision,
      inChannels: this.train.dataset.channels,
      ...(width > 0 ? { width } : {}),
    });
  }

  private async skippedSteps(): Promise<number> {
    return this.scaler ? (await this.scaler.state()).skippedSteps : 0;
  }

  private grow(task: number): ResNet {
    const classes = this.scenario.classesAfter(task);
    if (this.model) this.model.growHead(classes, this.config.seed);
    else this.model = this.createModel(classes);
    return this.model;
  }

  private frozenCopy(): ResNet {
    const model = this.model as ResNet;
    const copy = this.createModel(model.fc.outFeatures);
    copyModule(model, copy);
    return copy.freeze() as ResNet;
  }

  /** The images a task is learnt on. */
  private trainingIndices(task: number): number[] {
    const of = (classes: readonly number[]) => classes.flatMap((label) => this.train.byClass[label] ?? []);
    if (this.method.data === 'all') return of(this.scenario.tasks.slice(0, task + 1).flat());
    const fresh = of(this.scenario.tasks[task] as readonly number[]);
    return this.method.data === 'memory' ? [...fresh, ...this.memory.indices()] : fresh;
  }

  private async keepExemplars(model: ResNet, task: number): Promise<void> {
    if (this.method.data !== 'memory') return;
    const quota = this.memory.quota(this.scenario.classesAfter(task));
    this.memory.truncate(quota);
    const size = model.featureSize;
    for (const label of this.scenario.tasks[task] as readonly number[]) {
      const indices = this.train.byClass[label] as readonly number[];
      const rows =
        this.config.selection === 'herding'
          ? herding(await this.features(model, indices), size, quota)
          : randomSelection(indices.length, quota, Random.of(this.config.seed, 'exemplars', label));
      this.memory.set(
        label,
        rows.map((row) => indices[row] as number),
      );
    }
  }

  /** Features of un-augmented training images, batch by batch, without recording. */
  private *featureBatches(model: ResNet, indices: readonly number[]): Generator<[number[], Tensor]> {
    const wasTraining = model.training;
    model.eval();
    for (let start = 0; start < indices.length; start += EVALUATION_BATCH) {
      const batch = indices.slice(start, start + EVALUATION_BATCH);
      yield [batch, noGrad(this.engine, () => this.engine.scope(() => model.features(this.train.plain(batch))))];
    }
    model.train(wasTraining);
  }

  /** Features of un-augmented training images, read back: [n, featureSize] row-major. */
  private async features(model: ResNet, indices: readonly number[]): Promise<Float32Array> {
    const out = new Float32Array(indices.length * model.featureSize);
    let offset = 0;
    for (const [batch, features] of this.featureBatches(model, indices)) {
      out.set((await features.data()) as Float32Array, offset);
      offset += batch.length * model.featureSize;
      features.dispose();
    }
    return out;
  }

  /** Mean normalised features of every class seen: of exemplars for old classes, of all images for new ones. */
  private async prototypes(model: ResNet, task: number): Promise<Tensor> {
    const { engine } = this;
    const labels = this.scenario.tasks.slice(0, task + 1).flat();
    const indices = labels.flatMap((label) => {
      const exemplars = this.memory.get(label);
      return exemplars.length > 0 ? exemplars : (this.train.byClass[label] ?? []);
    });
    const running = new Prototypes(engine, labels.length, model.featureSize);
    for (const [batch, features] of this.featureBatches(model, indices)) {
      engine.scope(() => running.update(features, this.train.targets(batch, this.scenario.logitOf)));
      features.dispose();
    }
    const means = engine.keep(running.means());
    running.dispose();
    return means;
  }

  /** Accuracy in percent on each task so far. */
  private async evaluate(task: number): Promise<number[]> {
    const labels = this.scenario.tasks.slice(0, task + 1).flat();
    const indices = labels.flatMap((label) => this.test.byClass[label] ?? []);
    const predicted = new Int32Array(indices.length);
    for (let start = 0; start < indices.length; start += EVALUATION_BATCH) {
      const logits = this.predict(indices.slice(start, start + EVALUATION_BATCH));
      const best = logits.argmax();
      predicted.set((await best.data()) as Int32Array, start);
      logits.dispose();
      best.dispose();
    }
    const expected = indices.map((index) => this.scenario.logitOf[this.test.dataset.labels[index] as number] as number);
    return taskAccuracies(predicted, expected, this.scenario.taskOfLogit, task + 1);
  }

  /** Test images of each task: what the mean over tasks is weighted by. */
  private testCounts(): number[] {
    return this.scenario.tasks.map((classes) =>
      classes.reduce((n, label) => n + (this.test.byClass[label]?.length ?? 0), 0),
    );
  }
}
