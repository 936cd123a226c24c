/**
 * Learns a scenario task by task: grows the classifier, trains with the method's loss, aligns, keeps exemplars, tests on
 * every class seen. What happens in task t depends on the configuration and on the state after task t − 1 alone, so that
 * a resumed run goes on exactly as if it had never stopped. A task is learnt on copies, which take the place of what they
 * were made from when all is done: one that fails, or is left before its end, leaves everything as it was.
 */
import { noGrad } from '../autograd/tape.ts';
import type { DatasetSplit } from '../data/dataset.ts';
import { ArgumentError } from '../errors.ts';
import { copyModule } from '../nn/copy.ts';
import { createResNet, type ResNet } from '../nn/resnet.ts';
import { GradScaler, type GradScalerState } from '../optim/grad-scaler.ts';
import type { FloatType } from '../tensor/dtype.ts';
import type { Engine } from '../tensor/engine.ts';
import { Random } from '../tensor/random.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { alignWeights } from './alignment.ts';
import type { Config, RunConfig } from './config.ts';
import { Disposables } from './disposables.ts';
import { diverged, weightsAreFinite } from './divergence.ts';
import type { LearnerEvent, TaskEvent } from './events.ts';
import { fitTask } from './fit.ts';
import { cutImages, type LearnerImages, uploadImages } from './images.ts';
import { featuresOf, predictionsOf, prototypesOf } from './inference.ts';
import { ExemplarMemory, herding, randomSelection } from './memory.ts';
import type { Method } from './method.ts';
import { accuracyCurve, averageIncremental, forgetting, lastAccuracy, taskAccuracies } from './metrics.ts';
import { checkPlan } from './plan.ts';
import { resolveConfig, resolveMethod } from './resolve.ts';
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

export class Learner {
  /** Complete, as it is recorded: what was left open is decided by the method, the number of tasks and the device. */
  readonly config: RunConfig;
  readonly scenario: Scenario;
  readonly memory: ExemplarMemory;
  readonly matrix: number[][] = [];
  readonly method: Method;
  /** The model after the last finished task, another object after each; none before the first. */
  model: ResNet | null = null;
  /** Scales the loss for f16, over all tasks; another object after each. */
  scaler: GradScaler | null;
  private readonly notices: readonly string[];
  private readonly train: LearnerImages;
  private readonly test: LearnerImages;
  /** What the task that is being learnt holds on the device. */
  private underway: Disposables | null = null;
  private isDisposed = false;

  /**
   * @param method one of your own, or the configured one.
   * @throws {ConfigError | DataError | ArgumentError} when something is known to fail, in the last task too.
   */
  constructor(
    readonly engine: Engine,
    split: DatasetSplit,
    config: Config,
    method?: Method,
  ) {
    this.method = resolveMethod(config, method);
    const resolved = resolveConfig(engine, config, this.method);
    this.config = resolved.config;
    this.notices = resolved.notices;
    this.scenario = new Scenario({ ...config, classes: split.train.classes });
    this.memory = new ExemplarMemory({ total: config.memory, perClass: config.memoryPerClass });
    const parts = cutImages(split, this.config);
    checkPlan({ config: this.config, method: this.method, scenario: this.scenario, split: parts });
    const { train, test } = uploadImages(engine, parts, this.config);
    this.train = train;
    this.test = test;
    this.scaler = this.precision === 'f16' ? new GradScaler(engine) : null;
  }

