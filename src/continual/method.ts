/**
 * What a continual-learning method is: the model it trains, the phases a task is learnt in, the loss of each, and how it
 * predicts. A published method is one file that makes such an object; one of a user's own is an object of the same shape.
 */
import type { ImageFormat } from '../data/image-bytes.ts';
import type { Linear } from '../nn/layers.ts';
import type { Module } from '../nn/module.ts';
import type { Engine } from '../tensor/engine.ts';
import type { Random } from '../tensor/random.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Disposable } from './disposables.ts';
import type { LearnerSettings, Recipe, Selection } from './learner-settings.ts';
import type { Network } from './network.ts';
import type { Settings, ValuesOf } from './setting.ts';

/** What a model makes of a batch of images; each f32. */
export interface Outputs {
  /** [n, classes]. */
  readonly logits: Tensor;
  /** What the classifier sees, [n, featureSize]. */
  readonly features: Tensor;
  /** The maps after each stage, [n, h, w, c]. */
  readonly stages: readonly Tensor[];
}

/**
 * A model whose classifier grows. All that its fields hold is copied, saved and loaded with it, so what a method has to keep
 * from task to task beyond the exemplars is a tensor or a module in a field of its model.
 */
export interface IncrementalModel extends Module {
  /** Outputs of the classifier. */
  readonly classes: number;
  /** Numbers of a feature vector. */
  readonly featureSize: number;
  /** Logits [n, classes] of images [n, h, w, c]. */
  forward(images: Tensor): Tensor;
  /** Features [n, featureSize] of images. */
  features(images: Tensor): Tensor;
  /** All of it at once, of images [n, h, w, c]. */
  outputs(images: Tensor): Outputs;
  /**
   * Makes room for a task's classes; they come after those that are there. Called once for each task with new classes after
   * the first, with the same arguments whenever a model of the same history is built again: what it draws must follow from
   * the seed and the model's sizes.
   */
  grow(classes: number, seed: number): void;
}

/** A model whose classifier is a linear layer over its features: what is trained unless a method has a model of its own. */
export interface LinearModel extends IncrementalModel {
  /** The classifier. */
  fc: Linear;
  /** Channels of the images. */
  readonly inChannels: number;
}

/** What a model is made from. */
export interface ModelContext<S extends Settings = Settings> {
  readonly engine: Engine;
  /** Channels of the images. */
  readonly channels: number;
  /** Size and channels of the images. */
  readonly images: ImageFormat;
  /** One of the user's own, in the place of the one that `training.model` names; see {@link defaultModel} and {@link backboneOf}. */
  readonly network?: Network | undefined;
  /** Classes of the first task. */
  readonly classes: number;
  /** The learner's settings. */
  readonly training: LearnerSettings;
  /** The method's own settings. */
  readonly settings: ValuesOf<S>;
}

/** One batch, as a loss sees it. What is computed for it is computed when it is first asked for. */
export interface Batch<M extends IncrementalModel = IncrementalModel> {
  /** The model in training. */
  readonly model: M;
  /** Augmented and normalised, f32 [n, h, w, c]. */
  readonly images: Tensor;
  /** Right logits, i32 [n]. */
  readonly targets: Tensor;
  /** Logits of the model in training, [n, classes]. */
  readonly logits: Tensor;
  /** All that the model makes of the images. */
  readonly outputs: ReturnType<M['outputs']>;
  /** Logits of the old model on the same images, [n, old classes], without a gradient; none in the first task. */
  readonly oldLogits: Tensor | null;
  /** All that the old model makes of the images, without a gradient; none in the first task. */
  readonly oldOutputs: ReturnType<M['outputs']> | null;
  /**
   * Of one of the phase's {@link Phase.values}, the rows of these images: [n, …].
   * @throws {ConfigError} for a name that the phase does not have.
   */
  values(name: string): Tensor;
  /**
   * The batch of one of the phase's {@link Phase.drawn} that belongs to this step.
   * @throws {ConfigError} for a name that the phase does not have.
   */
  drawn(name: string): Batch<M>;
  /** Both batches as one, this one's images first: the model sees them together. */
  joined(other: Batch<M>): Batch<M>;
}

