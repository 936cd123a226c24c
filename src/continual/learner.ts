/**
 * Learns a scenario task by task: grows the classifier, trains with the method's loss, aligns, keeps exemplars, tests on
 * every class seen. What happens in task t depends on the configuration and on the state after task t − 1 alone, so that
 * a resumed run goes on exactly as if it had never stopped.
 */
import { backward, noGrad } from '../autograd/tape.ts';
import type { DatasetSplit } from '../data/dataset.ts';
import { DataLoader } from '../data/loader.ts';
import type { Engine } from '../gpu/engine.ts';
import { ConfigError } from '../gpu/errors.ts';
import { copyModule } from '../nn/copy.ts';
import { createResNet, type ResNet, type ResNetName } from '../nn/resnet.ts';
import { clipGradNorm } from '../optim/clipping.ts';
import { Random } from '../tensor/random.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { alignWeights } from './alignment.ts';
import type { Config } from './config.ts';
import { augmentationOf, type LearnerImages, prepareImages } from './images.ts';
import { ExemplarMemory, herding, randomSelection } from './memory.ts';
import { type Method, methods, type TaskLoss } from './methods.ts';
import { accuracyCurve, averageIncremental, forgetting, lastAccuracy, taskAccuracies } from './metrics.ts';
import { makeOptimizer, makeSchedule } from './recipe.ts';
import { Scenario } from './scenario.ts';

export interface StepEvent {
  type: 'step';
  task: number;
  epoch: number;
  epochs: number;
  /** From 0. */
  step: number;
  steps: number;
  /** Images of this step. */
  images: number;
  loss: number;
}

export interface EpochEvent {
  type: 'epoch';
  task: number;
  epoch: number;
  /** Mean over the epoch's images. */
  loss: number;
  lr: number;
  images: number;
  seconds: number;
}

export interface TaskEvent {
  type: 'task';
  task: number;
  /** Accuracy in percent on each task so far. */
  accuracies: readonly number[];
  /** Accuracy in percent over all classes seen. */
  accuracy: number;
  /** γ of the weight alignment. */
  gamma: number;
  exemplars: number;
  seconds: number;
}

export type LearnerEvent = StepEvent | EpochEvent | TaskEvent;

export interface Summary {
  /** Row t: accuracy in percent on tasks 0 … t after task t. */
  matrix: readonly (readonly number[])[];
  /** Accuracy over all classes seen after each task. */
  curve: readonly number[];
  average: number;
  last: number;
  forgetting: number;
}

/** Steps whose loss has not been read yet: the GPU is kept busy, and never runs away from JavaScript. */
const IN_FLIGHT = 3;
const EVALUATION_BATCH = 128;

