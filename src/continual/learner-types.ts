/** What a learner is asked, and answers. */
import type { Normalization } from '../data/dataset.ts';
import type { ImageFormat } from '../data/image-bytes.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Calibration } from './calibration.ts';
import type { ClassImages } from './class-images.ts';
import type { ExecutionSettings, LearnerSettingsInput } from './learner-settings.ts';
import type { AnyMethod, IncrementalModel } from './method.ts';
import type { NamedMethod } from './method-names.ts';
import type { Network } from './network.ts';

/** Settings of the learner and of its method, side by side. */
export interface LearnerOptions extends Omit<LearnerSettingsInput, 'model'> {
  /** A network by name, `resnet8` by default, or one of your own; see {@link defineNetwork}. */
  readonly model?: LearnerSettingsInput['model'] | Network;
  /** One that learners know by name, `fdkd` by default, or any as a value: one of your own, or from `engram/methods`. */
  readonly method?: NamedMethod | AnyMethod;
  /** Brings images of other sizes to those of the first task, on the GPU, instead of refusing them. */
  readonly resize?: boolean;
  /** The method's own settings. */
  readonly [setting: string]: unknown;
}

/** What a saved learner is loaded with. */
export interface LoadLearnerOptions {
  /** The method itself, or what gives it by its name in the file, where it is not one that learners know by name. */
  readonly method?: AnyMethod | ((name: string) => AnyMethod | undefined);
  /** The network itself, where it is one of your own. */
  readonly model?: Network;
  /** What changes no result; as it was saved by default. */
  readonly settings?: Partial<ExecutionSettings>;
  /** Names the file in errors. */
  readonly where?: string;
}

/** How a task is learnt. */
export interface LearnOptions {
  /** Ends the task with the signal's reason; the learner is as it was before. */
  readonly signal?: AbortSignal;
  /** Yields a `progress` event after so many epochs, and after each phase; 0, the default, for none. */
  readonly saveEvery?: number;
  /** Goes on with a task from the bytes of its last `progress`: the learner and the images must be those it was begun with. */
  readonly resume?: Uint8Array;
  /** Images of classes known after the task, tested on before it counts as learnt: for the `evaluation` of its event. */
  readonly test?: ClassImages;
  /** Several such sets, each tested by itself and by both heads: for the `evaluations` of its event. */
  readonly tests?: readonly ClassImages[];
  /** What to write into the metadata of each `progress`, asked for when it is written. */
  readonly annotate?: () => Readonly<Record<string, string>>;
}

/** One class that an image may be of. */
export interface Prediction {
  /** Its name. */
  readonly label: string;
  /** From 0 to 1; those of an image add up to 1. */
  readonly probability: number;
}

/** How well images of known classes are told. */
export interface Evaluation {
  /** Percent over all images. */
  readonly accuracy: number;
  /** Percent for each class that was tested. */
  readonly perClass: ReadonlyMap<string, number>;
  /** Images by class and prediction, [classes, classes] row-major: row is the right class. */
  readonly confusion: Uint32Array;
  /** Percent over all images when the task of each is told: only the classes that came with the right one are candidates. */
  readonly withinTask: number;
  /** How sure its predictions are, by the probabilities that `predict` gives, and how often they are right. */
  readonly calibration: Calibration;
  /** Only where asked for. */
  readonly heads?: Heads;
}

/** What each head says by itself, whatever the method predicts by: images by class and prediction, as `Evaluation.confusion`. */
export interface Heads {
  /** By the model's logits; `null` when some are not finite. */
  readonly classifier: Uint32Array | null;
  /** By the nearest mean of exemplars (Rebuffi et al. 2017); `null` when a class has no exemplars, or some feature is not finite. */
  readonly nearestMean: Uint32Array | null;
}

/** What a test tells. */
export interface EvaluateOptions {
  /** Asks both heads too: one more pass of the exemplars, and of the images where the method predicts by something else. */
  readonly heads?: boolean;
}

/** An exemplar as the memory holds it. */
export interface KeptImage {
  /** Name of its class. */
  readonly label: string;
  /** uint8 [height, width, channels]. */
  readonly pixels: Uint8Array<ArrayBuffer>;
}

/** What predictions are made by. */
export interface Answering {
  /** Scores [n, classes] of normalised images [n, h, w, c]: the largest is the prediction, their softmax its probabilities. */
  readonly scores: (images: Tensor) => Tensor;
  readonly model: IncrementalModel;
  /** What images are, and how their pixels are normalised. */
  readonly format: ImageFormat & Normalization;
  /** Names, in the order of the scores. */
  readonly classes: readonly string[];
}