/** Images of which a few are drawn in every step, beside those that the phase walks over. */
export interface Drawn {
  /** Which of the task's images. */
  readonly images: readonly number[];
  /** How many a step, no image twice; as many as the recipe's batch by default, and never more than there are. */
  readonly batch?: number;
  /** Augmented as configured (default), or as they are. */
  readonly augment?: boolean;
}

/** One stretch of training within a task. */
export interface Phase<M extends IncrementalModel = IncrementalModel> {
  /** What it is called in events, records and messages; its number alone by default. */
  readonly name?: string;
  /** Which of the task's images it learns on; fresh ones and exemplars by default. */
  readonly images?: readonly number[];
  /**
   * The part of the model that is trained, all by default. The others keep their parameters and statistics, as in
   * inference; so does what was frozen before.
   */
  readonly parameters?: Module;
  /** What differs from the learner's own recipe. */
  readonly recipe?: Partial<Recipe>;
  /** Random crops, flips and so on as configured (default), or images as they are. */
  readonly augment?: boolean;
  /** Further batches of each step, by name: `{ memory: { images: task.exemplars } }` is `batch.drawn('memory')`. */
  readonly drawn?: Readonly<Record<string, Drawn>>;
  /**
   * What losses want of each image beside its pixels, by name: row i belongs to image i of the task, [images, …]. Belongs to the
   * method, until the phase is done.
   */
  readonly values?: Readonly<Record<string, Tensor>>;
  /**
   * Scalar loss of a batch. A step is recorded once and then replayed: what JavaScript does here runs in the first two
   * steps only, unless `replayable` says otherwise.
   */
  loss(batch: Batch<M>): Tensor;
  /** What is done to the weights after each step of the optimizer, such as a projection: on the device, and recorded with the step. */
  afterStep?(): void;
  /** `false` when the loss is put together differently from step to step; every step is then run anew. */
  readonly replayable?: boolean;
  /** What besides model and optimizer changes from step to step, such as the counter of random draws: saved for resume. */
  readonly state?: Readonly<Record<string, Tensor>>;
}

/** A task while it is learnt. Images are numbers into `labels`. */
export interface Task<S extends Settings = Settings, M extends IncrementalModel = IncrementalModel> {
  readonly engine: Engine;
  /** Tasks learnt before. */
  readonly index: number;
  /** The method's own settings. */
  readonly settings: ValuesOf<S>;
  /** The learner's settings. */
  readonly training: LearnerSettings;
  /** With room for the new classes; it becomes the learner's when the task is done. */
  readonly model: M;
  /** The model after the last task, in inference; none in the first task. It stays as it is. */
  readonly old: M | null;
  /** Classes that each earlier task brought, those that brought none left out. */
  readonly oldTaskSizes: readonly number[];
  /** Classes known before the task. */
  readonly oldClasses: number;
  /** 0 where the task brings images of known classes only. */
  readonly newClasses: number;
  /** The images that were given. */
  readonly fresh: readonly number[];
  /** The exemplars of earlier tasks. */
  readonly exemplars: readonly number[];
  /** The right logit of each image. */
  readonly labels: Int32Array;
  /** Epochs of this task by the learner's settings. */
  readonly epochs: number;
  /** Random numbers for a purpose of this task. */
  random(...purpose: (string | number)[]): Random;
  /** Frees something when the task ends, however it does. */
  hold<T extends Disposable>(one: T): T;
  /** Lets go of it: it is freed by whom it was released to. */
  release<T extends Disposable>(one: T): T;
  /** Another of what methods train that have no model of their own, for so many classes. Belongs to the caller. */
  newModel(classes: number): LinearModel;
  /** Features of images as they are, in inference: [n, featureSize] row-major, read back. */
  features(model: IncrementalModel, images: readonly number[]): Promise<Float32Array<ArrayBuffer>>;
  /** Logits of images as they are, in inference: [n, classes] row-major, read back. */
  logits(model: IncrementalModel, images: readonly number[]): Promise<Float32Array<ArrayBuffer>>;
  /** What was stored with an exemplar under a name (see {@link Method.stores}); `undefined` for other images. */
  stored(image: number, name: string): Float32Array | undefined;
  /**
   * Means of normalised features by class, f32 [classes, featureSize], of exemplars and fresh images; zeros for a class without
   * images. Belongs to the caller.
   */
  prototypes(model: IncrementalModel): Promise<Tensor>;
  /** A number for the record, such as γ of an alignment. */
  note(name: string, value: number): void;
}

