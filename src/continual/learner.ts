/**
 * Learns classes as they come: any new ones at any time, from images alone, keeping what it learnt. A task is learnt on copies,
 * which take the place of what they were made from when all is done: one that fails, is aborted or left before its end leaves
 * everything as it was. What happens in a task depends on the learner, its settings and the images alone, so that a saved
 * one goes on exactly as if it had never stopped.
 */
import type { Normalization } from '../data/dataset.ts';
import type { ImageFormat } from '../data/image-bytes.ts';
import { type ImageInput, toImages } from '../data/image-input.ts';
import type { TaskPool } from '../distill/task-pool.ts';
import { ArgumentError, CheckpointError, ConfigError } from '../errors.ts';
import { stateDict } from '../nn/state-dict.ts';
import type { GradScaler } from '../optim/grad-scaler.ts';
import { letUsingDispose } from '../tensor/dispose.ts';
import type { Engine } from '../tensor/engine.ts';
import type { ClassImages } from './class-images.ts';
import { Disposables } from './disposables.ts';
import { keptPool } from './distillation.ts';
import { evaluate, readTestImages } from './evaluation.ts';
import type { LearnerEvent, TaskEvent } from './events.ts';
import { forked, renamed } from './fork.ts';
import { type Knowledge, nothingKnown, restored, type Setup } from './knowledge.ts';
import { learnTask } from './learn-task.ts';
import { executionSettings, type LearnerSettings } from './learner-settings.ts';
import { checkResize, divideSettings } from './learner-setup.ts';
import { describe, readLearner, writeLearner } from './learner-state.ts';
import type {
  Answering,
  EvaluateOptions,
  Evaluation,
  KeptImage,
  LearnerOptions,
  LearnOptions,
  LoadLearnerOptions,
  Prediction,
} from './learner-types.ts';
import type { ReadonlyExemplarMemory } from './memory.ts';
import type { AnyMethod, IncrementalModel } from './method.ts';
import { resolveMethod, savedMethod } from './method-names.ts';
import { checkSavedNetwork, type Network } from './network.ts';
import { Predictions } from './predictions.ts';
import { checkTop, ranked } from './ranked.ts';
import { readSettings } from './setting.ts';

/**
 * Learns classes as they come: any new ones at any time, from images alone, keeping what it learnt. Made by {@link create}, saved by
 * {@link save}, read again by {@link load}.
 */
export class ContinualLearner {
  /** One of your own, in the place of a ResNet. */
  readonly network: Network | undefined;
  private readonly setup: Setup;
  private known: Knowledge;
  private predictions: Predictions | null = null;
  /** What the task that is being learnt holds on the device. */
  private underway: Disposables | null = null;
  private isDisposed = false;

  /** Use {@link create}, or {@link load}. */
  constructor(
    readonly engine: Engine,
    readonly method: AnyMethod,
    settings: Readonly<Record<string, unknown>>,
    readonly resize = false,
    network?: Network,
  ) {
    this.network = network ?? method.network;
    this.setup = {
      engine,
      method,
      network: this.network,
      resize,
      ...divideSettings(engine, method, settings, this.network),
    };
    this.known = nothingKnown(this.setup);
  }

  /**
   * A learner that knows nothing yet.
   * @throws {ConfigError} for a setting that is unknown or does not fit, and a method that is none.
   * @example
   * const learner = await ContinualLearner.create(engine, { model: 'resnet8', method: 'fdkd', memory: 500 });
   * for await (const event of learner.learn({ cup: cups, pen: pens })) console.log(event);
   * const [{ label, probability }] = await learner.predict(image);
   */
  static async create(engine: Engine, options: LearnerOptions = {}): Promise<ContinualLearner> {
    return ContinualLearner.made(engine, options);
  }

  private static made(engine: Engine, options: LearnerOptions): ContinualLearner {
    const { method = 'fdkd', resize = false, model, ...others } = options;
    const network = typeof model === 'object' ? model : undefined;
    const settings = network || model === undefined ? others : { ...others, model };
    checkResize(resize);
    return new ContinualLearner(engine, resolveMethod(method), settings, resize, network);
  }

  /**
   * A learner as {@link save} wrote it: it goes on as the saved one would have.
   * @throws {CheckpointError} when the file is damaged, cut short, of a newer version, or of another method.
   * @throws {ConfigError} for a setting that may not differ from the saved one, or does not fit, and a method that is none.
   */
  static async load(
    engine: Engine,
    bytes: Uint8Array,
    { method, model: network, settings: changed = {}, where = 'ContinualLearner.load' }: LoadLearnerOptions = {},
  ): Promise<ContinualLearner> {
    readSettings(executionSettings, changed, where, 'how a saved learner goes on');
    const stored = readLearner(bytes, where);
    const { method: name } = stored.state;
    const own = savedMethod(name, typeof method === 'function' ? method(name) : method, where);
    const { methodSettings, resize } = stored.state;
    const { model, ...training } = stored.state.settings;
    checkSavedNetwork(model, network ?? own.network, where);
    const settings = (network ?? own.network) ? training : stored.state.settings;
    let learner: ContinualLearner | null = null;
    try {
      learner = new ContinualLearner(engine, own, { ...settings, ...methodSettings, ...changed }, resize, network);
      learner.replace(restored(learner.setup, stored, where));
      return learner;
    } catch (error) {
      learner?.dispose();
      if (!(error instanceof ConfigError)) throw error;
      throw new CheckpointError({
        where,
        message: `its settings do not fit: ${error.message}`,
        fix: 'Load it with the versions of engram and of its method that wrote it.',
        cause: error,
      });
    }
  }

