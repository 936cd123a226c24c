/** Testing on images of known classes. */
import { type ImageBytes, joinImages } from '../data/image-bytes.ts';
import { ArgumentError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import type { Evaluation } from './learner-types.ts';
import type { Predictions } from './predictions.ts';

/**
 * @param names of the classes, in the order of the logits.
 * @returns `null` when some score is not a finite number.
 * @throws {ArgumentError} for a class that is not known.
 */
export async function evaluate(
  predictions: Predictions,
  names: readonly string[],
  lots: ReadonlyMap<string, ImageBytes>,
): Promise<Evaluation | null> {
  const unknown = [...lots.keys()].find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new ArgumentError({
      where: 'evaluate',
      message: `class "${clipped(unknown)}" is not known.`,
      fix: `Known are ${clipped(names.join(', '))}.`,
    });
  }
  const predicted = await predictions.logits(joinImages([...lots.values()], 'evaluate'));
  if (predicted.includes(-1)) return null;
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