  /** How activations are stored. */
  get precision(): FloatType {
    return this.config.precision;
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

  /**
   * Learns every task that is left, telling what happens; may be left at any time, and gone on with later from the last
   * finished task on.
   * @throws as {@link runTask}.
   */
  async *run(): AsyncGenerator<LearnerEvent> {
    for (const message of this.notices) yield { type: 'notice', message };
    while (this.tasksDone < this.scenario.tasks.length) yield* this.runTask();
  }

  /**
   * Learns the next task. When it fails, or is left before its last event, the learner is as it was before: called again,
   * it does what it would have done.
   * @throws {ConfigError} when training diverges.
   * @throws {ArgumentError} when another task is under way, none is left, or after `dispose`.
   */
  async *runTask(): AsyncGenerator<LearnerEvent> {
    this.assertIdle('Learner.runTask');
    if (this.tasksDone === this.scenario.tasks.length) {
      throw new ArgumentError({
        where: 'Learner.runTask',
        message: `all ${this.tasksDone} tasks are learnt.`,
        fix: 'Make a learner of more tasks.',
      });
    }
    const held = new Disposables();
    this.underway = held;
    let done: TaskEvent;
    try {
      done = yield* this.learnTask(held);
    } catch (error) {
      try {
        held.dispose();
      } catch {
        // The first failure is reported.
      }
      this.assertUsable('Learner.runTask');
      throw error;
    } finally {
      this.underway = null;
      held.dispose();
    }
    yield done;
  }

  private async *learnTask(held: Disposables): AsyncGenerator<LearnerEvent, TaskEvent> {
    const started = performance.now();
    const { engine, config, scenario, method, model: old } = this;
    const task = this.tasksDone;
    const skippedBefore = await skippedSteps(this.scaler);
    const scaler = await this.copyOfScaler(held);
    const model = this.grownCopy(scenario.classesAfter(task), held);
    const training = held.add(new Disposables());
    const loss = await method.begin({
      engine,
      task,
      oldTaskSizes: scenario.taskSizes.slice(0, task),
      newClasses: scenario.taskSizes[task] as number,
      config,
      prototypes: async () => this.prototypes(old ?? model, task),
    });
    training.add({ dispose: () => loss.dispose?.() });
    yield* fitTask({
      engine,
      config,
      scenario,
      images: this.train,
      indices: this.trainingIndices(task),
      task,
      model,
      teacher: method.teacher && old ? old.eval() : null,
      loss,
      scaler,
      held: training,
    });
    training.dispose();
    model.eval();
    if (!(await weightsAreFinite(model)))
      throw diverged(`task ${task + 1}`, 'after its last step weights are', config.lr);
    const gamma = config.align ? await alignWeights(model.fc, scenario.classesAfter(task - 1)) : 1;
    const memory = await this.memoryAfter(task, model);
    const accuracies = await this.evaluate(task, model);
    const skipped = (await skippedSteps(scaler)) - skippedBefore;

    this.assertUsable('Learner.runTask');
    // Nothing waits or fails from here on: the task is learnt as a whole.
    old?.dispose();
    this.model = held.release(model);
    if (scaler) {
      this.scaler?.dispose();
      this.scaler = held.release(scaler);
    }
    this.memory.restore(memory.toJSON());
    this.matrix.push(accuracies);
    return {
      type: 'task',
      task,
      accuracies,
      accuracy: lastAccuracy(accuracyCurve(this.matrix, this.testCounts())),
      gamma,
      exemplars: this.memory.size,
      skippedSteps: skipped,
      seconds: (performance.now() - started) / 1000,
    };
  }

  /** The images as configured: what a checkpoint's exemplars are numbers of. */
  get images(): DatasetSplit {
    return { train: this.train.dataset, test: this.test.dataset };
  }

  /**
   * Takes over a saved state; see `restoreCheckpoint`.
   * @throws {ArgumentError} in the middle of a task, or after `dispose`.
   */
  resumeFrom(
    model: ResNet,
    matrix: readonly (readonly number[])[],
    memory: Parameters<ExemplarMemory['restore']>[0],
    scaler?: GradScalerState,
  ): void {
    this.assertIdle('Learner.resumeFrom');
    this.model?.dispose();
    this.model = model;
    this.matrix.splice(0, Number.POSITIVE_INFINITY, ...matrix.map((row) => [...row]));
    this.memory.restore(memory);
    if (scaler) this.scaler?.load(scaler);
  }

  /**
   * Logits [n, classes seen] of test images, without recording.
   * @throws {ArgumentError} before the first task is learnt.
   */
  predict(indices: ArrayLike<number>): Tensor {
    this.assertUsable('Learner.predict');
    const { model, engine } = this;
    if (!model) {
      throw new ArgumentError({
        where: 'Learner.predict',
        message: 'nothing has been learnt yet.',
        fix: 'Learn a task first.',
      });
    }
    return noGrad(engine, () => engine.scope(() => model.eval().forward(this.test.raw(indices))));
  }

  /** Frees everything; a task that is under way fails then. */
  dispose(): void {
    this.isDisposed = true;
    this.underway?.dispose();
    this.model?.dispose();
    this.model = null;
    this.train.dispose();
    this.test.dispose();
    this.scaler?.dispose();
  }

  /** A model for `classes` classes with the run's architecture, freshly initialised. */
  createModel(classes: number): ResNet {
    const { width, stem, model, init, seed, gradientCheckpointing, precision } = this.config;
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

  /** What a task is learnt on: a copy of the model with room for its classes, or a new one. */
  private grownCopy(classes: number, held: Disposables): ResNet {
    const { model } = this;
    const copy = held.add(this.createModel(model?.fc.outFeatures ?? classes));
    if (model) {
      copyModule(model, copy);
      copy.growHead(classes, this.config.seed);
    }
    return copy;
  }

  private async copyOfScaler(held: Disposables): Promise<GradScaler | null> {
    if (!this.scaler) return null;
    const state = await this.scaler.state();
    const copy = held.add(new GradScaler(this.engine));
    copy.load(state);
    return copy;
  }

  /** The images a task is learnt on. */
  private trainingIndices(task: number): number[] {
    const of = (classes: readonly number[]) => classes.flatMap((label) => this.train.byClass[label] ?? []);
    if (this.method.data === 'all') return of(this.scenario.tasks.slice(0, task + 1).flat());
    const fresh = of(this.scenario.tasks[task] as readonly number[]);
    return this.method.data === 'memory' ? [...fresh, ...this.memory.indices()] : fresh;
  }

  /** The exemplars after a task: fewer of the old classes, and some of the new ones. */
  private async memoryAfter(task: number, model: ResNet): Promise<ExemplarMemory> {
    const memory = this.memory.copy();
    if (this.method.data !== 'memory') return memory;
    const quota = memory.quota(this.scenario.classesAfter(task));
    memory.truncate(quota);
    for (const label of this.scenario.tasks[task] as readonly number[]) {
      const indices = this.train.byClass[label] as readonly number[];
      const rows =
        this.config.selection === 'herding'
          ? herding(await featuresOf(model, this.train, indices), model.featureSize, quota)
          : randomSelection(indices.length, quota, Random.of(this.config.seed, 'exemplars', label));
      memory.set(
        label,
        rows.map((row) => indices[row] as number),
      );
    }
    return memory;
  }

  /** Mean normalised features of every class seen: of old classes by the images the method still has, of new ones by all. */
  private prototypes(model: ResNet, task: number): Tensor {
    const { scenario, memory, train, method } = this;
    const all = (classes: readonly number[]) => classes.flatMap((label) => train.byClass[label] ?? []);
    const old = scenario.tasks.slice(0, task).flat();
    const kept = method.data === 'all' ? all(old) : old.flatMap((label) => memory.get(label));
    const indices = [...kept, ...all(scenario.tasks[task] ?? [])];
    return prototypesOf(model, train, indices, { classes: scenario.classesAfter(task), logitOf: scenario.logitOf });
  }

  /**
   * Accuracy in percent on each task so far.
   * @throws {ConfigError} when the model's logits are not finite.
   */
  private async evaluate(task: number, model: ResNet): Promise<number[]> {
    const { scenario, test, config } = this;
    const labels = scenario.tasks.slice(0, task + 1).flat();
    const indices = labels.flatMap((label) => test.byClass[label] ?? []);
    const predicted = await predictionsOf(model, test, indices);
    if (predicted.includes(-1)) throw diverged(`task ${task + 1}`, 'logits of test images are', config.lr);
    const expected = indices.map((index) => scenario.logitOf[test.dataset.labels[index] as number] as number);
    return taskAccuracies(predicted, expected, scenario.taskOfLogit, task + 1);
  }

  /** Test images of each task: what the mean over tasks is weighted by. */
  private testCounts(): number[] {
    return this.scenario.tasks.map((classes) =>
      classes.reduce((n, label) => n + (this.test.byClass[label]?.length ?? 0), 0),
    );
  }

  private assertUsable(where: string): void {
    if (!this.isDisposed) return;
    throw new ArgumentError({ where, message: 'this learner was disposed of.', fix: 'Make another one.' });
  }

  private assertIdle(where: string): void {
    this.assertUsable(where);
    if (!this.underway) return;
    throw new ArgumentError({
      where,
      message: `task ${this.tasksDone + 1} is being learnt already.`,
      fix: 'Wait for its last event, or leave it: break out of its loop, or call return() on what runs it.',
    });
  }
}

const skippedSteps = async (scaler: GradScaler | null): Promise<number> =>
  scaler ? (await scaler.state()).skippedSteps : 0;
