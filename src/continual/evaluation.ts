/** Testing on images of known classes. */
import { type ImageBytes, type ImageFormat, joinImages } from '../data/image-bytes.ts';
import { ArgumentError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import type { Engine } from '../tensor/engine.ts';
import { type ClassImages, readClassImages } from './class-images.ts';
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
 * Images to test on, as bytes.
 * @throws {ArgumentError} for a class that is not known, and what {@link readClassImages} refuses.
 */
export async function readTestImages(
  engine: Engine,
  images: ClassImages,
  { names, format, resize, where }: TestImagesOptions,
): Promise<ReadonlyMap<string, ImageBytes>> {
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
  /** What a model was trained at whose scores are not finite. */
  readonly lr: number;
}

/**
 * @param lots as {@link readTestImages} gives them.
 * @throws {ConfigError} when some score is not a finite number.
 */
export async function evaluate(
  lots: ReadonlyMap<string, ImageBytes>,
  { predictions, names, lr }: EvaluationOptions,
): Promise<Evaluation> {
  const predicted = await predictions.logits(joinImages([...lots.values()], 'evaluate'));
  if (predicted.includes(-1)) throw diverged('evaluate', 'scores of images are', lr);
  const classes = names.length;
  const confusion = new Uint32Array(classes * classes);
  const perClass = new Map<string, number>();
  let [right, first] = [0, 0];
  for (const [name, { count }] of lots) {
    const row = classes * names.indexOf(name);
    let hits = 0;
    for (const to of predicted.subarray(first, first + count)) {
      confusion[row + to] = (confusion[row + to] as number) + 1;
      if (row === classes * to) hits++;
    }
    perClass.set(name, (100 * hits) / count);
    right += hits;
    first += count;
  }
  return { accuracy: (100 * right) / predicted.length, perClass, confusion };
}
