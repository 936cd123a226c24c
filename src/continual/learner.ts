/**
 * Learns classes as they come: any new ones at any time, from images alone, keeping what it learnt. A task is learnt on copies,
 * which take the place of what they were made from when all is done: one that fails, is aborted or left before its end leaves
 * everything as it was. What happens in a task depends on the learner, its settings and the images alone, so that a saved
 * one goes on exactly as if it had never stopped.
 */
import type { Normalization } from '../data/dataset.ts';
import type { ImageFormat } from '../data/image-bytes.ts';
import { type ImageInput, toImageBytes } from '../data/image-input.ts';
import { TaskPool } from '../distill/task-pool.ts';
import { ArgumentError, CheckpointError, ConfigError } from '../errors.ts';
import { copyModule } from '../nn/copy.ts';
import { stateDict, writeState } from '../nn/state-dict.ts';
import { GradScaler } from '../optim/grad-scaler.ts';
import type { Engine } from '../tensor/engine.ts';
import type { ClassImages } from './class-images.ts';
import { Disposables } from './disposables.ts';
import { diverged, weightsAreFinite } from './divergence.ts';
import { evaluate } from './evaluation.ts';
import type { LearnerEvent, TaskEvent } from './events.ts';
import { exemplarFault } from './faults.ts';
import { executionSettings, type LearnerSettings } from './learner-settings.ts';
import { divideSettings } from './learner-setup.ts';
import { damaged, describe, readLearner, type StoredLearner, writeLearner } from './learner-state.ts';
import type {
  Evaluation,
  KeptImage,
  LearnerOptions,
  LearnOptions,
  LoadLearnerOptions,
  Prediction,
} from './learner-types.ts';
import { ExemplarMemory } from './memory.ts';
import type { AnyMethod, IncrementalModel } from './method.ts';
import { noticesOf } from './method-checks.ts';
import { resolveMethod, savedMethod } from './method-names.ts';
import { buildModel } from './model.ts';
import { Predictions } from './predictions.ts';
import { remember } from './remember.ts';
import { readSettings } from './setting.ts';
import { readTask, taskFingerprint } from './task-inputs.ts';
import { TaskRun } from './task-run.ts';