/** What a method may predict by. */
export interface PredictionContext<S extends Settings = Settings, M extends IncrementalModel = IncrementalModel> {
  readonly engine: Engine;
  readonly model: M;
  readonly settings: ValuesOf<S>;
  /** Means of the exemplars' normalised features, not normalised themselves: f32 [classes, featureSize]. Belongs to the caller. */
  exemplarMeans(): Tensor;
}

/** What a method predicts by, if not by its model's logits. */
export interface Predictor {
  /** Scores [n, classes] of images [n, h, w, c]: the largest is the prediction, their softmax its probabilities. */
  scores(images: Tensor): Tensor;
  /** Frees what it holds. */
  dispose?(): void;
}

/** What a run will come to, for what can be refused before it begins. */
export interface TaskPlan {
  /**
   * Classes that each task brings, in order, those that bring none left out; of an open-ended learner, the tasks so far and the
   * next one. A last task that brings none is a 0 at the end: all others are old ones before it.
   */
  readonly taskSizes: readonly number[];
  /** The learner's settings. */
  readonly training: LearnerSettings;
}

/**
 * A way to learn class after class: what is trained in a task, by which loss, what is kept, and how it predicts. One of your own is an
 * object of this shape, given its types by {@link defineMethod}.
 */
export interface Method<S extends Settings = Settings, M extends IncrementalModel = IncrementalModel> {
  /** Runs are recorded under it and resumed by it. */
  readonly name: string;
  /** One line for `--help` and reports. */
  readonly summary: string;
  /** The paper: authors, year, title. */
  readonly source?: string;
  /** Its own settings: flags on the command line, keys in files. None has the name of a learner's. */
  readonly settings: S;
  /** What is kept of the images of a task that was learnt: nothing, exemplars as the memory allows, or all. */
  readonly keeps: 'nothing' | 'exemplars' | 'everything';
  /** How its exemplars are chosen unless the learner's settings say otherwise; by herding by default. */
  readonly selection?: Selection;
  /** That it keeps exemplars, and can do without: with a memory of 0 it keeps nothing. */
  readonly exemplarFree?: true;
  /** Passes through the network for an image of a later task beside the one that trains, for estimates: 1 with a teacher. */
  readonly extraPasses?: number;
  /** What its results were compared with, and how near they came, in one line; none while they were not. */
  readonly verified?: string;
  /**
   * Refuses, before anything is learnt, what this method cannot do.
   * @returns what a user should know before the run.
   * @throws {ConfigError}
   */
  check?(settings: ValuesOf<S>, plan: TaskPlan): readonly string[] | undefined;
  /** What it trains in the place of the network that the setting `model` names; see {@link withNetwork}. */
  readonly network?: Network;
  /** A model for the first task's classes; a ResNet or the user's own network with a linear classifier by default. */
  model?(context: ModelContext<S>): M;
  /**
   * Learns a task: yields its phases, each of which has been trained when the generator goes on. What it does between two of
   * them is done again when a task is resumed, on the model as it was then: it must depend on the task and its own random
   * numbers alone.
   */
  learn(task: Task<S, M>): AsyncIterable<Phase<M>> | Iterable<Phase<M>>;
  /**
   * What is stored with images that enter the memory at a task's end, beside their pixels: by name, numbers for each of them, as
   * many as it likes. They are saved with the exemplars.
   */
  stores?(task: Task<S, M>, images: readonly number[]): Promise<Readonly<Record<string, readonly Float32Array[]>>>;
  /** How it predicts; by the model's logits by default. Made anew after every task. */
  predictor?(context: PredictionContext<S, M>): Predictor | Promise<Predictor>;
}

/** Any method, whatever its settings and its model. */
// biome-ignore lint/suspicious/noExplicitAny: a method's own types are known to itself alone
export type AnyMethod = Method<any, any>;

/** Gives a method its types: of its settings from their declaration, of its model from what it makes, or that of a linear one. */
export const defineMethod = <const S extends Settings, M extends IncrementalModel = LinearModel>(
  method: Method<S, M>,
): Method<S, M> => method;