  /**
   * Another learner that knows the same and goes on by itself, by another method or with other settings: what methods do from one
   * start is compared by it. A method's own settings are kept where the method is the same, every learner's always.
   * @param options what is to differ.
   * @throws {ConfigError} for a setting that is unknown or does not fit, another network or normalisation, and a method that cannot
   * go on with what was kept or whose model differs.
   * @throws {ArgumentError} while a task is learnt, or after `dispose`.
   */
  async fork(options: LearnerOptions = {}): Promise<ContinualLearner> {
    this.assertIdle('fork');
    const { method = this.method, resize = this.resize, model = this.network, ...changed } = options;
    const own = method === this.method || method === this.method.name ? this.methodSettings : {};
    const settings = { ...this.training, ...own, ...changed, model: model ?? this.training.model };
    const fork = ContinualLearner.made(this.engine, { method: method as AnyMethod, resize, ...settings });
    try {
      // Called before anything is waited for: what is known here may be freed meanwhile.
      fork.replace(await forked(this.setup, this.known, fork.setup));
    } catch (error) {
      fork.dispose();
      throw error;
    }
    return fork;
  }

  /** Its settings but the method's own; activations are stored as asked for, where the device can. */
  get training(): LearnerSettings {
    return this.setup.training;
  }

  /** The method's own settings, defaults filled in. */
  get methodSettings(): Readonly<Record<string, unknown>> {
    return this.setup.methodSettings;
  }

  /** What a user should know of how the settings were taken; every task tells it too. */
  get notices(): readonly string[] {
    return this.setup.notices;
  }

  /** The model after the last finished task, another object after each; none before the first. */
  get model(): IncrementalModel | null {
    return this.known.model;
  }

  /** Scales the loss for f16, over all tasks; another object after each. */
  get scaler(): GradScaler | null {
    return this.known.scaler;
  }

  /** What is kept of earlier tasks' images; another object after each task. */
  get memory(): ReadonlyExemplarMemory {
    return this.known.memory;
  }

  /** Names of the classes, in the order of the logits. */
  get classes(): readonly string[] {
    return this.known.names;
  }

  /** Classes that each task brought, those that brought none left out. */
  get taskSizes(): readonly number[] {
    return this.known.taskSizes;
  }

  /** Tasks learnt, those of known classes only included. */
  get tasksDone(): number {
    return this.known.tasks;
  }

  /** What images have in common, and how they are normalised; fixed by the first task. */
  get imageFormat(): (ImageFormat & Normalization) | null {
    return this.known.images;
  }

  /** The exemplars' own pictures. */
  get exemplars(): readonly KeptImage[] {
    return this.memory.exemplars.map(({ label, pixels }) => ({ label: this.classes[label] as string, pixels }));
  }

  /**
   * The combinations of tasks that the model is capable of: the groups that dense distillation keeps in the next task.
   * @throws {ArgumentError} beyond 64 tasks, for which a mask has no room, and for more groups up to a bound than can be listed.
   */
  get taskPool(): TaskPool {
    return keptPool(this.method, this.methodSettings, this.taskSizes);
  }

  /**
   * Learns images by class. New names are new classes; images of a class that is known add to what is trained on and to the
   * candidates for its exemplars, and bring no new logit. When it fails, is aborted or left before its last event, the learner
   * is as it was before.
   * @throws {ConfigError} when training diverges, the memory is too small for so many classes, or images come one by one to a network
   * whose maps of them end in one pixel, which batch norm cannot train on. A last batch of one image joins the batch before there.
   * @throws {ArgumentError} without images, for two classes of one name, for a class to be tested on that is not known, for
   * options that do not fit, when another task is under way, or after `dispose`.
   * @throws {ShapeError} when images are of another size than the first task's, unless the learner resizes.
   * @throws {CheckpointError} when what is to be resumed does not fit.
   */
  async *learn(images: ClassImages, options: LearnOptions = {}): AsyncGenerator<LearnerEvent> {
    this.assertIdle('learn');
    const held = new Disposables();
    this.underway = held;
    let done: TaskEvent;
    try {
      const stillWanted = () => this.assertUsable('learn');
      const { knowledge, event } = yield* learnTask(this.setup, this.known, images, options, held, stillWanted);
      this.replace(knowledge);
      done = event;
    } catch (error) {
      try {
        held.dispose();
      } catch {
        // The first failure is reported.
      }
      this.assertUsable('learn');
      throw error;
    } finally {
      this.underway = null;
      held.dispose();
    }
    yield done;
  }

