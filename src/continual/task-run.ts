/** One task while it is learnt: what its method sees of it, and what is handed to the learner when it is done. */
import type { Normalization } from '../data/dataset.ts';
import { type ImageBytes, joinImages } from '../data/image-bytes.ts';
import { ArgumentError, CheckpointError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import { type StateDict, writeState } from '../nn/state-dict.ts';
import type { GradScaler } from '../optim/grad-scaler.ts';
import type { Engine } from '../tensor/engine.ts';
import { Random } from '../tensor/random.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Disposable, Disposables } from './disposables.ts';
import type { EpochEvent, ProgressEvent, StepEvent } from './events.ts';
import { type Fit, fitPhase } from './fit.ts';
import { featuresOf, prototypesOf } from './inference.ts';
import type { LearnerSettings, Recipe } from './learner-settings.ts';
import { recipeSettings } from './learner-settings.ts';
import type { AnyMethod, IncrementalModel, Phase, Task } from './method.ts';
import { phasesOf } from './method-checks.ts';
import { epochsOf } from './recipe.ts';
import { TaskImages } from './task-images.ts';
import { readProgress, type TaskProgress, writeProgress } from './task-progress.ts';
import { augmentationOf } from './training-checks.ts';

export interface TaskRunOptions {
  readonly engine: Engine;
  readonly method: AnyMethod;
  readonly methodSettings: Readonly<Record<string, unknown>>;
  readonly training: LearnerSettings;
  readonly index: number;
  readonly model: IncrementalModel;
  readonly old: IncrementalModel | null;
  readonly scaler: GradScaler | null;
  readonly oldTaskSizes: readonly number[];
  readonly newClasses: number;
  /** The images that were given, class by class, with their logits. */
  readonly fresh: ImageBytes;
  readonly freshLabels: readonly number[];
  readonly exemplars: ImageBytes;
  readonly exemplarLabels: readonly number[];
  readonly normalization: Normalization;
  /** Of everything that the task depends on. */
  readonly fingerprint: string;
  /** Takes in what the task needs on the device; freed with it. */
  readonly held: Disposables;
}

export interface TaskRunSaving {
  readonly saveEvery: number;
  readonly resume: { readonly bytes: Uint8Array; readonly where: string } | null;
  readonly annotate: () => Readonly<Record<string, string>>;
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

export class TaskRun implements Task {
  readonly engine: Engine;
  readonly index: number;
  readonly settings: Readonly<Record<string, never>>;
  readonly training: LearnerSettings;
  readonly model: IncrementalModel;
  readonly old: IncrementalModel | null;
  readonly oldTaskSizes: readonly number[];
  readonly oldClasses: number;
  readonly newClasses: number;
  readonly fresh: readonly number[];
  readonly exemplars: readonly number[];
  readonly labels: Int32Array;
  readonly notes: Record<string, number> = {};
  private readonly images: TaskImages;
  private readonly started = performance.now();
  private secondsBefore = 0;
  private readonly ends: StateDict[] = [];

  constructor(private readonly options: TaskRunOptions) {
    const { engine, fresh, exemplars, oldTaskSizes, held } = options;
    this.engine = engine;
    this.index = options.index;
    this.settings = options.methodSettings as Readonly<Record<string, never>>;
    this.training = options.training;
    this.model = options.model;
    this.old = options.old?.eval() ?? null;
    this.oldTaskSizes = oldTaskSizes;
    this.oldClasses = oldTaskSizes.reduce((total, size) => total + size, 0);
    this.newClasses = options.newClasses;
    this.fresh = range(0, fresh.count);
    this.exemplars = range(fresh.count, fresh.count + exemplars.count);
    this.labels = Int32Array.from([...options.freshLabels, ...options.exemplarLabels]);
    const all = exemplars.count > 0 ? joinImages([fresh, exemplars], 'learn') : fresh;
    this.images = held.add(new TaskImages(engine, all, this.labels, options.normalization));
  }

  get epochs(): number {
    return epochsOf(this.training, this.index);
  }

  // Fields, not methods: whoever takes a task apart may call them all the same.
  readonly random = (...purpose: (string | number)[]): Random => Random.of(this.training.seed, ...purpose, this.index);

  readonly hold = <T extends Disposable>(one: T): T => this.options.held.add(one);

  readonly release = <T extends Disposable>(one: T): T => this.options.held.release(one);

  readonly features = (model: IncrementalModel, images: readonly number[]): Promise<Float32Array<ArrayBuffer>> =>
    featuresOf(model, this.images, images);

  readonly prototypes = async (model: IncrementalModel): Promise<Tensor> =>
    prototypesOf(model, this.images, [...this.exemplars, ...this.fresh], this.oldClasses + this.newClasses);

  readonly note = (name: string, value: number): void => {
    this.notes[name] = value;
  };

  /** Seconds spent on the task, before it was resumed too. */
  get seconds(): number {
    return this.secondsBefore + (performance.now() - this.started) / 1000;
  }

  /**
   * Trains every phase of the task.
   * @throws {ConfigError} when the method fails, or yields what is no phase.
   * @throws {CheckpointError} when what is to be resumed is of another task.
   */
  async *run(saving: TaskRunSaving): AsyncGenerator<StepEvent | EpochEvent | ProgressEvent> {
    const { method } = this.options;
    const done = saving.resume ? this.resumed(saving.resume) : null;
    let phaseIndex = 0;
    for await (const phase of phasesOf(method, this)) {
      const end = done?.ends[phaseIndex];
      if (done && phaseIndex < done.phase && end) {
        writeState(this.model.namedTensors(), end, saving.resume?.where ?? 'learn');
        this.ends.push(end);
      } else {
        yield* this.fit(phase, phaseIndex, saving, phaseIndex === done?.phase ? done : null);
      }
      phaseIndex++;
    }
    if (!done || done.phase < phaseIndex) return;
    throw new CheckpointError({
      where: saving.resume?.where ?? 'learn',
      message: `this is the progress of phase ${done.phase + 1}, but the task has ${phaseIndex}.`,
      fix: 'Resume with the method that the task was begun with, or learn it from its beginning.',
    });
  }

  private async *fit(
    phase: Phase,
    phaseIndex: number,
    { saveEvery, annotate, resume }: TaskRunSaving,
    done: TaskProgress | null,
  ): AsyncGenerator<StepEvent | EpochEvent | ProgressEvent> {
    const { engine, training, model, old, options, images, index: task } = this;
    const held = options.held.add(new Disposables());
    const fit: Fit = {
      engine,
      training,
      recipe: recipeOf(this, phase),
      task,
      phaseIndex,
      phase,
      model,
      old,
      scaler: options.scaler,
      images,
      indices: phase.images ?? [...this.fresh, ...this.exemplars],
      augmentation: phase.augment === false ? {} : augmentationOf(training),
      held,
      saveEvery,
      resume: done && resume ? { snapshot: done.snapshot, where: resume.where } : null,
    };
    let last = done?.snapshot;
    for await (const event of fitPhase(fit)) {
      if (event.type !== 'snapshot') {
        yield event;
        continue;
      }
      last = event.snapshot;
      const { seconds, ends } = this;
      const { fingerprint } = options;
      const metadata = annotate();
      const progress = { task, phase: phaseIndex, fingerprint, seconds, ends, snapshot: event.snapshot, metadata };
      yield { type: 'progress', task, phase: phaseIndex, epochs: last.epochs, bytes: writeProgress(progress) };
    }
    options.held.release(held).dispose();
    if (last) this.ends.push(last.model);
  }

  private resumed({ bytes, where }: { bytes: Uint8Array; where: string }): TaskProgress {
    const progress = readProgress(bytes, where);
    const { index, options } = this;
    if (progress.task !== index || progress.fingerprint !== options.fingerprint) {
      throw new CheckpointError({
        where,
        message:
          progress.task !== index
            ? `this is the progress of task ${progress.task + 1}, but task ${index + 1} is to be learnt.`
            : 'this progress was made with other images, settings or exemplars.',
        fix: 'Give the images and the learner that the task was begun with, or learn it from its beginning.',
      });
    }
    this.secondsBefore = progress.seconds;
    return progress;
  }
}

/** The learner's recipe with what the phase changes of it. */
function recipeOf(task: TaskRun, { recipe = {}, name = 'fit' }: Phase): Recipe {
  const unknown = Object.keys(recipe).find((key) => !(key in recipeSettings));
  if (unknown !== undefined) {
    throw new ArgumentError({
      where: `phase ${clipped(name)}`,
      message: `its recipe has the unknown setting "${clipped(unknown)}".`,
      fix: `A phase may have its own ${Object.keys(recipeSettings).join(', ')}.`,
    });
  }
  return { ...task.training, epochs: task.epochs, ...recipe };
}
