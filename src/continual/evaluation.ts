/** Testing on images of known classes. */
import type { ImageFormat } from '../data/image-bytes.ts';
import { type Images, joinLots } from '../data/stored-images.ts';
import { ArgumentError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import type { Engine } from '../tensor/engine.ts';
import { calibrationOf } from './calibration.ts';
import { type ClassImages, labelsOf, readClassImages } from './class-images.ts';
import { diverged } from './divergence.ts';
import type { Evaluation } from './learner-types.ts';
import type { Predictions } from './predictions.ts';

export interface TestImagesOptions {
  /** Of the classes, in the order of the logits. */
  readonly names: readonly string[];
  readonly format: ImageFormat;
  /** Brings images of other sizes to that format. */
  readonly resize: boolean;
  readonly where: string;
}

/**
 * Images to test on.
 * @throws {ArgumentError} for a class that is not known, and what {@link readClassImages} refuses.
 */
export async function readTestImages(
  engine: Engine,
  images: ClassImages,
  { names, format, resize, where }: TestImagesOptions,
): Promise<ReadonlyMap<string, Images>> {
  const lots = await readClassImages(engine, images, { format, resize, where });
  const unknown = [...lots.keys()].find((name) => !names.includes(name));
  if (unknown === undefined) return lots;
  throw new ArgumentError({
    where,
    message: `class "${clipped(unknown)}" is not known.`,
    fix: `Known are ${clipped(names.join(', '))}.`,
  });
}

export interface EvaluationOptions {
  readonly predictions: Predictions;
  /** Of the classes, in the order of the logits. */
  readonly names: readonly string[];
  /** Classes that each task brought. */
  readonly taskSizes: readonly number[];
  /** What a model was trained at whose scores are not finite. */
  readonly lr: number;
  /** Asks both heads too. */
  readonly heads?: boolean;
}

/**
 * @param lots as {@link readTestImages} gives them.
 * @throws {ConfigError} when some score is not a finite number.
 */
export async function evaluate(
  lots: ReadonlyMap<string, Images>,
  { predictions, names, taskSizes, lr, heads = false }: EvaluationOptions,
): Promise<Evaluation> {
  const labels = labelsOf(lots, names);
  const images = joinLots([...lots.values()], 'evaluate');
  const answers = await predictions.answers(images, { labels, taskSizes, heads });
  const { predicted, withinTask, confidences } = answers;
  if (predicted.includes(-1)) throw diverged('evaluate', 'scores of images are', lr);
  const confusion = confusionOf(labels, predicted, names.length);
  const perClass = new Map<string, number>();
  for (const [name, { count }] of lots) {
    const label = names.indexOf(name);
    perClass.set(name, (100 * (confusion[label * (names.length + 1)] as number)) / count);
  }
  const byHead = (said: Int32Array | null) =>
    said && !said.includes(-1) ? confusionOf(labels, said, names.length) : null;
  return {
    accuracy: percentEqual(predicted, labels),
    perClass,
    confusion,
    withinTask: percentEqual(withinTask, labels),
    calibration: calibrationOf(confidences, (image) => predicted[image] === labels[image]),
    ...(heads ? { heads: { classifier: byHead(answers.classifier), nearestMean: byHead(answers.nearestMean) } } : {}),
  };
}

/** Images by class and prediction, [classes, classes] row-major. */
function confusionOf(labels: Int32Array, predicted: Int32Array, classes: number): Uint32Array {
  const confusion = new Uint32Array(classes * classes);
  labels.forEach((label, image) => {
    const cell = label * classes + (predicted[image] as number);
    confusion[cell] = (confusion[cell] as number) + 1;
  });
  return confusion;
}

const percentEqual = (predicted: Int32Array, labels: Int32Array): number =>
  (100 * labels.reduce((right, label, image) => right + (predicted[image] === label ? 1 : 0), 0)) / labels.length;