  /**
   * Calls a class otherwise; what is known of it stays.
   * @throws {ArgumentError} for a class that is not known, a name that is empty or another class's, while a task is learnt, and
   * after `dispose`.
   */
  rename(name: string, to: string): void {
    this.assertIdle('rename');
    this.known = { ...this.known, names: renamed(this.classes, name, to) };
  }

  /**
   * Classes of one image, the most probable first, by what is known at the call.
   * @param options `top`: how many classes to give; all by default.
   * @throws {ArgumentError} before the first task is learnt, for more than one image, and for a `top` that is no number of classes.
   * @throws {ShapeError} when the image is of another size, unless the learner resizes.
   */
  async predict(image: ImageInput, { top }: { top?: number } = {}): Promise<Prediction[]> {
    const all = await this.predictAll(image, top, 'predict');
    if (all.length === 1) return all[0] as Prediction[];
    throw new ArgumentError({
      where: 'predict',
      message: `${all.length} images were given.`,
      fix: 'Use predictMany(), which answers for each of them.',
    });
  }

  /** As {@link predict}, for any number of images: the classes of each. */
  async predictMany(images: ImageInput, { top }: { top?: number } = {}): Promise<Prediction[][]> {
    return this.predictAll(images, top, 'predictMany');
  }

  /**
   * Tests on images of known classes.
   * @param options `heads` asks the classifier and the nearest mean of exemplars too, each by itself.
   * @throws {ArgumentError} for a class that is not known.
   * @throws {ConfigError} when the model's scores are not finite.
   */
  async evaluate(images: ClassImages, { heads = false }: EvaluateOptions = {}): Promise<Evaluation> {
    const { predictions, format, names } = this.usable('evaluate');
    const { taskSizes } = this;
    const { engine, resize, training } = this;
    return predictions.during(async () => {
      const lots = await readTestImages(engine, images, { names, format, resize, where: 'evaluate' });
      return evaluate(lots, { predictions, names, taskSizes, lr: training.lr, heads });
    });
  }

  /**
   * What answers now, for who writes it down in another form.
   * @internal
   */
  async answering<T>(where: string, use: (answering: Answering) => Promise<T>): Promise<T> {
    const { predictions, format, names } = this.usable(where);
    return predictions.scoring((scores, model) => use({ scores, model, format, classes: names }));
  }

  /**
   * Everything that goes on from here, as one safetensors file: no data set is needed. In the middle of a task it is the state
   * after the last finished one.
   * @param metadata what to add to the file's own; `readSafetensors` gives it back.
   */
  async save(metadata: Readonly<Record<string, string>> = {}): Promise<Uint8Array<ArrayBuffer>> {
    this.assertUsable('save');
    const { model, scaler, memory } = this.known;
    // Copied before anything is waited for: a task may end meanwhile.
    const { exemplars, counts } = memory;
    const state = describe(this.setup, this.known, counts);
    const [weights, scale] = await Promise.all([model ? stateDict(model) : new Map(), scaler?.state() ?? null]);
    return writeLearner({ state: { ...state, scaler: scale }, weights, exemplars, metadata });
  }

  /** Frees everything, the model once all that was asked of it is answered; a task that is under way fails then. */
  dispose(): void {
    this.isDisposed = true;
    this.underway?.dispose();
    this.replace({ ...this.known, model: null, scaler: null });
  }

  /** {@link dispose}, for `using`. */
  declare [Symbol.dispose]: () => void;

  private async predictAll(input: ImageInput, top: number | undefined, where: string): Promise<Prediction[][]> {
    const { predictions, format, names } = this.usable(where);
    checkTop(top, where);
    const { count, probabilities } = await predictions.during(async () => {
      const images = await toImages(this.engine, input, { where, format, resize: this.resize });
      return { count: images.count, probabilities: await predictions.probabilities(images) };
    });
    return ranked(probabilities, names, count, top);
  }

  /**
   * What answers now, with the names of its classes: a task may end before all is answered.
   * @throws {ArgumentError} before the first task is learnt, or after `dispose`.
   */
  private usable(where: string): {
    predictions: Predictions;
    format: ImageFormat & Normalization;
    names: readonly string[];
  } {
    this.assertUsable(where);
    const { engine, method, methodSettings: settings } = this;
    const { memory, model, images, names } = this.known;
    if (!model || !images)
      throw new ArgumentError({
        where,
        message: 'nothing has been learnt yet.',
        fix: 'Learn a task first, to its last event: for await (const event of learner.learn(images)) …',
      });
    this.predictions ??= new Predictions({ engine, method, settings, model, format: images, memory });
    return { predictions: this.predictions, format: images, names };
  }

  /** Knows something else from now on, and frees what was known before once nothing is answered by it. */
  private replace(now: Knowledge): void {
    const { model, scaler } = this.known;
    this.known = now;
    const { predictions } = this;
    this.predictions = null;
    const free = () => {
      model?.dispose();
      scaler?.dispose();
    };
    if (predictions) predictions.dispose(free);
    else free();
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
      fix: 'Wait for its last event, or leave it: break out of its loop, abort its signal, or call return() on what runs it.',
    });
  }
}

letUsingDispose(ContinualLearner);