export class Learner {
  readonly scenario: Scenario;
  readonly memory: ExemplarMemory;
  readonly matrix: number[][] = [];
  readonly method: Method;
  /** The model after the last task; none before the first. */
  model: ResNet | null = null;
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
    while (this.tasksDone < this.scenario.tasks.length) yield* this.runTask();
  }

  /** Learns the next task. */
  async *runTask(): AsyncGenerator<LearnerEvent> {
    const started = performance.now();
    const task = this.tasksDone;
    const oldClasses = this.scenario.classesAfter(task - 1);
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
      yield* this.fit(model, teacher, loss, task);
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
      seconds: (performance.now() - started) / 1000,
    };
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
  }

  /** A model for `classes` classes with the run's architecture, freshly initialised. */
  createModel(classes: number): ResNet {
    const { width, stem, model, seed } = this.config;
    return createResNet(this.engine, model as ResNetName, {
      classes,
      stem,
      seed,
      inChannels: this.train.dataset.channels,
      ...(width > 0 ? { width } : {}),
    });
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

  private async *fit(
    model: ResNet,
    teacher: ResNet | null,
    loss: TaskLoss,
    task: number,
  ): AsyncGenerator<LearnerEvent> {
    const { engine, config } = this;
    const epochs = task === 0 && config.baseEpochs > 0 ? config.baseEpochs : config.epochs;
    const optimizer = makeOptimizer(model, config);
    const schedule = makeSchedule(config, epochs);
    const loader = new DataLoader(this.trainingIndices(task), { batch: config.batch, seed: seedOf(config.seed, task) });
    const augmentation = augmentationOf(config);
    model.train();
    for (let epoch = 0; epoch < epochs; epoch++) {
      const started = performance.now();
      optimizer.lr = schedule(epoch);
      const random = Random.of(config.seed, 'augment', task, epoch);
      const pending: { value: Promise<number>; event: Omit<StepEvent, 'loss'> }[] = [];
      let total = 0;
      let seen = 0;
      const settle = async (left: number): Promise<StepEvent[]> => {
        const events: StepEvent[] = [];
        while (pending.length > left) {
          const { value, event } = pending.shift() as (typeof pending)[number];
          const read = await value;
          total += read * event.images;
          seen += event.images;
          events.push({ ...event, loss: read });
        }
        return events;
      };
      for (const { step, indices } of loader.epoch(epoch)) {
        const value = engine.scope(() => {
          const x = this.train.augmented(indices, augmentation, random);
          const targets = this.train.targets(indices, this.scenario.logitOf);
          const oldLogits = teacher ? noGrad(engine, () => teacher.forward(x)) : null;
          const batchLoss = loss.loss({ logits: model.forward(x), targets, oldLogits });
          backward(batchLoss);
          if (config.clip > 0) clipGradNorm(model.parameters(), config.clip);
          optimizer.step();
          optimizer.zeroGrad();
          return { read: batchLoss.item() };
        }).read;
        pending.push({
          value,
          event: { type: 'step', task, epoch, epochs, step, steps: loader.steps, images: indices.length },
        });
        yield* await settle(IN_FLIGHT);
      }
      yield* await settle(0);
      checkLoss(total / seen, task, epoch, config.lr);
      const seconds = (performance.now() - started) / 1000;
      yield { type: 'epoch', task, epoch, loss: total / seen, lr: optimizer.lr, images: seen, seconds };
    }
    optimizer.dispose();
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

  /** Features of un-augmented training images, read back: [n, featureSize] row-major. */
  private async features(model: ResNet, indices: readonly number[]): Promise<Float32Array> {
    const { engine } = this;
    model.eval();
    const out = new Float32Array(indices.length * model.featureSize);
    for (let start = 0; start < indices.length; start += EVALUATION_BATCH) {
      const batch = indices.slice(start, start + EVALUATION_BATCH);
      const features = noGrad(engine, () => engine.scope(() => model.features(this.train.plain(batch))));
      out.set((await features.data()) as Float32Array, start * model.featureSize);
      features.dispose();
    }
    return out;
  }

  /** Mean features of every class seen: of exemplars for old classes, of all images for new ones. */
  private async prototypes(model: ResNet, task: number): Promise<Tensor> {
    const size = model.featureSize;
    const labels = this.scenario.tasks.slice(0, task + 1).flat();
    const means = new Float32Array(labels.length * size);
    for (const [row, label] of labels.entries()) {
      const exemplars = this.memory.get(label);
      const features = await this.features(model, exemplars.length > 0 ? exemplars : (this.train.byClass[label] ?? []));
      const count = features.length / size;
      features.forEach((value, i) => {
        means[row * size + (i % size)] = (means[row * size + (i % size)] as number) + value / count;
      });
    }
    return this.engine.keep(this.engine.tensor(means, [labels.length, size]));
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

/** A loader's seed for a task: other tasks must not see the same orders. */
const seedOf = (seed: number, task: number): number => Random.of(seed, 'loader', task).word();

/** @throws ConfigError when training diverged: going on would only spoil the checkpoint. */
function checkLoss(loss: number, task: number, epoch: number, lr: number): void {
  if (Number.isFinite(loss)) return;
  throw new ConfigError({
    where: `task ${task + 1}, epoch ${epoch + 1}`,
    message: `the loss is no longer a number: training diverged at learning rate ${lr}.`,
    fix: 'Use a smaller --lr, --warmup or --clip; what was saved after earlier tasks is untouched.',
  });
}
