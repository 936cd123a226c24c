/**
 * Offline compression: a small network learns from a large one on images that are all there. It is one task of a learner's, with
 * the teacher in the place of the old model, so that its steps are recorded, tuned and checked as a learner's are.
 */
import type { Normalization } from '../../data/dataset.ts';
import { checkImageBytes, type ImageBytes } from '../../data/image-bytes.ts';
import type { ClassGroups } from '../../distill/class-groups.ts';
import { ArgumentError, ConfigError, ShapeError } from '../../errors.ts';
import { GradScaler } from '../../optim/grad-scaler.ts';
import { letUsingDispose } from '../../tensor/dispose.ts';
import { supportsF16 } from '../../tensor/dtype.ts';
import type { Engine } from '../../tensor/engine.ts';
import { Disposables } from '../disposables.ts';
import type { EpochEvent, StepEvent } from '../events.ts';
import { received } from '../expected.ts';
import { fitPhase } from '../fit.ts';
import { largest, prototypesOf, readOf } from '../inference.ts';
import type { LearnerSettings } from '../learner-settings.ts';
import type { IncrementalModel, LinearModel } from '../method.ts';
import { defaultModel } from '../model.ts';
import { named } from '../setting-name.ts';
import { TaskImages } from '../task-images.ts';
import { checkImageSettings } from '../training-checks.ts';
import { checkGroups, compressionLoss, orderOf } from './losses.ts';
import {
  COMPRESSION_LOSSES,
  type CompressionLoss,
  type CompressionSettings,
  type CompressionSettingsInput,
  learnerSettingsFrom,
  readCompressionSettings,
} from './settings.ts';
import { countWeights } from './size.ts';

const where = 'Compression';

/** Images with the class of each. */
export interface LabelledImages {
  readonly images: ImageBytes;
  /** The logit of each image's class. */
  readonly labels: ArrayLike<number>;
}

/** What a {@link Compression} is made of. */
export interface CompressionOptions {
  /** The large network: logits [n, classes] and features of images; a `ResNet`, or the `model` of a learner. It stays as it is. */
  readonly teacher: IncrementalModel;
  /** What students learn on. */
  readonly train: LabelledImages;
  /** What the teacher was trained with, per channel. */
  readonly normalization: Normalization;
  /** The student's network and how it is trained. */
  readonly settings?: CompressionSettingsInput;
}

/** One student's training. */
export interface StudentOptions {
  readonly loss: CompressionLoss;
  /** Of its first weights, of the order of images and of their augmentation: the same for all losses. */
  readonly seed?: number;
  /** For `dense`. */
  readonly groups?: ClassGroups;
  /** Weight λ of the distillation, at least 0; by default as the settings have it. */
  readonly kdWeight?: number;
  /** Ends the training with its reason. */
  readonly signal?: AbortSignal;
}

/** A student that is trained: the last event. */
export interface StudentEvent {
  readonly type: 'student';
  /** In inference; belongs to whoever takes it. */
  readonly student: LinearModel;
  /** Of its training. */
  readonly seconds: number;
}

/** What {@link Compression.learn} yields; the task and the phase of its steps and epochs are 0. */
export type CompressionEvent = StepEvent | EpochEvent | StudentEvent;

/**
 * Trains small networks on what a large one says of images.
 * @example
 * const compression = new Compression(engine, { teacher, train, normalization, settings: { model: 'resnet8', width: 8 } });
 * const groups = classGroups(clusterClasses(await compression.prototypes(), teacher.classes, 10), teacher.classes);
 * for await (const event of compression.learn({ loss: 'dense', groups, seed: 0 })) if (event.type === 'student') use(event.student);
 */
export class Compression {
  /** Defaults filled in. */
  readonly settings: CompressionSettings;
  private readonly training: LearnerSettings;
  private readonly images: TaskImages;
  private readonly labels: Int32Array<ArrayBuffer>;
  private readonly options: CompressionOptions;

  /**
   * Uploads the images.
   * @throws {ConfigError} for a setting that is unknown or does not fit, and a student with more weights than the teacher.
   * @throws {ShapeError} when images and labels do not fit each other.
   * @throws {ArgumentError} for a label that is none of the teacher's classes.
   * @throws {OutOfMemoryError} beyond the device's limits.
   */
  constructor(
    readonly engine: Engine,
    options: CompressionOptions,
  ) {
    const { teacher, train, normalization, settings = {} } = options;
    this.options = options;
    const read = readCompressionSettings(settings, where);
    this.settings = supportsF16(engine) ? read : { ...read, precision: 'f32' };
    this.training = learnerSettingsFrom(this.settings, 0);
    const images = checkImageBytes(train.images, where);
    checkImageSettings(this.training, images);
    this.labels = checkedLabels(train, teacher.classes);
    this.checkSize();
    this.images = new TaskImages(engine, images, this.labels, normalization);
  }

  /** Mean normalised features of the teacher by class, [classes, featureSize] row-major: what classes are grouped by. */
  async prototypes(): Promise<Float32Array<ArrayBuffer>> {
    const { teacher } = this.options;
    const means = await prototypesOf(teacher, this.images, [...this.labels.keys()], teacher.classes);
    try {
      return (await means.data()) as Float32Array<ArrayBuffer>;
    } finally {
      means.dispose();
    }
  }

