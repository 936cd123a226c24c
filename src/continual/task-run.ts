/** One task while it is learnt: what its method sees of it, and what is handed to the learner when it is done. */
import { joinLots } from '../data/stored-images.ts';
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
import { prototypesOf, readOf } from './inference.ts';
import { contextOf, type Knowledge, type Setup } from './knowledge.ts';
import { type LearnerSettings, type Recipe, recipeSettings } from './learner-settings.ts';
import type { LearnOptions } from './learner-types.ts';
import type { IncrementalModel, LinearModel, Phase, Task } from './method.ts';
import { phasesOf } from './method-checks.ts';
import { defaultModel } from './model.ts';
import { epochsOf, taskRecipe } from './recipe.ts';
import { TaskImages } from './task-images.ts';
import { formerFingerprint, type TaskInputs } from './task-inputs.ts';
import { readProgress, type TaskProgress, writeProgress } from './task-progress.ts';

export interface TaskRunOptions {
  readonly setup: Setup;
  /** What was learnt before. */
  readonly known: Knowledge;
  /** The images that were given. */
  readonly inputs: TaskInputs;
  readonly model: IncrementalModel;
  readonly scaler: GradScaler | null;
  /** Of everything that the task depends on. */
  readonly fingerprint: string;
  /** Takes in what the task needs on the device; freed with it. */
  readonly held: Disposables;
}

export type TaskRunSaving = Required<Pick<LearnOptions, 'saveEvery' | 'annotate'>> & Pick<LearnOptions, 'resume'>;

/** Names what is resumed in errors. */
const RESUMED = 'learn: resume';

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
    const { setup, known, inputs, model, held } = options;
    const { engine, training } = setup;
    const { memory, taskSizes } = known;
    const { images, format } = inputs;
    this.engine = engine;
    this.index = known.tasks;
    this.settings = setup.methodSettings as Readonly<Record<string, never>>;
    this.training = training;
    this.model = model;
    this.old = known.model?.eval() ?? null;
    this.oldTaskSizes = taskSizes;
    this.oldClasses = known.names.length;
    this.newClasses = inputs.added.length;
    this.fresh = range(0, images.count);
    this.exemplars = range(images.count, images.count + memory.size);
    this.labels = Int32Array.from([...inputs.labels, ...memory.exemplars.map(({ label }) => label)]);
    const all = memory.size > 0 ? joinLots([images, memory.images(format)], 'learn') : images;
    this.images = held.add(new TaskImages(engine, all, this.labels, format));
  }

  get epochs(): number {
    return epochsOf(this.training, this.index);
  }

  // Fields, not methods: whoever takes a task apart may call them all the same.
  readonly random = (...purpose: (string | number)[]): Random => Random.of(this.training.seed, ...purpose, this.index);

  readonly hold = <T extends Disposable>(one: T): T => this.options.held.add(one);

  readonly release = <T extends Disposable>(one: T): T => this.options.held.release(one);

  readonly newModel = (classes: number): LinearModel => {
    const { setup, inputs } = this.options;
    return defaultModel({ ...contextOf(setup, inputs.format), classes });
  };

  readonly features = (model: IncrementalModel, images: readonly number[]): Promise<Float32Array<ArrayBuffer>> =>
    readOf<Float32Array<ArrayBuffer>>(Float32Array, model, this.images, images, (x) => model.features(x));

  readonly logits = (model: IncrementalModel, images: readonly number[]): Promise<Float32Array<ArrayBuffer>> =>
    readOf<Float32Array<ArrayBuffer>>(Float32Array, model, this.images, images, (x) => model.forward(x));

  readonly stored = (image: number, name: string): Float32Array | undefined =>
    this.options.known.memory.exemplars[image - this.fresh.length]?.values?.[name];

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
    const { method } = this.options.setup;
    const done = saving.resume ? this.resumed(saving.resume) : null;
    let phaseIndex = 0;
    for await (const phase of phasesOf(method, this)) {
      const end = done?.ends[phaseIndex];
      if (done && phaseIndex < done.phase && end) {
        writeState(this.model.namedTensors(), end, RESUMED);
        this.ends.push(end);
      } else {
        yield* this.fit(phase, phaseIndex, saving, phaseIndex === done?.phase ? done : null);
      }
      phaseIndex++;
    }
    if (!done || done.phase < phaseIndex) return;
    throw new CheckpointError({
      where: RESUMED,
      message: `this is the progress of phase ${done.phase + 1}, but the task has ${phaseIndex}.`,
      fix: 'Resume with the method that the task was begun with, or learn it from its beginning.',
    });
  }

  private async *fit(
    phase: Phase,
    phaseIndex: number,
    { saveEvery, annotate }: TaskRunSaving,
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
      indices: this.oversampled(phase.images ?? [...this.fresh, ...this.exemplars]),
      held,
      saveEvery,
      resume: done && { snapshot: done.snapshot, where: RESUMED },
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

  /** Where a phase trains on all of the new images, with each as often as it comes in an epoch; what it chose of them stays. */
  private oversampled(images: readonly number[]): readonly number[] {
    const { oversample } = this.training;
    const chosen = new Set(images);
    if (this.index === 0 || oversample === 1 || !this.fresh.every((image) => chosen.has(image))) return images;
    return [...images, ...new Array<readonly number[]>(oversample - 1).fill(this.fresh).flat()];
  }

  private resumed(bytes: Uint8Array): TaskProgress {
    const progress = readProgress(bytes, RESUMED);
    const { index, options } = this;
    const { setup, known, inputs } = options;
    const isOfThese = ({ fingerprint }: TaskProgress) =>
      fingerprint === options.fingerprint || fingerprint === formerFingerprint(setup, known, inputs);
    if (progress.task !== index || !isOfThese(progress)) {
      throw new CheckpointError({
        where: RESUMED,
        message:
          progress.task !== index
            ? `this is the progress of task ${progress.task + 1}, but task ${index + 1} is to be learnt.`
            : 'this progress was made with other images, classes, settings or exemplars.',
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
  return { ...taskRecipe(task.training, task.index), ...recipe };
}