export class ContinualLearner {
  readonly memory: ExemplarMemory;
  /** The model after the last finished task, another object after each; none before the first. */
  model: IncrementalModel | null = null;
  /** Scales the loss for f16, over all tasks; another object after each. */
  scaler: GradScaler | null;
  /** How activations are stored: as asked for, where the device can. */
  readonly training: LearnerSettings;
  readonly methodSettings: Readonly<Record<string, unknown>>;
  private readonly notices: readonly string[];
  private names: readonly string[] = [];
  private sizes: readonly number[] = [];
  private tasks = 0;
  private images: (ImageFormat & Normalization) | null = null;
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
  ) {
    const { training, methodSettings, notices } = divideSettings(engine, method, settings);
    this.training = training;
    this.methodSettings = methodSettings;
    this.notices = notices;
    const everything = { total: Number.POSITIVE_INFINITY };
    this.memory = new ExemplarMemory(
      method.keeps === 'everything' ? everything : { total: training.memory, perClass: training.memoryPerClass },
    );
    this.scaler = training.precision === 'f16' ? new GradScaler(engine) : null;
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
    const { method = 'fdkd', resize = false, ...settings } = options;
    return new ContinualLearner(engine, resolveMethod(method), settings, resize);
  }

  /**
   * A learner as {@link save} wrote it: it goes on as the saved one would have.
   * @throws {CheckpointError} when the file is damaged, cut short, of a newer version, or of another method.
   * @throws {ConfigError} for a setting that may not differ from the saved one, or does not fit, and a method that is none.
   */
  static async load(
    engine: Engine,
    bytes: Uint8Array,
    { method, settings: changed = {}, where = 'ContinualLearner.load' }: LoadLearnerOptions = {},
  ): Promise<ContinualLearner> {
    readSettings(executionSettings, changed, where, 'how a saved learner goes on');
    const stored = readLearner(bytes, where);
    const own = savedMethod(stored.state.method, method, where);
    const { settings, methodSettings, resize } = stored.state;
    let learner: ContinualLearner | null = null;
    try {
      learner = new ContinualLearner(engine, own, { ...settings, ...methodSettings, ...changed }, resize);
      learner.take(stored, where);
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

  /** Names of the classes, in the order of the logits. */
  get classes(): readonly string[] {
    return this.names;
  }

  /** Classes that each task brought, those that brought none left out. */
  get taskSizes(): readonly number[] {
    return this.sizes;
  }

  /** Tasks learnt, those of known classes only included. */
  get tasksDone(): number {
    return this.tasks;
  }

  /** What images have in common, and how they are normalised; fixed by the first task. */
  get imageFormat(): (ImageFormat & Normalization) | null {
    return this.images;
  }

  /** The exemplars' own pictures. */
  get exemplars(): readonly KeptImage[] {
    return this.memory.exemplars.map(({ label, pixels }) => ({ label: this.names[label] as string, pixels }));
  }

  /** What the model is capable of: the groups that dense distillation keeps in the next task. */
  get taskPool(): TaskPool {
    const { pool = 'dense' } = { ...this.methodSettings } as { pool?: 'dense' };
    return TaskPool.of(pool, this.sizes);
  }

  /**
   * Learns images by class. New names are new classes; images of a class that is known add to what is trained on and to the
   * candidates for its exemplars, and bring no new logit. When it fails, is aborted or left before its last event, the learner
   * is as it was before.
   * @throws {ConfigError} when training diverges, or the memory is too small for so many classes.
   * @throws {ArgumentError} without images, for two classes of one name, for a class to be tested on that is not known, when
   * another task is under way, or after `dispose`.
   * @throws {ShapeError} when images are of another size than the first task's, unless the learner resizes.
   * @throws {CheckpointError} when what is to be resumed does not fit.
   */
  async *learn(images: ClassImages, options: LearnOptions = {}): AsyncGenerator<LearnerEvent> {
    this.assertIdle('learn');
    const held = new Disposables();
    this.underway = held;
    let done: TaskEvent;
    try {
      done = yield* this.learnTask(held, images, options);
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
   * Classes of one image, the most probable first.
   * @param options.top how many classes to give; all by default.
   * @throws {ArgumentError} before the first task is learnt, and for more than one image.
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
   * @throws {ArgumentError} for a class that is not known.
   * @throws {ConfigError} when the model's scores are not finite.
   */
  async evaluate(images: ClassImages): Promise<Evaluation> {
    const { predictions, format } = this.usable('evaluate');
    const { engine, names, resize, training } = this;
    return evaluate(images, { engine, predictions, names, format, resize, lr: training.lr });
  }

  /**
   * Everything that goes on from here, as one safetensors file: no data set is needed. In the middle of a task it is the state
   * after the last finished one.
   * @param metadata what to add to the file's own; `readSafetensors` gives it back.
   */
  async save(metadata: Readonly<Record<string, string>> = {}): Promise<Uint8Array<ArrayBuffer>> {
    this.assertUsable('save');
    const { model, scaler, memory } = this;
    // Copied before anything is waited for: a task may end meanwhile.
    const { exemplars, counts } = memory;
    const state = describe(this, counts);
    const [weights, scale] = await Promise.all([model ? stateDict(model) : new Map(), scaler?.state() ?? null]);
    return writeLearner({ state: { ...state, scaler: scale }, weights, exemplars, metadata });
  }

  /** Frees everything; a task that is under way fails then. */
  dispose(): void {
    this.isDisposed = true;
    this.underway?.dispose();
    this.forgetPredictions();
    this.model?.dispose();
    this.model = null;
    this.scaler?.dispose();
    this.scaler = null;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  private async *learnTask(
    held: Disposables,
    given: ClassImages,
    { signal, saveEvery = 0, resume, test, annotate = () => ({}) }: LearnOptions,
  ): AsyncGenerator<LearnerEvent, TaskEvent> {
    const where = 'learn';
    signal?.throwIfAborted();
    const { engine, method, training, memory } = this;
    const inputs = await readTask(engine, given, {
      known: this.names,
      images: this.images,
      resize: this.resize,
      training,
    });
    const { format, names, added } = inputs;
    const sizes = added.length > 0 ? [...this.sizes, added.length] : this.sizes;
    const notices = noticesOf(method, this.methodSettings, { taskSizes: sizes, training });
    if (method.keeps === 'exemplars' && training.selection !== 'reservoir') memory.quota(names.length);
    for (const message of [...this.notices, ...notices]) yield { type: 'notice', message };

    const skippedBefore = await skippedSteps(this.scaler);
    const scaler = await this.copyOfScaler(held);
    const model = this.grownCopy(added.length, format, held);
    const run = new TaskRun({
      engine,
      method,
      methodSettings: this.methodSettings,
      training,
      index: this.tasks,
      model,
      old: this.model,
      scaler,
      oldTaskSizes: this.sizes,
      newClasses: added.length,
      fresh: inputs.images,
      freshLabels: inputs.labels,
      exemplars: memory.images(format),
      exemplarLabels: memory.exemplars.map(({ label }) => label),
      normalization: format,
      fingerprint: taskFingerprint(this, inputs),
      held,
    });
    const from = resume ? { bytes: resume, where: `${where}: resume` } : null;
    for await (const event of run.run({ saveEvery, resume: from, annotate })) {
      signal?.throwIfAborted();
      yield event;
    }
    model.eval();
    if (!(await weightsAreFinite(model)))
      throw diverged(`task ${this.tasks + 1}`, 'after its last step weights are', training.lr);
    const remembered = await remember(memory, run, {
      keeps: method.keeps,
      selection: training.selection,
      fresh: inputs.images,
    });
    const { methodSettings: settings, resize } = this;
    const predictions = held.add(new Predictions({ engine, method, settings, model, format, memory: remembered }));
    const evaluation = test
      ? await evaluate(test, { engine, predictions, names, format, resize, lr: training.lr })
      : null;
    const skipped = (await skippedSteps(scaler)) - skippedBefore;

    this.assertUsable(where);
    signal?.throwIfAborted();
    // Nothing waits or fails from here on: the task is learnt as a whole.
    this.model?.dispose();
    this.forgetPredictions();
    this.model = held.release(model);
    if (scaler) {
      this.scaler?.dispose();
      this.scaler = held.release(scaler);
    }
    memory.restore(remembered.exemplars, remembered.counts);
    this.names = names;
    this.sizes = sizes;
    this.images = format;
    return {
      type: 'task',
      task: this.tasks++,
      newClasses: added,
      exemplars: memory.size,
      notes: run.notes,
      skippedSteps: skipped,
      ...(evaluation ? { evaluation } : {}),
      seconds: run.seconds,
    };
  }

  /** What a task is learnt on: a copy of the model with room for its classes, or a new one. */
  private grownCopy(added: number, { channels }: ImageFormat, held: Disposables): IncrementalModel {
    const { model, training } = this;
    const copy = held.add(this.build(model ? this.sizes : [added], channels));
    if (!model) return copy;
    copyModule(model, copy);
    if (added > 0) copy.grow(added, training.seed);
    return copy;
  }

  private build(taskSizes: readonly number[], channels: number): IncrementalModel {
    const { engine, method, training, methodSettings: settings } = this;
    return buildModel(method, { engine, training, settings, channels }, taskSizes);
  }

  private async copyOfScaler(held: Disposables): Promise<GradScaler | null> {
    if (!this.scaler) return null;
    const state = await this.scaler.state();
    const copy = held.add(new GradScaler(this.engine));
    copy.load(state);
    return copy;
  }

  /** Makes itself what was stored; of a learner that knows nothing yet. @throws {CheckpointError} */
  private take({ state, weights, exemplars }: StoredLearner, where: string): void {
    const { images } = state;
    if (state.tasksDone > 0 && images) {
      const model = this.build(state.taskSizes, images.channels).eval();
      try {
        writeState(model.namedTensors(), weights, where);
      } catch (error) {
        model.dispose();
        throw error;
      }
      this.model = model;
    }
    this.memory.restore(exemplars, state.offered);
    const fault = exemplarFault(this.memory, state.classes.length, {
      keeps: this.method.keeps,
      selection: this.training.selection,
    });
    if (fault) throw damaged(where, fault);
    this.names = state.classes;
    this.sizes = state.taskSizes;
    this.tasks = state.tasksDone;
    this.images = images;
    if (state.scaler) this.scaler?.load(state.scaler);
  }

  private async predictAll(input: ImageInput, top: number | undefined, where: string): Promise<Prediction[][]> {
    const { predictions, format } = this.usable(where);
    const images = await toImageBytes(this.engine, input, { where, format, resize: this.resize });
    const probabilities = await predictions.probabilities(images);
    const { names } = this;
    return Array.from({ length: images.count }, (_, i) => {
      const row = probabilities.subarray(i * names.length, (i + 1) * names.length);
      const all = names.map((label, at) => ({ label, probability: row[at] as number }));
      return all.sort((a, b) => b.probability - a.probability).slice(0, top);
    });
  }

  /** @throws {ArgumentError} before the first task is learnt, or after `dispose`. */
  private usable(where: string): { predictions: Predictions; format: ImageFormat & Normalization } {
    this.assertUsable(where);
    const { model, images, engine, method, methodSettings: settings, memory } = this;
    if (!model || !images)
      throw new ArgumentError({ where, message: 'nothing has been learnt yet.', fix: 'Learn a task first.' });
    this.predictions ??= new Predictions({ engine, method, settings, model, format: images, memory });
    return { predictions: this.predictions, format: images };
  }

  private forgetPredictions(): void {
    this.predictions?.dispose();
    this.predictions = null;
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
      message: `task ${this.tasks + 1} is being learnt already.`,
      fix: 'Wait for its last event, or leave it: break out of its loop, abort its signal, or call return() on what runs it.',
    });
  }
}

const skippedSteps = async (scaler: GradScaler | null): Promise<number> =>
  scaler ? (await scaler.state()).skippedSteps : 0;