  /** Images of an epoch. */
  get imageCount(): number {
    return this.labels.length;
  }

  /**
   * Trains a student; the same options give the same student. The last event has it.
   * @throws {ConfigError} when training diverges, for a loss that is not known, a weight that is no number of at least 0, and images
   * one by one where the student's maps of them end in one pixel.
   * @throws {ArgumentError} for `dense` without groups, or groups of other classes.
   */
  async *learn({
    loss,
    seed = 0,
    groups,
    kdWeight = this.settings.kdWeight,
    signal,
  }: StudentOptions): AsyncGenerator<CompressionEvent> {
    if (!COMPRESSION_LOSSES.includes(loss)) {
      throw new ConfigError({
        where,
        message: `${received(loss)} is not a loss of compressions.`,
        fix: `There are ${COMPRESSION_LOSSES.join(', ')}.`,
      });
    }
    const { engine, images, labels } = this;
    const { teacher } = this.options;
    checkGroups(loss, groups, teacher.classes);
    const settings = readCompressionSettings({ ...this.settings, kdWeight }, where);
    const held = new Disposables();
    const wasTraining = teacher.training;
    teacher.eval();
    const started = performance.now();
    try {
      const training = { ...this.training, seed };
      const student = held.add(this.newStudent(seed));
      const places = orderOf(groups);
      const order = places && held.add(engine.keep(engine.tensor(places)));
      const events = fitPhase({
        engine,
        training,
        recipe: training,
        task: 0,
        phaseIndex: 0,
        name: `${loss}, seed ${seed}`,
        phase: { loss: compressionLoss(loss, settings, groups ?? null, order) },
        model: student,
        old: teacher,
        scaler: training.precision === 'f16' ? held.add(new GradScaler(engine)) : null,
        images,
        indices: [...labels.keys()],
        held,
        saveEvery: 0,
        resume: null,
      });
      for await (const event of events) {
        if (event.type !== 'snapshot') yield event;
        signal?.throwIfAborted();
      }
      held.release(student);
      // What trains it sets it back to inference when it is freed.
      held.dispose();
      yield { type: 'student', student: student.eval(), seconds: (performance.now() - started) / 1000 };
    } finally {
      held.dispose();
      teacher.train(wasTraining);
    }
  }

  /** A student before its training; belongs to the caller. */
  newStudent(seed = 0): LinearModel {
    const { teacher, train } = this.options;
    const training = { ...this.training, seed };
    return defaultModel({ engine: this.engine, images: train.images, training, classes: teacher.classes });
  }

  /** Frees the images; the teacher is its owner's. */
  dispose(): void {
    this.images.dispose();
  }

  /** {@link dispose}, for `using`. */
  declare [Symbol.dispose]: () => void;

  /** @throws {ConfigError} for a student that is no smaller network. */
  private checkSize(): void {
    const student = this.newStudent();
    const [own, teachers] = [countWeights(student), countWeights(this.options.teacher)];
    student.dispose();
    if (own.parameters <= teachers.parameters) return;
    throw new ConfigError({
      where: 'student',
      message: `${this.settings.model} would have ${own.parameters} parameters, and its teacher has ${teachers.parameters}: nothing would be compressed.`,
      fix: `Choose a smaller network for it, \`model\` (--student), or a smaller ${named('width')}.`,
    });
  }
}

letUsingDispose(Compression);

function checkedLabels({ images, labels }: LabelledImages, classes: number): Int32Array<ArrayBuffer> {
  if (labels.length !== images.count)
    throw new ShapeError({ where, message: `there are ${labels.length} labels for ${images.count} images.` });
  // As they were given: whole numbers of 32 bits can be made of anything.
  const outside = Array.from(labels).findIndex((label) => !(Number.isInteger(label) && label >= 0 && label < classes));
  if (outside >= 0)
    throw new ArgumentError({
      where,
      message: `image ${outside} is of class ${labels[outside]}, but the teacher knows 0 to ${classes - 1}.`,
      fix: 'Give images of its classes only.',
    });
  return Int32Array.from(labels);
}

/**
 * Percent of the images whose largest logit is the right one.
 * @param normalization what the model was trained with.
 * @throws {ShapeError} when images and labels do not fit each other.
 * @throws {ArgumentError} for a label that is none of the model's classes.
 */
export async function accuracyOf(
  model: IncrementalModel,
  { images, labels }: LabelledImages,
  normalization: Normalization,
): Promise<number> {
  const own = checkedLabels({ images: checkImageBytes(images, 'accuracyOf'), labels }, model.classes);
  const uploaded = new TaskImages(model.engine, images, own, normalization);
  try {
    const said = await readOf(Int32Array, model, uploaded, [...own.keys()], (x) => largest(model.forward(x)));
    return (100 * own.reduce((right, label, image) => right + (said[image] === label ? 1 : 0), 0)) / own.length;
  } finally {
    uploaded.dispose();
  }
}
